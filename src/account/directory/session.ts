/** Sessions of tokens, as commands on the directory. */

import { MAX_SESSIONS_PER_TOKEN, SESSION_DAYS } from "../../contract/limits.ts";
import { objectChange } from "../change.ts";
import type { Circumstances, Command, Wish } from "../decide.ts";
import { DIRECTORY_ID, type SessionDoc, sessionsIn, sessionsKind, tokenKind, tokenOf } from "../directory.ts";
import type { SeededState } from "../seed.ts";
import { type Doc, type Edit, entry, type State } from "../state.ts";
import { judgeAsker } from "./rights.ts";

const KIND = sessionsKind.name;
const LIFETIME = SESSION_DAYS * 24 * 60 * 60 * 1000;

/** A session by its token and its hash. */
export interface SessionKey {
  readonly token: string;
  readonly hash: string;
}

/** Starts a session of a token, and ends the one that it replaces. */
export function beginSession(
  { token, hash }: SessionKey,
  replaced: SessionKey | undefined,
  circumstances: Circumstances,
): Command {
  const now = Date.parse(circumstances.time);
  return {
    operation: "createSession",
    circumstances,
    condition: (state) => judgeAsker(state, { by: "token", id: token }),
    *propose(state) {
      if (replaced && replaced.token !== token) yield* ending(state, replaced);
      const kept = sessionsOf(state, token).filter(
        (session) => session.hash !== replaced?.hash && Date.parse(session.expires_on) > now,
      );
      const session = { hash, expires_on: new Date(now + LIFETIME).toISOString() };
      yield withSessions(state, token, [...kept, session].slice(-MAX_SESSIONS_PER_TOKEN));
    },
  };
}

/** Ends a session. It may have ended already. */
export function endSession(
  operation: "createSession" | "deleteSession",
  session: SessionKey,
  circumstances: Circumstances,
): Command {
  return { operation, circumstances, propose: (state) => ending(state, session) };
}

/** Ends all sessions of a token, which is deleted, disabled or has a new secret. */
export function* endSessionsOf(state: State, token: string): Iterable<Wish> {
  if (state.newest(KIND, token)) yield withSessions(state, token, []);
}

/** A new data set in which the sessions of the same tokens continue: signed-in pages stay signed in through a reset. */
export function withSessionsOf(before: State, world: readonly SeededState[]): readonly SeededState[] {
  return world.map((seeded) => {
    if (seeded.id !== DIRECTORY_ID) return seeded;
    const { record, edits } = seeded.change;
    const kept = before.list(KIND).filter(({ id }) => {
      const now = edits.find(({ slot }) => slot.kind === tokenKind.name && slot.id === id)?.after;
      const then = before.get(tokenKind.name, id);
      return now && then && tokenOf(now).hash === tokenOf(then).hash;
    });
    const added = kept.map(({ id, doc }): Edit => {
      const slot = { kind: KIND, id, entry: undefined };
      return { slot, kind: sessionsKind, before: undefined, after: entry(id, doc, record.revision) };
    });
    const objects = [...record.objects, ...added.map((edit) => objectChange(edit))];
    return { ...seeded, change: { record: { ...record, objects }, edits: [...edits, ...added] } };
  });
}

function* ending(state: State, { token, hash }: SessionKey): Iterable<Wish> {
  const sessions = sessionsOf(state, token);
  const kept = sessions.filter((session) => session.hash !== hash);
  if (kept.length < sessions.length) yield withSessions(state, token, kept);
}

function sessionsOf(state: State, token: string): readonly SessionDoc[] {
  return sessionsIn(state.newest(KIND, token)?.entry?.doc ?? {});
}

function withSessions(state: State, token: string, sessions: readonly SessionDoc[]): Wish {
  const doc: Doc | undefined = sessions.length === 0 ? undefined : { sessions: [...sessions] };
  return { kind: sessionsKind, slot: state.slotFor(KIND, token), doc, pointer: undefined };
}
