/** The judge of histories finds what is wrong with one, and nothing wrong with one that can have been. */

import { describe, expect, test } from "vitest";
import type { ChangeRecord } from "../../src/account/change.ts";
import {
  type Account,
  type Credential,
  type Exchange,
  judgeHistory,
  type Outcome,
  type Wanted,
} from "./history.ts";
import type { Plain } from "./replay.ts";

const tag = (revision: number) => `"e-${revision}"`;
const at = (description: string, mtu = 1400): Plain => ({ id: "a", name: "amber", description, mtu });
const other: Plain = { id: "b", name: "beryl", description: "b", mtu: 1400 };

/** A record that describes "a" anew. */
const record = (revision: number, before: string, after: string): ChangeRecord => ({
  revision,
  time: `2026-01-01T00:00:0${revision}.000000Z`,
  operation: "updateInterconnect",
  actor: { type: "token", id: "t", name: "t" },
  request_id: `ray-${after}`,
  objects: [{ kind: "interconnect", id: "a", action: "update", fields: { description: { before, after } } }],
});

/** Revision 1 is known to all; then come these descriptions of "a", one after the other. */
const accountOf = (...descriptions: readonly string[]): Account => ({
  epoch: "e",
  first: 1,
  objects: [at("first"), other],
  revisions: new Map([
    ["a", 1],
    ["b", 1],
  ]),
  newest: 1,
  log: descriptions.map((description, index) =>
    record(index + 2, descriptions[index - 1] ?? "first", description),
  ),
});

type About = Partial<Extract<Wanted, { kind: "write" }>> & { readonly name?: string };
const writing = (description: string, { name, ...about }: About = {}): Wanted => ({
  kind: "write",
  ids: ["a"],
  bulk: false,
  dry: false,
  values: { description, ...(name !== undefined && { name }) },
  ...about,
});
const made = (revision: number, description: string): Outcome => ({
  kind: "made",
  revision,
  etag: tag(revision),
  requestId: `ray-${description}`,
  objects: [at(description)],
});
const told = (revision: number, description: string): Outcome => ({
  kind: "told",
  etag: tag(revision),
  objects: [at(description)],
});
const reading: Wanted = { kind: "read", id: "a" };
const on = (
  start: number,
  end: number,
  wanted: Wanted,
  outcome: Outcome,
  credential?: Credential,
): Exchange => ({
  start,
  end,
  wanted,
  outcome,
  credential,
});
const write = (start: number, end: number, revision: number, description: string) =>
  on(start, end, writing(description), made(revision, description));
const refused = (verdict: string): Outcome => ({ kind: "refused", verdict });

const faults = (account: Account, ...exchanges: readonly Exchange[]) =>
  judgeHistory(account, exchanges).faults;

describe("a history that can have been", () => {
  const histories: Record<string, [Account, ...Exchange[]]> = {
    "tells each change to whoever asks after it": [
      accountOf("x", "y"),
      write(0, 1, 2, "x"),
      on(2, 3, reading, told(2, "x")),
      write(4, 5, 3, "y"),
      on(6, 7, reading, told(3, "y")),
    ],
    "tells either of two states while a change is made": [
      accountOf("x"),
      write(0, 9, 2, "x"),
      on(1, 2, reading, told(1, "first")),
      on(3, 4, reading, told(2, "x")),
    ],
    "has a change of which nobody was told, or has it not": [
      accountOf("x"),
      on(0, 1, writing("x"), { kind: "unknown" }),
      on(0, 1, writing("lost"), { kind: "unknown" }),
      on(2, 3, reading, told(1, "first")),
      on(4, 5, reading, told(2, "x")),
    ],
    "refuses what is to be refused": [
      accountOf("x"),
      write(0, 1, 2, "x"),
      on(2, 3, writing("no", { ifMatch: tag(1) }), refused("412 990014")),
      on(2, 3, writing("no", { name: "beryl" }), refused("400 990027")),
      on(2, 3, { ...reading, noneMatch: tag(2) }, { kind: "unchanged" }),
      on(2, 3, writing("dry", { dry: true, ifMatch: tag(2) }), {
        ...told(2, "dry"),
        etag: undefined,
      } as Outcome),
    ],
    "lets a token by until it is revoked": [
      accountOf(),
      on(0, 1, reading, told(1, "first"), { endAsked: 2, ended: 4 }),
      on(3, 5, reading, { kind: "forbidden" }, { endAsked: 2, ended: 4 }),
      on(3, 5, reading, told(1, "first"), { endAsked: 2, ended: 4 }),
      on(5, 6, reading, { kind: "forbidden" }, { endAsked: 2, ended: 4 }),
    ],
  };
  test.each(Object.keys(histories))("%s", (name) => {
    const [account, ...exchanges] = histories[name] ?? [accountOf()];
    expect(faults(account, ...exchanges)).toEqual([]);
  });

  test("leaves open what may still come", () => {
    const lost = on(0, 1, writing("later"), { kind: "unknown" });
    expect(judgeHistory(accountOf(), [lost]).open).toEqual([lost]);
    expect(faults(accountOf("later"), lost)).toEqual([]);
  });
});

