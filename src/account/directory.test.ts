import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs } from "../../test/harness/runs.ts";
import { stateOf } from "../../test/harness/worlds.ts";
import { type PermissionGroup, permissionGroups } from "../contract/permissions.ts";
import { maskRecord } from "./change.ts";
import { accountsOf } from "./directory/membership.ts";
import {
  admits,
  DIRECTORY_ID,
  findToken,
  findUser,
  isInForce,
  isMemberOfAll,
  type PolicyDoc,
  permits,
  type TokenDoc,
  tokenKind,
  tokenStatus,
} from "./directory.ts";
import { kinds } from "./kinds.ts";
import { seedWorld } from "./seed.ts";
import { entry, State } from "./state.ts";

const ONE = "1".repeat(32);
const TWO = "2".repeat(32);

const seed = {
  accounts: [
    { id: ONE, name: "One" },
    { id: TWO, name: "Two" },
  ],
  users: [{ id: "a".repeat(32), email: "Ada@Example.com", key: "f".repeat(37), accounts: [ONE] }],
  tokens: [
    { id: "b".repeat(32), name: "first", value: "x".repeat(40), policies: [] },
    { id: "c".repeat(32), name: "second", value: "y".repeat(40), policies: [] },
  ],
};

function makeWorld() {
  const made = seedWorld(seed, {
    time: "2026-01-01T00:00:00Z",
    hash: (secret) => `#${secret}`,
    epoch: () => "epoch",
  });
  const seeded = made.ok ? made.states.find(({ id }) => id === DIRECTORY_ID) : undefined;
  if (!seeded) throw new Error("The seed makes no directory.");
  return seeded;
}

describe("in the directory", () => {
  const directory = stateOf(makeWorld());

  test("a token is found by its hash, and by nothing else", () => {
    expect(findToken(directory, `#${"y".repeat(40)}`)).toMatchObject({
      id: "c".repeat(32),
      doc: { name: "second" },
    });
    for (const hash of ["", "#", "y".repeat(40), "second", "c".repeat(32)]) {
      expect(findToken(directory, hash)).toBeUndefined();
    }
  });

  test("a user is found by the e-mail address, in capitals or not", () => {
    for (const email of ["Ada@Example.com", "ada@example.com", "ADA@EXAMPLE.COM"]) {
      expect(accountsOf(findUser(directory, email)?.doc.accounts)).toEqual([ONE]);
    }
    expect(findUser(directory, "ada@example.co")).toBeUndefined();
  });

  test("a token is no user, nor the other way round, whatever they are called", () => {
    expect(findUser(directory, `#${"x".repeat(40)}`)).toBeUndefined();
    expect(findToken(directory, "ada@example.com")).toBeUndefined();
  });

  test("what is not durable yet is not found", () => {
    const state: State = stateOf(makeWorld());
    const slot = state.slotFor(tokenKind.name, "d".repeat(32));
    const doc = { name: "third", hash: "#z", status: "active", policies: [] };
    const edit = { slot, kind: tokenKind, before: undefined, after: entry(slot.id, doc, 2) };
    state.apply([edit]);
    expect(findToken(state, "#z")).toBeUndefined();
    state.settle([edit], 2);
    expect(findToken(state, "#z")?.doc.name).toBe("third");
  });

  test("secrets are kept as hashes alone, and shown to nobody in the log", () => {
    const { record } = makeWorld().change;
    const hashes = ["#x", "#y", "#f"];
    const text = JSON.stringify(record);
    expect(hashes.filter((hash) => !text.includes(hash))).toEqual([]);
    expect(hashes.filter((hash) => JSON.stringify(maskRecord(record, kinds)).includes(hash))).toEqual([]);
  });
});

const token: TokenDoc = { name: "t", hash: "h", status: "active", policies: [] };
const now = Date.parse("2026-06-01T12:00:00Z");

test("a user who is a member of all accounts there are is one of none where there are none", () => {
  const world = stateOf(makeWorld());
  const user = (accounts: readonly string[]) => ({ email: "x@example.com", key_hash: "", accounts });
  expect(isMemberOfAll(world, user([ONE]))).toBe(false);
  expect(isMemberOfAll(world, user([TWO, ONE]))).toBe(true);
  expect(isMemberOfAll(new State(DIRECTORY_ID, ""), user([]))).toBe(false);
});

