/** Changes to users, as commands on the directory. */

import { Checker, type Exception, show } from "../../contract/check.ts";
import { MemberUpdate, NewMember, Profile, type User } from "../../contract/directory/user.ts";
import { type Problem, type Problems, problem } from "../../contract/errors.ts";
import type { Circumstances, Command, Wish } from "../decide.ts";
import { accountKind, tokenKind, tokenOf, type UserDoc, userKind, userOf } from "../directory.ts";
import type { Condition } from "../elements.ts";
import type { Doc, Entry, State } from "../state.ts";
import { accountsOf, membershipOf } from "./membership.ts";
import { withoutAccount } from "./policies.ts";
import { endSessionsOf } from "./session.ts";
import { newestTokensOf } from "./token.ts";

const KIND = userKind.name;

/** A user as the vendor shows one. What Patchbay has nothing of is told as none. */
export function userView(entry: Entry): User {
  const { email, ...user } = userOf(entry);
  return {
    id: entry.id,
    email,
    first_name: user.first_name ?? null,
    last_name: user.last_name ?? null,
    telephone: user.telephone ?? null,
    country: user.country ?? null,
    zipcode: user.zipcode ?? null,
    suspended: false,
    two_factor_authentication_enabled: false,
    two_factor_authentication_locked: false,
    has_pro_zones: false,
    has_business_zones: false,
    has_enterprise_zones: false,
    betas: [],
    organizations: [],
  };
}

/** A user as administrators see one. */
export function memberView(entry: Entry) {
  const { email, accounts } = userOf(entry);
  return { id: entry.id, email, accounts: accountsOf(accounts) };
}

/** What the patterns of the schemas mean. */
const explain: Exception = (path, value, problems, pointer) => {
  const field = path.slice(1);
  if (path === "/email" && typeof value === "string") {
    problems.add(
      "invalid_value",
      () => ({ field, given: show(value), expected: "an e-mail address" }),
      pointer,
    );
    return true;
  }
  if ((path === "/id" || path.startsWith("/accounts/")) && typeof value === "string") {
    const expected = "32 hexadecimal digits in lower case";
    problems.add(
      "invalid_value",
      () => ({ field: field.split("/")[0] ?? "", given: show(value), expected }),
      pointer,
    );
    return true;
  }
  const limit = Object.entries(longest).find(([name]) => name === field)?.[1];
  if (limit === undefined || value === null) return false;
  const expected = `null or a string of at most ${limit} characters`;
  problems.add("invalid_value", () => ({ field, given: show(value), expected }), pointer);
  return true;
};

const longest = { country: 30, first_name: 60, last_name: 60, telephone: 20, zipcode: 20 } as const;

const checkers = {
  create: new Checker(NewMember, explain, "User"),
  update: new Checker(MemberUpdate, explain, "User"),
  profile: new Checker(Profile, explain, "User"),
};

/** Makes a user; `key_hash` is that of the API key. */
export function createUser(
  body: unknown,
  key_hash: string,
  newId: () => string,
  circumstances: Circumstances,
): Command {
  return {
    operation: "createUser",
    circumstances,
    *propose(state, problems) {
      const wanted = checkers.create.read(body, "", problems);
      if (!wanted) return;
      const { id = newId(), email } = wanted;
      if (state.newest(KIND, id)) {
        const expected = "that of no other user";
        problems.add("invalid_value", { field: "id", given: show(id), expected }, "/id");
      }
      const accounts = judgeAccounts(wanted.accounts, [], state, problems);
      yield {
        kind: userKind,
        slot: state.slotFor(KIND, id),
        doc: { email, key_hash, accounts: membershipOf(accounts) },
        pointer: "",
      };
    },
  };
}

/** Changes a user. What the user is no longer a member of, the user's tokens give nothing on any more. */
export function updateUser(
  id: string,
  body: unknown,
  newId: () => string,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation: "changeUser",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems) {
      const update = checkers.update.read(body, "", problems);
      const slot = state.newest(KIND, id);
      if (!update || !slot?.entry) return;
      if (update.id !== undefined && update.id !== id)
        problems.add("read_only_field", { field: "id", stored: show(id) }, "/id");
      const stored = userOf(slot.entry);
      const before = accountsOf(stored.accounts);
      const wanted = new Set(judgeAccounts(update.accounts ?? before, before, state, problems));
      const { accounts: _, ...rest } = stored;
      const accounts = membershipOf([...wanted], stored.accounts);
      const doc: UserDoc = {
        ...rest,
        email: update.email ?? stored.email,
        ...(accounts && { accounts }),
      };
      yield { kind: userKind, slot, doc: doc as Doc, pointer: "" };
      const lost = before.filter((account) => !wanted.has(account));
      if (lost.length > 0) yield* takeFromTokens(state, id, lost, newId);
    },
  };
}

function* takeFromTokens(
  state: State,
  user: string,
  lost: readonly string[],
  newId: () => string,
): Iterable<Wish> {
  for (const slot of newestTokensOf(state, user)) {
    if (!slot.entry) continue;
    const token = tokenOf(slot.entry);
    const policies = lost.reduce((left, account) => withoutAccount(left, account, newId), token.policies);
    if (JSON.stringify(policies) !== JSON.stringify(token.policies))
      yield { kind: tokenKind, slot, doc: { ...token, policies } as Doc, pointer: "" };
  }
}

/** Each account once, and each one that there is. Those that are stored are not judged again. */
function judgeAccounts(
  accounts: readonly string[],
  stored: readonly string[],
  state: State,
  problems: Problems,
): readonly string[] {
  const known = new Set(stored);
  for (const [index, id] of accounts.entries()) {
    if (known.has(id) || state.newest(accountKind.name, id)) continue;
    problems.add("unknown_account", { id }, `/accounts/${index}`);
  }
  return [...new Set(accounts)];
}

/** Gives a user another API key. The one before stops at once. */
export function rollUserKey(
  id: string,
  key_hash: string,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation: "rollUserKey",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state) {
      const slot = state.newest(KIND, id);
      if (slot?.entry) yield { kind: userKind, slot, doc: { ...slot.entry.doc, key_hash }, pointer: "" };
    },
  };
}

/** Deletes a user and, in the same change, the user's tokens. */
export function deleteUser(id: string, condition: Condition, circumstances: Circumstances): Command {
  return {
    operation: "deleteUser",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state) {
      const slot = state.newest(KIND, id);
      if (!slot) return;
      yield { kind: userKind, slot, doc: undefined, pointer: "" };
      for (const token of newestTokensOf(state, id)) {
        yield { kind: tokenKind, slot: token, doc: undefined, pointer: "" };
        yield* endSessionsOf(state, token.id);
      }
    },
  };
}

/** Changes what users say of themselves; `null` and `""` clear. */
export function editProfile(
  id: string,
  body: unknown,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation: "editUser",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems) {
      const update = checkers.profile.read(body, "", problems);
      const slot = state.newest(KIND, id);
      if (!update || !slot?.entry) return;
      const doc: { -readonly [Field in keyof UserDoc]: UserDoc[Field] } = { ...userOf(slot.entry) };
      for (const field of ["country", "first_name", "last_name", "telephone", "zipcode"] as const) {
        const text = update[field];
        if (text === null || text === "") delete doc[field];
        else if (text !== undefined) doc[field] = text;
      }
      yield { kind: userKind, slot, doc: doc as Doc, pointer: "" };
    },
  };
}

function judgeOne(state: State, id: string, condition: Condition): Problem | undefined {
  const slot = state.newest(KIND, id);
  return slot ? condition(state, slot) : problem("user_not_found", { id });
}
