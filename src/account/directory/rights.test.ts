import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs } from "../../../test/harness/runs.ts";
import { type PermissionGroup, permissionGroups } from "../../contract/permissions.ts";
import { decide } from "../decide.ts";
import {
  accountKind,
  admits,
  DIRECTORY_ID,
  isInForce,
  isMemberOfAll,
  type PolicyDoc,
  permits,
  permitsOnUser,
  type TokenDoc,
  tokenKind,
  tokenOf,
  type UserDoc,
  userKind,
} from "../directory.ts";
import { type Doc, State } from "../state.ts";
import { withoutAccount } from "./policies.ts";
import { EVERY_ACCOUNT, isStronger, powersOf, powersOfToken } from "./rights.ts";
import { createToken, rollToken, updateToken } from "./token.ts";

const ONE = "1".repeat(32);
const TWO = "2".repeat(32);
/** An account that no policy here ever names. */
const LATER = "3".repeat(32);
const USER = "a".repeat(32);
const ASKER = "b".repeat(32);
const NOW = "2030-01-01T00:00:00.000000Z";

const onAccounts = ["magicWanWrite", "magicWanRead", "patchbayAdmin"] as const;
const onUsers = ["apiTokensWrite", "userDetailsRead"] as const;
const groups: readonly PermissionGroup[] = [...onAccounts, ...onUsers];

function policy(
  effect: PolicyDoc["effect"],
  resources: readonly string[],
  given: readonly PermissionGroup[],
): PolicyDoc {
  return {
    effect,
    resources: Object.fromEntries(resources.map((resource) => [`com.cloudflare.api.${resource}`, "*"])),
    permission_groups: given.map((group) => {
      const { id, name } = permissionGroups[group];
      return { id, name };
    }),
  };
}

const effect = fc.constantFrom<PolicyDoc["effect"]>("allow", "allow", "deny");
const anyPolicy = fc.oneof(
  fc
    .record({
      effect,
      resources: fc.uniqueArray(fc.constantFrom(`account.${ONE}`, `account.${TWO}`, "account.*"), {
        minLength: 1,
      }),
      given: fc.uniqueArray(fc.constantFrom(...onAccounts), { minLength: 1 }),
    })
    .map((it) => policy(it.effect, it.resources, it.given)),
  fc
    .record({ effect, given: fc.uniqueArray(fc.constantFrom(...onUsers), { minLength: 1 }) })
    .map((it) => policy(it.effect, [`user.${USER}`], it.given)),
);
const anyPolicies = fc.array(anyPolicy, { maxLength: 4 });
const times = ["2031-01-01T00:00:00Z", "2032-01-01T00:00:00Z"];
const ranges = fc.option(
  fc.array(fc.constantFrom("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"), {
    minLength: 1,
    maxLength: 2,
  }),
  { nil: undefined },
);
const anyLimits = fc.record({
  expires_on: fc.option(fc.constantFrom(...times), { nil: undefined }),
  condition: fc.option(
    fc.record({ in: ranges, not_in: ranges }).map(({ in: within, not_in }) => ({
      request_ip: { ...(within ? { in: within } : {}), ...(not_in ? { not_in } : {}) },
    })),
    { nil: undefined },
  ),
});
type Limits = typeof anyLimits extends fc.Arbitrary<infer T> ? T : never;

function token(policies: readonly PolicyDoc[], { expires_on, condition }: Partial<Limits> = {}): TokenDoc {
  return {
    name: "test",
    hash: "0".repeat(64),
    owner: { user: USER },
    status: "active",
    ...(expires_on === undefined ? {} : { expires_on }),
    ...(condition ? { condition } : {}),
    policies,
  };
}

/** A directory of two accounts, a user, and a token that asks. */
function directoryOf(asker: TokenDoc, accounts: readonly string[] = []): State {
  const state = new State(DIRECTORY_ID, "epoch");
  for (const id of [ONE, TWO]) state.restore(accountKind, id, { name: id, created_on: NOW }, 1);
  const user: UserDoc = { email: "user@example.com", key_hash: "0".repeat(64), accounts };
  state.restore(userKind, USER, user as Doc, 1);
  state.restore(tokenKind, ASKER, { ...asker, hash: "f".repeat(64) } as Doc, 1);
  state.restoreRevisions(1, new Map());
  return state;
}

const circumstances = {
  time: NOW,
  actor: { type: "token", id: ASKER, name: "asker" },
  requestId: "request",
} as const;
let ids = 0;
const newId = () => (++ids).toString(16).padStart(32, "0");

/** What a request would be answered, by the rules that requests are judged by. */
function mayAsk(
  { policies, ...limits }: TokenDoc,
  group: PermissionGroup,
  at: { account?: string | undefined; user?: string; address: string; time: string },
): boolean {
  const doc = { policies, ...limits };
  if (!isInForce(doc, Date.parse(at.time)) || !admits(doc, at.address)) return false;
  return at.user === undefined
    ? permits(policies, [group], at.account)
    : permitsOnUser(policies, [group], at.user);
}

