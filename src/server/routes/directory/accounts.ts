/** Accounts: what their members see of them, and how they are administered. */

import { accountView, createAccount, updateAccount } from "../../../account/directory/account.ts";
import { isMember } from "../../../account/directory/membership.ts";
import { accountKind, accountOf, seesAccount } from "../../../account/directory.ts";
import type { Entry } from "../../../account/state.ts";
import { type Principal, userIdOf } from "../../auth.ts";
import type { Call, Routes } from "../../call.ts";
import { etag, judgeReading } from "../../conditional.ts";
import type { AppContext } from "../../context.ts";
import { type Answer, succeed } from "../../envelope.ts";
import { readBody } from "../../read-request.ts";
import { refuse } from "../../refusal.ts";
import { circumstances, granted, judgeWriting } from "../../writing.ts";
import { answerPage } from "./paging.ts";

const kind = accountKind.name;

export function addAccountRoutes(routes: Routes, context: AppContext): void {
  const { accounts, clock, newId, newEpoch } = context;
  const tagOf = ({ revision }: Entry) => etag(accounts.directory.state.epoch, revision);

  routes.holder("listAccounts", ({ principal, query }) => {
    if (principal.by === "token" && principal.token.owner && "account" in principal.token.owner)
      throw refuse("no_account_list");
    const seen = named(query).filter(({ id }) => isSeen(principal, id));
    return answerPage(query, seen, accountView);
  });

  routes.server("listAllAccounts", ({ query }) => answerPage(query, named(query), accountView));

  for (const name of ["getAccount", "showAccount"] as const) {
    routes.account(name, (call) => {
      const entry = entryOf(call);
      const tag = tagOf(entry);
      const unchanged = judgeReading(call.request.headers, tag);
      return unchanged ?? { status: 200, body: succeed(accountView(entry)), headers: { etag: tag } };
    });
  }

  for (const name of ["updateAccount", "changeAccount"] as const) {
    routes.account(name, async (call) => {
      const condition = judgeWriting(call, kind);
      const body = await readBody(call.request);
      const command = updateAccount(name, call.account.state.id, body, condition, circumstances(call, clock));
      return written(granted(await accounts.directory.submit(command)).results);
    });
  }

  routes.server("createAccount", async (call) => {
    const body = await readBody(call.request);
    const id = idIn(body) ?? newId();
    const command = createAccount(body, () => id, userIdOf(call.principal), circumstances(call, clock));
    const { results } = granted(await accounts.create(id, newEpoch(), command));
    return written(results);
  });

  /** Accounts of the name that the query asks for, or all, by name. */
  function named({ name }: Readonly<Record<string, string>>): Entry[] {
    const all = accounts.directory.state
      .list(kind)
      .filter((entry) => name === undefined || accountOf(entry).name === name);
    return all.sort(
      (one, other) => compare(accountOf(one).name, accountOf(other).name) || compare(one.id, other.id),
    );
  }

  function entryOf(call: Call): Entry {
    const entry = accounts.directory.state.get(kind, call.account.state.id);
    if (!entry) throw refuse("not_routable", { path: call.request.url });
    return entry;
  }

  function written([entry]: readonly Entry[]): Answer {
    if (!entry) throw new Error("An accepted change of an account has no result.");
    return { status: 200, body: succeed(accountView(entry)), headers: { etag: tagOf(entry) } };
  }
}

/** Texts by the numbers of their letters. */
export function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Has the principal any right in the account? */
export function isSeen(principal: Principal, account: string): boolean {
  return principal.by === "key"
    ? isMember(principal.user.accounts, account)
    : seesAccount(principal.token.policies, account);
}

/** The identifier that a body asks for. Whether it can have it is for the decision to say. */
function idIn(body: unknown): string | undefined {
  const id: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "id") : undefined;
  return typeof id === "string" ? id : undefined;
}
