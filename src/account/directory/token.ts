/** Changes to tokens, as commands on the directory. */

import { parseRange } from "../../contract/addresses.ts";
import { Checker, type Exception, show } from "../../contract/check.ts";
import { NewToken, TokenUpdate } from "../../contract/directory/token.ts";
import { type Problem, type Problems, problem } from "../../contract/errors.ts";
import type { Circumstances, Command } from "../decide.ts";
import { type Owner, type TokenDoc, tokenKind, tokenOf, tokenStatus } from "../directory.ts";
import type { Condition } from "../elements.ts";
import type { Doc, Entry, Slot, State } from "../state.ts";
import { makePolicies } from "./policies.ts";
import {
  type Asker,
  excessRights,
  isStronger,
  judgeAsker,
  outlives,
  type Powers,
  powersOf,
  seesResource,
  widerAddresses,
} from "./rights.ts";
import { endSessionsOf } from "./session.ts";

const KIND = tokenKind.name;

/** A token as the vendor shows it, without what is secret. `now` in milliseconds. */
export function tokenView(entry: Entry, now: number) {
  const token = tokenOf(entry);
  const { name, issued_on, modified_on, not_before, expires_on, condition, policies } = token;
  return {
    id: entry.id,
    name,
    status: tokenStatus(token, now),
    issued_on,
    modified_on,
    not_before,
    expires_on,
    condition,
    policies: policies.map((policy, index) => ({
      id: policy.id ?? index.toString(16).padStart(32, "0"),
      effect: policy.effect,
      resources: policy.resources,
      permission_groups: policy.permission_groups,
    })),
  };
}

/** Is it the token of this owner? */
export function belongsTo({ owner }: TokenDoc, wanted: Owner | undefined): boolean {
  if (!owner || !wanted) return owner === wanted;
  if ("user" in owner) return "user" in wanted && owner.user === wanted.user;
  return "account" in wanted && owner.account === wanted.account;
}

const explainTime: Exception = (path, value, problems, pointer) => {
  const field = path.slice(1);
  if (typeof value !== "string" || !(field === "not_before" || field === "expires_on")) return false;
  const expected = 'a time such as 2026-01-31T12:00:00Z, or "" for none';
  problems.add("invalid_value", () => ({ field, given: show(value), expected }), pointer);
  return true;
};

const checkers = {
  create: new Checker(NewToken, explainTime, "Token"),
  update: new Checker(TokenUpdate, explainTime, "Token"),
};

/** What is asked, whose token it is about, and who asks. */
export interface Standing {
  /** The operation's name, for the log: it tells whose tokens these are. */
  readonly operation: string;
  readonly owner: Owner | undefined;
  readonly asker: Asker;
}

export interface NewSecret {
  readonly id: string;
  /** SHA-256 of the secret, in hex. */
  readonly hash: string;
}

interface Wanted extends Standing {
  readonly body: unknown;
  readonly newId: () => string;
}

export function createToken(
  { operation, owner, asker, body, newId, id, hash }: Wanted & NewSecret,
  circumstances: Circumstances,
): Command {
  const { time } = circumstances;
  return {
    operation,
    circumstances,
    condition: (state) => judgeAsker(state, asker),
    *propose(state, problems) {
      const wanted = checkers.create.read(body, "", problems);
      const powers = powersOf(state, asker);
      if (!wanted || !powers) return;
      const base = {
        name: "",
        hash,
        status: "active" as const,
        issued_on: time,
        modified_on: time,
        policies: [],
      };
      const stored: TokenDoc = owner ? { ...base, owner } : base;
      const sees = (resource: string) => seesResource(powers, resource);
      const doc = merge(stored, wanted, { state, owner, sees, newId, problems, now: Date.parse(time) });
      judgeStrength(doc, powers, problems);
      yield { kind: tokenKind, slot: state.slotFor(KIND, id), doc: doc as Doc, pointer: "" };
    },
  };
}

export function updateToken(
  id: string,
  { operation, owner, asker, body, newId }: Wanted,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  const now = Date.parse(circumstances.time);
  return {
    operation,
    circumstances,
    condition: (state) =>
      judgeAsker(state, asker) ?? judgeOne(state, id, owner, condition) ?? judgeStored(state, id, asker),
    *propose(state, problems) {
      const update = checkers.update.read(body, "", problems);
      const powers = powersOf(state, asker);
      const slot = state.newest(KIND, id);
      if (!update || !powers || !slot?.entry) return;
      const stored = tokenOf(slot.entry);
      if (update.id !== undefined && update.id !== id)
        problems.add("read_only_field", { field: "id", stored: show(id) }, "/id");
      const sees = (resource: string) => seesResource(powers, resource);
      const doc = merge(stored, update, { state, owner, sees, newId, problems, now });
      const status = mergeStatus(stored, update.status, now, problems);
      judgeStrength(doc, powers, problems);
      yield { kind: tokenKind, slot, doc: { ...doc, status } as Doc, pointer: "" };
      if (status !== "active") yield* endSessionsOf(state, id);
    },
  };
}

/** Gives a token another secret. The one before stops at once. */
export function rollToken(
  { id, hash }: NewSecret,
  { operation, owner, asker }: Standing,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation,
    circumstances,
    condition: (state) =>
      judgeAsker(state, asker) ?? judgeOne(state, id, owner, condition) ?? judgeStored(state, id, asker),
    *propose(state) {
      const slot = state.newest(KIND, id);
      if (!slot?.entry) return;
      yield { kind: tokenKind, slot, doc: { ...slot.entry.doc, hash }, pointer: "" };
      yield* endSessionsOf(state, id);
    },
  };
}