describe("a token", () => {
  test.each<[string, Partial<TokenDoc>, string, boolean]>([
    ["without limits", {}, "active", true],
    ["disabled", { status: "disabled" }, "disabled", false],
    ["expired", { expires_on: "2026-06-01T11:59:59Z" }, "expired", false],
    ["that expires this instant", { expires_on: "2026-06-01T12:00:00Z" }, "expired", false],
    ["that expires in a moment", { expires_on: "2026-06-01T12:00:00.001Z" }, "active", true],
    ["not yet valid", { not_before: "2026-06-01T12:00:01Z" }, "active", false],
    ["valid from this instant", { not_before: "2026-06-01T12:00:00Z" }, "active", true],
    ["disabled and expired", { status: "disabled", expires_on: "2020-01-01T00:00:00Z" }, "disabled", false],
  ])("%s", (_, limits, status, inForce) => {
    expect(tokenStatus({ ...token, ...limits }, now)).toBe(status);
    expect(isInForce({ ...token, ...limits }, now)).toBe(inForce);
  });

  type Range = { readonly in?: readonly string[]; readonly not_in?: readonly string[] };
  const limitedTo = (request_ip: Range): TokenDoc => ({ ...token, condition: { request_ip } });

  test.each<[string, Range, string, boolean]>([
    ["no range", {}, "203.0.113.9", true],
    ["a prefix around it", { in: ["203.0.113.0/24"] }, "203.0.113.9", true],
    ["a prefix beside it", { in: ["203.0.112.0/24"] }, "203.0.113.9", false],
    ["the address itself", { in: ["203.0.113.9"] }, "203.0.113.9", true],
    ["one of several", { in: ["10.0.0.0/8", "203.0.113.9/32"] }, "203.0.113.9", true],
    ["all but a prefix around it", { not_in: ["203.0.113.0/24"] }, "203.0.113.9", false],
    [
      "a prefix, less one of its own",
      { in: ["203.0.113.0/24"], not_in: ["203.0.113.8/29"] },
      "203.0.113.9",
      false,
    ],
    ["none at all", { in: [] }, "203.0.113.9", false],
    ["IPv6", { in: ["2001:db8::/32"] }, "2001:db8::9", true],
    ["an IPv6 address itself", { in: ["2001:DB8:0::9"] }, "2001:db8::9", true],
    ["the other family", { in: ["::/0"] }, "203.0.113.9", false],
    ["IPv4, told as IPv6 by the system", { in: ["203.0.113.0/24"] }, "::ffff:203.0.113.9", true],
    ["all but IPv4, told as IPv6 by the system", { not_in: ["203.0.113.0/24"] }, "::ffff:203.0.113.9", false],
    ["a range, of which no address is known", { in: ["0.0.0.0/0", "::/0"] }, "", false],
    ["all but a range, of which no address is known", { not_in: ["10.0.0.0/8"] }, "unknown", false],
  ])("admits %s: %j from %s: %s", (_, range, address, admitted) => {
    expect(admits(limitedTo(range), address)).toBe(admitted);
  });

  test("without a condition admits any address", () => {
    for (const address of ["203.0.113.9", "::1", ""]) expect(admits(token, address)).toBe(true);
  });

  // None of the IPv6 prefixes holds ::ffff:0:0/96, in which Node looks for IPv4 addresses as well.
  test("admits what Node's block lists say is in the one and not in the other", () => {
    const address = fc.constantFrom(
      "10.0.0.1",
      "10.0.0.200",
      "10.0.1.1",
      "10.1.0.1",
      "11.0.0.1",
      "::1",
      "2001:db8::1",
      "2001:db8:1::1",
    );
    const prefix = fc.constantFrom(
      "10.0.0.0/25",
      "10.0.0.0/24",
      "10.0.0.0/16",
      "8.0.0.0/5",
      "0.0.0.0/0",
      "2001:db8::/48",
      "2000::/3",
    );
    const ranges = fc.option(fc.array(prefix, { maxLength: 3 }), { nil: undefined });
    const listed = (prefixes: readonly string[], host: string) => {
      const list = new BlockList();
      for (const text of prefixes) {
        const [base = "", length] = text.split("/");
        list.addSubnet(base, Number(length), base.includes(":") ? "ipv6" : "ipv4");
      }
      return list.check(host, host.includes(":") ? "ipv6" : "ipv4");
    };
    fc.assert(
      fc.property(address, ranges, ranges, (host, wanted, unwanted) => {
        const range = { ...(wanted ? { in: wanted } : {}), ...(unwanted ? { not_in: unwanted } : {}) };
        const expected = (!wanted || listed(wanted, host)) && !(unwanted && listed(unwanted, host));
        expect(admits(limitedTo(range), host)).toBe(expected);
      }),
      { numRuns: runs(1000) },
    );
  });
});

