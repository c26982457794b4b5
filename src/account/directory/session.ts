/** Sessions of tokens, as commands on the directory. */

import { MAX_SESSIONS_PER_TOKEN, SESSION_DAYS } from "../../contract/limits.ts";
import type { Circumstances, Command, Wish } from "../decide.ts";
import { type SessionDoc, sessionsIn, sessionsKind } from "../directory.ts";
import type { Doc, State } from "../state.ts";
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