const places = [
  { account: ONE },
  { account: TWO },
  { account: LATER },
  { account: undefined },
  { user: USER },
  { user: ASKER },
];
const situations = places.flatMap((place) =>
  ["10.1.2.3", "10.1.2.4", "10.2.0.1", "11.0.0.1", "2001:db8::1", "::1"].flatMap((address) =>
    [NOW, "2031-06-01T00:00:00Z", "2033-01-01T00:00:00Z"].map((time) => ({ ...place, address, time })),
  ),
);

function expectNoMore(made: TokenDoc, asker: TokenDoc): void {
  for (const at of situations)
    for (const group of groups)
      if (mayAsk(made, group, at))
        expect(mayAsk(asker, group, at), `${group} ${JSON.stringify(at)}`).toBe(true);
}

/** A policy as it is sent: without what only the stored one has. */
const body = ({ policies, expires_on, condition }: TokenDoc) => ({
  name: "made",
  policies,
  ...(expires_on === undefined ? {} : { expires_on }),
  ...(condition ? { condition } : {}),
});

const asker = { by: "token", id: ASKER } as const;
const owner = { user: USER };
const operation = "test";

describe("whatever a token permits, who made it was permitted:", () => {
  test("a new token", () => {
    let made = 0;
    fc.assert(
      fc.property(anyPolicies, anyLimits, anyPolicies, anyLimits, (own, limits, wishes, wanted) => {
        const parent = token(own, limits);
        const state = directoryOf(parent);
        const wish = body(token(wishes, wanted));
        const command = createToken(
          { operation, owner, asker, body: wish, newId, id: newId(), hash: "1".repeat(64) },
          circumstances,
        );
        const decision = decide(state, command);
        if (!decision.ok) return;
        const [entry] = decision.results;
        if (!entry) throw new Error("Nothing was made.");
        made++;
        expectNoMore(tokenOf(entry), parent);
      }),
      { numRuns: runs(3000) },
    );
    expect(made).toBeGreaterThan(runs(300));
  });

  test("one that is changed, and one that gets a new secret", () => {
    let changed = 0;
    let rolled = 0;
    fc.assert(
      fc.property(
        anyPolicies,
        anyLimits,
        anyPolicies,
        anyPolicies,
        anyLimits,
        (own, limits, had, wishes, wanted) => {
          const parent = token(own, limits);
          const state = directoryOf(parent);
          const id = "c".repeat(32);
          state.restore(tokenKind, id, token(had, wanted) as Doc, 1);
          const update = { operation, owner, asker, body: { name: "changed", policies: wishes }, newId };
          const updated = decide(
            state,
            updateToken(id, update, () => undefined, circumstances),
          );
          if (updated.ok) {
            changed++;
            for (const entry of updated.results) expectNoMore(tokenOf(entry), parent);
          }
          const secret = { id, hash: "1".repeat(64) };
          const again = decide(
            state,
            rollToken(secret, { operation, owner, asker }, () => undefined, circumstances),
          );
          if (again.ok) {
            rolled++;
            for (const entry of again.results) expectNoMore(tokenOf(entry), parent);
          }
        },
      ),
      { numRuns: runs(3000) },
    );
    expect(changed).toBeGreaterThan(runs(100));
    expect(rolled).toBeGreaterThan(runs(100));
  });

  test("one that is made by a user's key: rights in the user's accounts, on all only for a member of all", () => {
    const memberships = fc.subarray([ONE, TWO]);
    let made = 0;
    fc.assert(
      fc.property(memberships, anyPolicies, (accounts, wishes) => {
        const state = directoryOf(token([]), accounts);
        const user = { email: "", key_hash: "", accounts };
        const wish = {
          operation,
          owner,
          asker: { by: "key", id: USER } as const,
          body: body(token(wishes)),
          newId,
        };
        const decision = decide(
          state,
          createToken({ ...wish, id: newId(), hash: "1".repeat(64) }, circumstances),
        );
        if (!decision.ok) return;
        made++;
        const [entry] = decision.results;
        const { policies } = tokenOf(entry ?? fail());
        for (const group of groups) {
          for (const account of [ONE, TWO])
            if (permits(policies, [group], account)) expect(accounts).toContain(account);
          for (const account of [LATER, undefined])
            if (permits(policies, [group], account)) expect(isMemberOfAll(state, user)).toBe(true);
          expect(permitsOnUser(policies, [group], ASKER)).toBe(false);
        }
      }),
      { numRuns: runs(2000) },
    );
    expect(made).toBeGreaterThan(runs(200));
  });
});

function fail(): never {
  throw new Error("Nothing was made.");
}