const groups = ["magicWanWrite", "magicWanRead", "patchbayAdmin"] as const;
type Effect = PolicyDoc["effect"];

function policy(effect: Effect, accounts: readonly string[], given: readonly PermissionGroup[]): PolicyDoc {
  const resources = Object.fromEntries(accounts.map((id) => [`com.cloudflare.api.account.${id}`, "*"]));
  return { effect, resources, permission_groups: given.map((group) => permissionGroups[group]) };
}

describe("policies", () => {
  const write = ["magicWanWrite"] as const;

  test.each<[string, readonly PolicyDoc[], string | undefined, boolean]>([
    ["none", [], ONE, false],
    ["the group on the account", [policy("allow", [ONE], write)], ONE, true],
    ["the group on another account", [policy("allow", [TWO], write)], ONE, false],
    ["another group on the account", [policy("allow", [ONE], ["magicWanRead"])], ONE, false],
    ["the group on all accounts", [policy("allow", ["*"], write)], ONE, true],
    ["a denial after", [policy("allow", ["*"], write), policy("deny", [ONE], write)], ONE, false],
    ["a denial before", [policy("deny", [ONE], write), policy("allow", ["*"], write)], ONE, false],
    ["a denial everywhere", [policy("allow", [ONE], write), policy("deny", ["*"], write)], ONE, false],
    ["a denial elsewhere", [policy("allow", ["*"], write), policy("deny", [TWO], write)], ONE, true],
    [
      "a denial of another group",
      [policy("allow", [ONE], write), policy("deny", [ONE], ["magicWanRead"])],
      ONE,
      true,
    ],
    ["for all: the group on all", [policy("allow", ["*"], write)], undefined, true],
    ["for all: the group on each", [policy("allow", [ONE, TWO], write)], undefined, false],
    [
      "for all: a denial anywhere",
      [policy("allow", ["*"], write), policy("deny", [ONE], write)],
      undefined,
      false,
    ],
  ])("%s", (_, policies, account, permitted) => {
    expect(permits(policies, write, account)).toBe(permitted);
  });

  test("any one of the accepted groups suffices, each judged by itself", () => {
    const both = ["magicWanWrite", "magicTransitWrite"] as const;
    const policies = [policy("allow", [ONE], both), policy("deny", [ONE], write)];
    expect(permits(policies, both, ONE)).toBe(true);
    expect(permits(policies, write, ONE)).toBe(false);
    expect(permits(policies, [], ONE)).toBe(false);
  });

  const some = fc.record({
    effect: fc.constantFrom<Effect>("allow", "allow", "deny"),
    accounts: fc.uniqueArray(fc.constantFrom(ONE, TWO, "*"), { minLength: 1 }),
    given: fc.uniqueArray(fc.constantFrom(...groups), { minLength: 1 }),
  });
  const policies = fc.array(
    some.map(({ effect, accounts, given }) => policy(effect, accounts, given)),
    { maxLength: 4 },
  );
  const account = fc.constantFrom(ONE, TWO, undefined);
  const accepted = fc.subarray([...groups], { minLength: 1 });

  test("give no more for a denial added, and no less for an allowance", () => {
    fc.assert(
      fc.property(policies, some, account, accepted, (list, { accounts, given }, id, wanted) => {
        const before = permits(list, wanted, id);
        if (!before) expect(permits([...list, policy("deny", accounts, given)], wanted, id)).toBe(false);
        if (before) expect(permits([...list, policy("allow", accounts, given)], wanted, id)).toBe(true);
      }),
      { numRuns: runs(3000) },
    );
  });

  test("say the same in any order", () => {
    fc.assert(
      fc.property(policies, account, accepted, (list, id, wanted) => {
        expect(permits(list.toReversed(), wanted.toReversed(), id)).toBe(permits(list, wanted, id));
      }),
      { numRuns: runs(1000) },
    );
  });

  test("for all accounts give no more than for each of them", () => {
    fc.assert(
      fc.property(policies, accepted, fc.constantFrom(ONE, TWO, "3".repeat(32)), (list, wanted, id) => {
        if (permits(list, wanted, undefined)) expect(permits(list, wanted, id)).toBe(true);
      }),
      { numRuns: runs(2000) },
    );
  });
});
