import { describe, expect, test } from "vitest";
import { StallMonitor } from "../../../test/harness/stall-monitor.ts";
import { circumstances } from "../../../test/harness/worlds.ts";
import { fromDirectory } from "../audit/entry.ts";
import { type ChangeRecord, editsOf } from "../change.ts";
import { type Command, decide } from "../decide.ts";
import { accountKind, DIRECTORY_ID, isMemberOfAll, userKind, userOf } from "../directory.ts";
import { kinds } from "../kinds.ts";
import { type Doc, State } from "../state.ts";
import { createAccount } from "./account.ts";
import { accountsOf, type Membership, membershipOf } from "./membership.ts";
import { updateUser } from "./user.ts";

const USER = "a".repeat(32);
const idOf = (number: number) => number.toString(16).padStart(32, "0");
const ids = (count: number) => Array.from({ length: count }, (_, number) => idOf(number));
const NEW = "f".repeat(32);

/** A directory of so many accounts, and a user who is a member of all of them. */
function directoryOf(count: number, accounts: Membership | undefined = membershipOf(ids(count))): State {
  const state = new State(DIRECTORY_ID, "0".repeat(16));
  for (const id of ids(count)) state.restore(accountKind, id, { name: id, created_on: "2026-01-01" }, 1);
  const doc = { email: "ada@example.com", key_hash: "0", accounts } as Doc;
  state.restore(userKind, USER, doc, 1);
  state.restoreRevisions(1, new Map());
  return state;
}

/** The record of a command, which is made durable. */
function recordOf(state: State, command: Command): ChangeRecord {
  const decision = decide(state, command);
  if (!decision.ok || !decision.change) throw new Error("The command changes something.");
  const { edits, record } = decision.change;
  state.apply(edits, record.time);
  state.settle(edits, record.revision);
  return JSON.parse(JSON.stringify(record));
}

const make = (id = NEW) => createAccount({ id, name: "new" }, () => id, USER, circumstances());
const change = (accounts: readonly string[]) =>
  updateUser(
    USER,
    { accounts },
    () => NEW,
    () => undefined,
    circumstances(),
  );
const membersOf = (state: State) => {
  const entry = state.get(userKind.name, USER);
  return entry && accountsOf(userOf(entry).accounts);
};

/** The state after a record, as another server or a restart reads it. */
function replay(state: State, record: ChangeRecord): State {
  const edits = editsOf(state, record, kinds);
  state.apply(edits, record.time);
  state.settle(edits, record.revision);
  return state;
}

describe("the record of a change of memberships", () => {
  test("has the same size for 10,000 accounts as for ten", () => {
    const size = (command: (state: State) => Command) => (count: number) => {
      const state = directoryOf(count);
      return JSON.stringify(recordOf(state, command(state))).length;
    };
    const making = size(() => make());
    expect(making(10_000)).toBe(making(10));
    const leaving = size((state) => change((membersOf(state) ?? []).slice(1)));
    expect(leaving(10_000)).toBe(leaving(10));
  });

  test("carries another server's state over, also from a list that an older Patchbay stored", () => {
    for (const stored of [membershipOf(ids(3)), ids(3)]) {
      const [here, there] = [directoryOf(3, stored), directoryOf(3, stored)];
      for (const command of [
        make(),
        make("e".repeat(32)),
        change([idOf(1), NEW]),
        change([]),
        change([idOf(2)]),
      ]) {
        replay(there, recordOf(here, command));
        expect(membersOf(there)).toEqual(membersOf(here));
      }
      expect(membersOf(here)).toEqual([idOf(2)]);
    }
  });

  test("of an older Patchbay is still read, before and after newer ones", () => {
    const state = directoryOf(3, ids(2));
    const old = (revision: number, before: string[], after: string[]): ChangeRecord => ({
      ...recordOf(directoryOf(3), make()),
      revision,
      objects: [{ kind: "user", id: USER, action: "update", fields: { accounts: { before, after } } }],
    });
    replay(state, old(2, ids(2), ids(3)));
    expect(membersOf(state)).toEqual(ids(3));
    recordOf(state, change(ids(2)));
    replay(state, old(4, ids(2), ids(1)));
    expect(membersOf(state)).toEqual(ids(1));
  });

  test("is in the audit log of the accounts that it adds or takes, as a list, and of no other", () => {
    const state = directoryOf(3);
    const record = recordOf(state, change([idOf(0), idOf(1)]));
    const fieldsIn = (id: string) => {
      const around = { account: { id }, ownerOf: () => undefined };
      const response = fromDirectory(record, "0".repeat(16), around)?.entry.resource.response;
      return response && "objects" in response ? response.objects[0]?.fields : undefined;
    };
    expect(fieldsIn(idOf(2))).toEqual({ accounts: { before: [idOf(2)], after: [] } });
    expect(fieldsIn(idOf(0))).toBeUndefined();
  });
});

test("a membership of all of 10,000 accounts is found without a stall", () => {
  for (const stored of [membershipOf(ids(10_000)), ids(10_000)]) {
    const state = directoryOf(10_000, stored);
    const entry = state.get(userKind.name, USER);
    if (!entry) throw new Error("There is the user.");
    using monitor = StallMonitor.start();
    expect(isMemberOfAll(state, userOf(entry))).toBe(true);
    expect(monitor.longest).toBeLessThan(50);
    recordOf(state, change(ids(9_999)));
    const now = state.get(userKind.name, USER);
    expect(now && isMemberOfAll(state, userOf(now))).toBe(false);
  }
});
