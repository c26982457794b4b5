/** Changes to the list of accounts, as commands on the directory. */

import { Checker, type Exception, show } from "../../contract/check.ts";
import {
  type AccountUpdate,
  AccountUpdate as AccountUpdateSchema,
  NewAccount,
} from "../../contract/directory/account.ts";
import { type Problem, type Problems, problem } from "../../contract/errors.ts";
import type { Circumstances, Command } from "../decide.ts";
import { type AccountDoc, accountKind, accountOf, userKind, userOf } from "../directory.ts";
import type { Condition } from "../elements.ts";
import type { Doc, Entry, State } from "../state.ts";
import { accountsOf, membershipOf } from "./membership.ts";

const KIND = accountKind.name;

/** An account as the vendor shows it. Nobody has to show a second factor here. */
export function accountView(entry: Entry) {
  const { name, type = "enterprise", abuse_contact_email, created_on } = accountOf(entry);
  return {
    id: entry.id,
    name,
    type,
    settings: { abuse_contact_email, enforce_twofactor: false },
    created_on,
  };
}

const explain: Exception = (path, value, problems, pointer) => {
  const expected = new Map([
    ["/id", "32 hexadecimal digits in lower case"],
    ["/settings/abuse_contact_email", 'an e-mail address, or "" for none'],
  ]).get(path);
  if (expected === undefined || typeof value !== "string") return false;
  const field = path.slice(1).replaceAll("/", ".");
  problems.add("invalid_value", () => ({ field, given: show(value), expected }), pointer);
  return true;
};

const checkers = {
  create: new Checker(NewAccount, explain, "Account"),
  update: new Checker(AccountUpdateSchema, explain, "Account"),
};

/**
 * Names an account in the directory; `newId` gives it an identifier unless the body has one. The user
 * who makes it, by key or by a token, is its first member: else whoever was a member of all would be so no more.
 */
export function createAccount(
  body: unknown,
  newId: () => string,
  maker: string | undefined,
  circumstances: Circumstances,
): Command {
  return {
    operation: "createAccount",
    circumstances,
    *propose(state, problems) {
      const wanted = checkers.create.read(body, "", problems);
      if (!wanted) return;
      const { id = newId(), ...fields } = wanted;
      if (state.newest(KIND, id)) problems.add("account_exists", { id }, "/id");
      const doc = { ...fields, created_on: circumstances.time };
      yield { kind: accountKind, slot: state.slotFor(KIND, id), doc, pointer: "" };
      const user = maker === undefined ? undefined : state.newest(userKind.name, maker);
      if (!user?.entry) return;
      const { accounts, ...rest } = userOf(user.entry);
      const member = { ...rest, accounts: membershipOf([...accountsOf(accounts), id], accounts) };
      yield { kind: userKind, slot: user, doc: member, pointer: "" };
    },
  };
}

/** Changes what the directory knows of an account. */
export function updateAccount(
  operation: "updateAccount" | "changeAccount",
  id: string,
  body: unknown,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation,
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems) {
      const update = checkers.update.read(body, "", problems);
      const slot = state.newest(KIND, id);
      if (!update || !slot?.entry) return;
      const doc = merge(id, accountOf(slot.entry), update, problems);
      yield { kind: accountKind, slot, doc: doc as Doc, pointer: "" };
    },
  };
}

function merge(id: string, stored: AccountDoc, update: AccountUpdate, problems: Problems): AccountDoc {
  const { name = stored.name, type, settings } = update;
  if (update.id !== undefined && update.id !== id)
    problems.add("read_only_field", { field: "id", stored: show(id) }, "/id");
  if (settings?.enforce_twofactor) {
    const expected = "false: nobody shows a second factor to Patchbay";
    const values = { field: "settings.enforce_twofactor", given: "true", expected };
    problems.add("invalid_value", values, "/settings/enforce_twofactor");
  }
  const { abuse_contact_email, type: before, ...rest } = stored;
  const email = settings?.abuse_contact_email ?? abuse_contact_email ?? "";
  const kind = type === (before ?? "enterprise") ? before : (type ?? before);
  return {
    ...rest,
    name,
    ...(kind ? { type: kind } : {}),
    ...(email === "" ? {} : { abuse_contact_email: email }),
  };
}

function judgeOne(state: State, id: string, condition: Condition): Problem | undefined {
  const slot = state.newest(KIND, id);
  return slot ? condition(state, slot) : problem("not_routable", { path: id });
}
