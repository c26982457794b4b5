/** Tokens of a user, of an account, and those that are the operator's: the same operations on each. */

import {
  belongsTo,
  createToken,
  deleteToken,
  rollToken,
  tokensOf,
  tokenView,
  updateToken,
} from "../../../account/directory/token.ts";
import { type Owner, tokenKind, tokenOf, tokenStatus } from "../../../account/directory.ts";
import type { OperationName } from "../../../contract/operations.ts";
import { hashSecret, type SecretPrefix } from "../../../store/secrets.ts";
import { askerOf } from "../../auth.ts";
import type { Handler, Routes, ServerCall } from "../../call.ts";
import { etag } from "../../conditional.ts";
import type { AppContext } from "../../context.ts";
import { type Answer, succeed } from "../../envelope.ts";
import { readBody, readFlag, readNoBody } from "../../read-request.ts";
import { refuse } from "../../refusal.ts";
import { circumstances, granted, judgeWriting } from "../../writing.ts";
import { answerPage } from "./paging.ts";

type Action = "list" | "create" | "get" | "update" | "remove" | "roll";

/** A handler that is told whose tokens the call is about. */
type OwnedHandler = (call: ServerCall, owner: Owner | undefined) => ReturnType<Handler<ServerCall>>;

/** The tokens of one kind of owner. */
interface Family {
  readonly names: Readonly<Record<Action, OperationName>>;
  readonly prefix: SecretPrefix;
  readonly add: (name: OperationName, handler: OwnedHandler) => void;
}

export function addTokenRoutes(routes: Routes, context: AppContext): void {
  addFamily(context, {
    names: namesOf("User"),
    prefix: "cfut_",
    add: (name, handler) => routes.user(name, (call) => handler(call, { user: call.user.id })),
  });
  addFamily(context, {
    names: namesOf("Account"),
    prefix: "cfat_",
    add: (name, handler) => routes.account(name, (call) => handler(call, { account: call.account.state.id })),
  });
  addFamily(context, {
    names: namesOf("Operator"),
    prefix: "cfat_",
    add: (name, handler) => routes.server(name, (call) => handler(call, undefined)),
  });
}

function namesOf<Of extends "User" | "Account" | "Operator">(of: Of) {
  return {
    list: `list${of}Tokens`,
    create: `create${of}Token`,
    get: `get${of}Token`,
    update: `update${of}Token`,
    remove: `delete${of}Token`,
    roll: `roll${of}Token`,
  } as const;
}

function addFamily({ accounts, clock, newId, newSecret }: AppContext, { names, prefix, add }: Family): void {
  const tagOf = (revision: number) => ({ etag: etag(accounts.directory.state.epoch, revision) });

  add(names.list, ({ query }, owner) => {
    const now = clock.now();
    const all = tokensOf(accounts.directory.state, owner);
    const shown = readFlag(query, "include_expired")
      ? all
      : all.filter((entry) => tokenStatus(tokenOf(entry), now) !== "expired");
    return answerPage(query, shown, (entry) => tokenView(entry, now));
  });

  add(names.get, (call, owner) => {
    const id = idOf(call);
    const entry = accounts.directory.state.get(tokenKind.name, id);
    if (!entry || !belongsTo(tokenOf(entry), owner)) throw refuse("token_not_found", { id });
    // Without a condition to be judged: its status changes with the time, not with a revision.
    return { status: 200, body: succeed(tokenView(entry, clock.now())), headers: tagOf(entry.revision) };
  });

  add(names.create, async (call, owner) => {
    const value = newSecret(prefix);
    const secret = { id: newId(), hash: hashSecret(value) };
    const body = await readBody(call.request);
    const wanted = { ...secret, operation: names.create, owner, asker: askerOf(call.principal), body, newId };
    const command = createToken(wanted, circumstances(call, clock));
    const { results } = granted(await accounts.directory.submit(command));
    const [entry] = results;
    if (!entry) throw new Error("An accepted token has no result.");
    const result = { ...tokenView(entry, clock.now()), value };
    return { status: 200, body: succeed(result), headers: tagOf(entry.revision) };
  });

  add(names.update, async (call, owner): Promise<Answer> => {
    const condition = judgeWriting(call, tokenKind.name);
    const body = await readBody(call.request);
    const wanted = { operation: names.update, owner, asker: askerOf(call.principal), body, newId };
    const command = updateToken(idOf(call), wanted, condition, circumstances(call, clock));
    const { results } = granted(await accounts.directory.submit(command));
    const [entry] = results;
    if (!entry) throw new Error("An accepted update has no result.");
    return { status: 200, body: succeed(tokenView(entry, clock.now())), headers: tagOf(entry.revision) };
  });

  add(names.roll, async (call, owner): Promise<Answer> => {
    const condition = judgeWriting(call, tokenKind.name);
    await readNoBody(call.request, "roll");
    const value = newSecret(prefix);
    const secret = { id: idOf(call), hash: hashSecret(value) };
    const standing = { operation: names.roll, owner, asker: askerOf(call.principal) };
    const command = rollToken(secret, standing, condition, circumstances(call, clock));
    const { change } = granted(await accounts.directory.submit(command));
    return { status: 200, body: succeed(value), headers: tagOf(change?.record.revision ?? 0) };
  });

  add(names.remove, async (call, owner): Promise<Answer> => {
    const condition = judgeWriting(call, tokenKind.name);
    const id = idOf(call);
    const standing = { operation: names.remove, owner, asker: askerOf(call.principal) };
    const command = deleteToken(id, standing, condition, circumstances(call, clock));
    granted(await accounts.directory.submit(command));
    return { status: 200, body: succeed({ id }) };
  });
}

function idOf({ params }: ServerCall): string {
  return params["token_id"] ?? "";
}