describe("a history that cannot have been:", () => {
  const histories: Record<string, [RegExp, Account, ...Exchange[]]> = {
    "a stale read": [
      /tells revision 1, but 2 was known/,
      accountOf("x"),
      write(0, 1, 2, "x"),
      on(2, 3, reading, told(1, "first")),
    ],
    "a read that is older than another's before it": [
      /tells revision 1, but 2 was known/,
      accountOf("x"),
      write(0, 9, 2, "x"),
      on(1, 2, reading, told(2, "x")),
      on(3, 4, reading, told(1, "first")),
    ],
    "a read of what was only asked for later": [
      /is revision 2, but 2 was known/,
      accountOf("x"),
      on(0, 1, reading, told(2, "x")),
      write(2, 3, 2, "x"),
    ],
    "a read of what never was": [/tells what never was/, accountOf(), on(0, 1, reading, told(1, "phantom"))],
    "a list of one state's one half and another's other": [
      /tells what never was/,
      accountOf("x"),
      write(0, 9, 2, "x"),
      on(1, 2, { kind: "list" }, { kind: "told", etag: tag(2), objects: [at("first"), other] }),
    ],
    "a stale list": [
      /tells revision 1, but 2 was known/,
      accountOf("x"),
      write(0, 1, 2, "x"),
      on(2, 3, { kind: "list" }, { kind: "told", etag: tag(1), objects: [at("first"), other] }),
    ],
    "a lost write": [/was acknowledged as revision 2 and is lost/, accountOf(), write(0, 1, 2, "x")],
    "a double write": [/is in the log twice/, accountOf("x", "x"), write(0, 1, 2, "x")],
    "a write by nobody": [/was asked for by nobody/, accountOf("x")],
    "a reordered write": [
      /is revision 2, but 3 was known/,
      accountOf("y", "x"),
      write(0, 1, 3, "x"),
      write(2, 3, 2, "y"),
    ],
    "a write told at another's revision": [
      /is revision 3, but was told to be 2/,
      accountOf("y", "x"),
      write(0, 9, 2, "y"),
      on(0, 9, writing("x"), { ...made(3, "x"), revision: 2 } as Outcome),
    ],
    "a refused write that was made": [
      /though nothing was to be done/,
      accountOf("x"),
      on(0, 1, writing("x"), { kind: "away" }),
    ],
    "a dry write that was made": [
      /though nothing was to be done/,
      accountOf("x"),
      on(0, 1, writing("x", { dry: true }), told(2, "x")),
    ],
    "a write on a tag that was not current": [
      /was to be refused there \(412/,
      accountOf("y", "x"),
      write(0, 1, 2, "y"),
      on(0, 9, writing("x", { ifMatch: tag(1) }), made(3, "x")),
    ],
    "a refusal for a tag that was current": [
      /tells what never was/,
      accountOf(),
      on(0, 1, writing("x", { ifMatch: tag(1) }), refused("412 990014")),
    ],
    "a refusal that had ceased to be true": [
      /tells revision 1, but 2 was known/,
      accountOf("x"),
      write(0, 1, 2, "x"),
      on(2, 3, writing("no", { ifMatch: tag(2) }), refused("412 990014")),
    ],
    "a dry write that was judged on an old state": [
      /tells revision 1, but 2 was known/,
      accountOf("x"),
      write(0, 1, 2, "x"),
      on(2, 3, writing("dry", { dry: true, ifMatch: tag(1) }), {
        ...told(1, "dry"),
        etag: undefined,
      } as Outcome),
    ],
    "an old tag that is told to be current": [
      /tells revision 1, but 2 was known/,
      accountOf("x"),
      write(0, 1, 2, "x"),
      on(2, 3, { ...reading, noneMatch: tag(1) }, { kind: "unchanged" }),
    ],
    "a token that passes after it was revoked": [
      /with a token that was revoked before/,
      accountOf(),
      on(5, 6, reading, told(1, "first"), { endAsked: 2, ended: 4 }),
    ],
    "a token that is refused before anybody revoked it": [
      /was refused a credential that was good/,
      accountOf(),
      on(0, 1, reading, { kind: "forbidden" }, { endAsked: 2, ended: 4 }),
    ],
  };
  test.each(Object.keys(histories))("%s", (name) => {
    const [fault, account, ...exchanges] = histories[name] ?? [/none/, accountOf()];
    expect(faults(account, ...exchanges)).toContainEqual(expect.stringMatching(fault));
  });

  test("a gap in the log", () => {
    const account = accountOf("x", "y");
    expect(faults({ ...account, log: account.log.slice(1) })).toEqual(["revision 2 is not in the log"]);
  });

  test("a change that was decided on what was not there", () => {
    const account = { ...accountOf(), log: [record(2, "another", "x")] };
    expect(faults(account, write(0, 1, 2, "x"))).toEqual([
      expect.stringMatching(/decided on another description/),
    ]);
  });
});