describe("a token of the same rights can be made", () => {
  test("of any token, as it is", () => {
    fc.assert(
      fc.property(anyPolicies, anyLimits, (own, limits) => {
        const parent = token(own, limits);
        expect(isStronger(parent, powersOfToken(parent))).toBe(false);
      }),
      { numRuns: runs(1000) },
    );
  });

  test("with any denial more", () => {
    fc.assert(
      fc.property(anyPolicies, anyPolicies, (own, more) => {
        const denials = more.map((it): PolicyDoc => ({ ...it, effect: "deny" }));
        expect(isStronger(token([...own, ...denials]), powersOfToken(token(own)))).toBe(false);
      }),
      { numRuns: runs(1000) },
    );
  });

  test("of which any part is left out, if that allows", () => {
    fc.assert(
      fc.property(anyPolicies, fc.nat(), (own, at) => {
        const left = own.filter((it, index) => it.effect === "deny" || index % 4 !== at % 4);
        expect(isStronger(token(left), powersOfToken(token(own)))).toBe(false);
      }),
      { numRuns: runs(1000) },
    );
  });
});

test("a token is stronger exactly if there is something that it permits and the asker's does not", () => {
  const places = [`account.${ONE}`, `account.${TWO}`, "account.*"];
  const subsets = [1, 2, 3, 4, 5, 6, 7].map((bits) => places.filter((_, at) => bits & (1 << at)));
  const single = (["allow", "deny"] as const).flatMap((what) =>
    subsets.map((resources) => policy(what, resources, ["magicWanWrite"])),
  );
  // All there are of at most two policies on one right: chance hardly ever meets two that differ in a denial alone.
  const lists = [
    [],
    ...single.map((one) => [one]),
    ...single.flatMap((one) => single.map((two) => [one, two])),
  ];
  const permitted = (policies: readonly PolicyDoc[]) =>
    [ONE, TWO, LATER, undefined].map((account) => permits(policies, ["magicWanWrite"], account));
  const all = lists.map((list) => ({
    permits: permitted(list),
    made: token(list),
    powers: powersOfToken(token(list)),
  }));
  const wrong: unknown[] = [];
  for (const own of all) {
    for (const wish of all) {
      const exceeds = wish.permits.some((may, at) => may && !own.permits[at]);
      if (isStronger(wish.made, own.powers) !== exceeds) wrong.push([own.made.policies, wish.made.policies]);
    }
  }
  expect(all.length).toBe(211);
  expect(wrong).toEqual([]);
});

test("rights are told as requests are judged", () => {
  fc.assert(
    fc.property(anyPolicies, (policies) => {
      const powers = powersOfToken(token(policies));
      for (const group of groups) {
        const { id } = permissionGroups[group];
        for (const account of [ONE, TWO, LATER])
          expect(powers.permits(id, `com.cloudflare.api.account.${account}`)).toBe(
            permits(policies, [group], account),
          );
        expect(powers.permits(id, EVERY_ACCOUNT)).toBe(permits(policies, [group], undefined));
        expect(powers.permits(id, `com.cloudflare.api.user.${USER}`)).toBe(
          permitsOnUser(policies, [group], USER),
        );
      }
    }),
    { numRuns: runs(2000) },
  );
});

test("policies without an account give nothing on it, and elsewhere what they gave", () => {
  fc.assert(
    fc.property(anyPolicies, (policies) => {
      const left = withoutAccount(policies, ONE, newId);
      for (const group of groups) {
        expect(permits(left, [group], ONE)).toBe(false);
        for (const account of [TWO, LATER])
          expect(permits(left, [group], account)).toBe(permits(policies, [group], account));
        expect(permitsOnUser(left, [group], USER)).toBe(permitsOnUser(policies, [group], USER));
        expect(permits(left, [group], undefined)).toBe(false);
      }
      expect(withoutAccount(left, ONE, newId)).toEqual(left);
    }),
    { numRuns: runs(1000) },
  );
});

test("who was deleted or disabled by a change on its way has no powers any more", () => {
  const state = directoryOf(token([policy("allow", ["account.*"], onAccounts)]), [ONE]);
  expect(powersOf(state, asker)).toBeDefined();
  expect(powersOf(state, { by: "key", id: USER })).toBeDefined();
  expect(powersOf(state, { by: "key", id: ASKER })).toBeUndefined();
  const slot = state.newest(tokenKind.name, ASKER);
  if (!slot?.entry) throw new Error("There is no asker.");
  state.apply([{ slot, kind: tokenKind, before: slot.entry, after: undefined }]);
  expect(powersOf(state, asker)).toBeUndefined();
  const wish = {
    operation,
    owner,
    asker,
    body: { name: "late", policies: [] },
    newId,
    id: newId(),
    hash: "1".repeat(64),
  };
  expect(decide(state, createToken(wish, circumstances))).toMatchObject({
    ok: false,
    problems: [{ name: "invalid_access_token" }],
  });
});