/** Deletes a token, also a stronger one: that takes rights, and gives none. */
export function deleteToken(
  id: string,
  { operation, owner, asker }: Standing,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation,
    circumstances,
    condition: (state) => judgeAsker(state, asker) ?? judgeOne(state, id, owner, condition),
    *propose(state) {
      const slot = state.newest(KIND, id);
      if (slot) yield { kind: tokenKind, slot, doc: undefined, pointer: "" };
      yield* endSessionsOf(state, id);
    },
  };
}

/** Tokens of an owner, as they are durable. */
export function tokensOf(directory: State, owner: Owner | undefined): Entry[] {
  return directory.list(KIND).filter((entry) => belongsTo(tokenOf(entry), owner));
}

function judgeOne(
  state: State,
  id: string,
  owner: Owner | undefined,
  condition: Condition,
): Problem | undefined {
  const slot = state.newest(KIND, id);
  if (!slot?.entry || !belongsTo(tokenOf(slot.entry), owner)) return problem("token_not_found", { id });
  return condition(state, slot);
}

function judgeStored(state: State, id: string, asker: Asker): Problem | undefined {
  const token = state.newest(KIND, id)?.entry;
  const powers = powersOf(state, asker);
  const stronger = token && powers && isStronger(tokenOf(token), powers);
  return stronger ? problem("stronger_token", { id }) : undefined;
}

interface Merging {
  readonly state: State;
  readonly owner: Owner | undefined;
  readonly sees: (resource: string) => boolean;
  readonly newId: () => string;
  readonly problems: Problems;
  /** Milliseconds. */
  readonly now: number;
}

/** Lays what is sent over a token. What is left out stays; `""` and an empty condition clear. */
function merge(stored: TokenDoc, sent: Omit<TokenUpdate, "status">, by: Merging): TokenDoc {
  const { not_before, expires_on, condition, ...rest } = stored;
  const times = mergeTimes({ not_before, expires_on }, sent, by);
  const limits = sent.condition ? judgeCondition(sent.condition, by.problems) : condition;
  return {
    ...rest,
    name: sent.name,
    policies: makePolicies(sent.policies, { ...by, stored: stored.policies }),
    ...times,
    ...(limits ? { condition: limits } : {}),
  };
}

type Times = Partial<Record<"not_before" | "expires_on", string | undefined>>;

function mergeTimes(stored: Times, sent: Times, { problems, now }: Merging) {
  const merged: { not_before?: string; expires_on?: string } = {};
  for (const field of ["not_before", "expires_on"] as const) {
    const text = sent[field] ?? stored[field];
    if (text === undefined || text === "") continue;
    merged[field] = text;
    if (text === stored[field]) continue;
    const past = field === "expires_on" && Date.parse(text) <= now;
    const expected = !isTime(text) ? "a time that there is" : past ? "a time to come" : undefined;
    if (expected) problems.add("invalid_value", { field, given: show(text), expected }, `/${field}`);
  }
  const { not_before: begin, expires_on: end } = merged;
  const moved = begin !== stored.not_before || end !== stored.expires_on;
  if (moved && begin !== undefined && end !== undefined && Date.parse(begin) >= Date.parse(end)) {
    const expected = `after not_before, which is ${begin}`;
    problems.add("invalid_value", { field: "expires_on", given: show(end), expected }, "/expires_on");
  }
  return merged;
}

/** Is it a time that the calendar has? Its form the schema has judged. */
function isTime(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 19) === text.slice(0, 19);
}

/** The condition, or nothing if it says nothing. */
function judgeCondition(
  condition: NonNullable<TokenDoc["condition"]>,
  problems: Problems,
): TokenDoc["condition"] {
  const { request_ip } = condition;
  if (!request_ip || (!request_ip.in && !request_ip.not_in)) return undefined;
  for (const side of ["in", "not_in"] as const) {
    for (const [index, text] of (request_ip[side] ?? []).entries()) {
      if (parseRange(text)) continue;
      const values = { field: `request_ip.${side}`, given: show(text), expected: "a prefix or an address" };
      problems.add("invalid_value", values, `/condition/request_ip/${side}/${index}`);
    }
  }
  return { request_ip };
}

/** "expired" says what the time does to a token, so it can only be sent back. */
function mergeStatus(
  stored: TokenDoc,
  sent: TokenUpdate["status"],
  now: number,
  problems: Problems,
): TokenDoc["status"] {
  if (sent === undefined) return stored.status;
  if (sent !== "expired") return sent;
  if (tokenStatus(stored, now) !== "expired") {
    const expected = '"active" or "disabled"; a token expires by expires_on';
    problems.add("invalid_value", { field: "status", given: '"expired"', expected }, "/status");
  }
  return stored.status;
}

/** Refuses everything in which the token would be stronger than who asks for it. */
function judgeStrength(token: TokenDoc, powers: Powers, problems: Problems): void {
  for (const { policy, group, resource } of excessRights(token.policies, powers)) {
    const name = token.policies[policy]?.permission_groups[group]?.name ?? "";
    const pointer = `/policies/${policy}/permission_groups/${group}`;
    problems.add("right_not_held", { group: name, resource }, pointer);
  }
  const end = outlives(token.expires_on, powers);
  if (end !== undefined) problems.add("outlives_asker", { end }, "/expires_on");
  const detail = widerAddresses(token.condition, powers);
  if (detail !== undefined) problems.add("wider_addresses", { detail }, "/condition/request_ip");
}

/** The slots of a user's tokens, in the newest view. */
export function* newestTokensOf(state: State, user: string): Iterable<Slot> {
  for (const id of state.ids(KIND)) {
    const slot = state.newest(KIND, id);
    if (slot?.entry && belongsTo(tokenOf(slot.entry), { user })) yield slot;
  }
}
