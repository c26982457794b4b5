/** Undoing changes, and confirming those that wait for it. */

import { confirmChange, extendChange } from "../../account/confirming.ts";
import type { Circumstances, Command } from "../../account/decide.ts";
import { pendingOf } from "../../account/pending.ts";
import { restoreAccount, revertChange, type Undoing } from "../../account/undo.ts";
import { Checker } from "../../contract/check.ts";
import type { ResponseInfo } from "../../contract/envelope.ts";
import { Problems, problem } from "../../contract/errors.ts";
import { operationNamed } from "../../contract/operations.ts";
import { accepted } from "../../contract/permissions.ts";
import { Extension, Restoration } from "../../contract/undo.ts";
import { authorize } from "../auth.ts";
import type { Call, Routes } from "../call.ts";
import { etag, readPrecondition } from "../conditional.ts";
import type { AppContext } from "../context.ts";
import type { Answer } from "../envelope.ts";
import { encodeRecord } from "../log-pages.ts";
import { changeOf } from "../log-records.ts";
import { readBody, readNoBody } from "../read-request.ts";
import { Refusal, refuse } from "../refusal.ts";
import type { ReadLog } from "../rollbacks.ts";
import { deadline } from "../submitting.ts";
import { circumstances, granted, isDry, messagesOf } from "../writing.ts";

const restoration = new Checker(Restoration, undefined, "Restoration");
const extension = new Checker(Extension, undefined, "Extension");

export function addUndoRoutes(
  routes: Routes,
  { accounts, store, logReads, clock, rollbacks }: AppContext,
): void {
  routes.account("revertChange", async (call) => {
    await readNoBody(call.request, "an undo");
    const revision = revisionOf(call);
    const about = circumstances(call, clock);
    const condition = allOf(conditionOf(call), (state) => {
      if (about.confirmBy === undefined || pendingOf(state)?.revision !== revision) return undefined;
      return problem("not_confirmable", {
        operation: "revertChange",
        why: "it undoes the change that waits",
      });
    });
    return undo(call, about, async (log) => {
      const fold = await log.reverting(call.account, revision);
      const operation = fold.record?.operation ?? "";
      if (operation === "seed") throw refuse("undo_of_beginning", { revision });
      permit(call, [operation]);
      return revertChange(fold, about, condition);
    });
  });

  routes.account("restoreAccount", async (call) => {
    const { to_revision: to } = read(restoration, await readBody(call.request));
    const about = circumstances(call, clock);
    const condition = allOf(conditionOf(call));
    return undo(call, about, async (log) => {
      const fold = await log.restoring(call.account, to);
      permit(call, fold.operations);
      return restoreAccount(fold, about, condition);
    });
  });

  routes.account("confirmChange", async (call) => {
    await readNoBody(call.request, "a confirmation");
    const revision = revisionOf(call);
    const condition = await mayPermit(call, revision);
    return settled(call, confirmChange(revision, circumstances(call, clock)), condition);
  });

  routes.account("extendChange", async (call) => {
    const { confirm_within } = read(extension, await readBody(call.request));
    const revision = revisionOf(call);
    const condition = await mayPermit(call, revision);
    const command = extendChange(revision, deadline(confirm_within, clock), circumstances(call, clock));
    return settled(call, command, condition);
  });

  /** Prepares a rollback and submits it, and again if the account has changed before it was decided. */
  async function undo(
    call: Call,
    about: Circumstances,
    prepare: (log: ReadLog) => Promise<Undoing>,
  ): Promise<Answer> {
    const dry = isDry(call);
    const { change, remarks } = await rollbacks.forRequest(async (log) => {
      const { command, remarks } = await prepare(log);
      return { change: granted(await call.submit(command, dry)).change, remarks };
    });
    const messages: ResponseInfo[] = messagesOf(call, dry);
    if (!change) messages.push({ code: 990901, message: "There was nothing to change." });
    if (about.confirmBy === undefined || change)
      messages.push(...remarks.map((message) => ({ code: 990902, message })));
    // Of what was only judged, the version that it was judged on: whoever makes it then can say so.
    const tag = change && etag(call.account.state.epoch, change.record.revision - (dry ? 1 : 0));
    const headers = tag === undefined ? {} : { etag: tag };
    return { status: 200, body: await encodeRecord(change?.record, messages), headers };
  }

  /** Throws unless the principal may do what these changes did, or administers the account. */
  function permit({ principal, account }: Call, operations: Iterable<string>): void {
    const { state: directory } = accounts.directory;
    for (const name of operations) {
      const needed = operationNamed(name)?.groups ?? [];
      // What undid other changes tells nothing of what those took.
      const groups = name === "revertChange" || name === "restoreAccount" ? [] : needed;
      authorize(principal, [...groups, ...accepted.administer], account.state.id, directory);
    }
  }

  /**
   * Whether the principal may do what a change did, as a condition on the state that decides: memory may be behind it, so
   * only there is it known whether that change awaits confirmation.
   */
  async function mayPermit(call: Call, revision: number): Promise<Condition> {
    const { epoch } = call.account.state;
    const { id } = call.account.state;
    const { operation } = await logReads.run(id, revision - 1, 1, () =>
      changeOf(store, call.account.state, revision),
    );
    return (state) => {
      if (state.epoch !== epoch) return problem("nothing_pending", { revision });
      if (pendingOf(state)?.revision === revision) permit(call, [operation]);
      return undefined;
    };
  }
}

type Condition = NonNullable<Command["condition"]>;

/** The condition of the request, on the account as a whole. */
function conditionOf({ request }: Call): Condition | undefined {
  const precondition = readPrecondition(request.headers, false);
  if (!precondition) return undefined;
  return ({ epoch, revision }) => {
    const verdict = precondition(etag(epoch, revision));
    return verdict === "not-modified" ? undefined : verdict;
  };
}

/** The first problem of several conditions. */
function allOf(...conditions: readonly (Condition | undefined)[]): Pick<Command, "condition"> {
  return {
    condition: (state) => {
      for (const condition of conditions) {
        const found = condition?.(state);
        if (found) return found;
      }
      return undefined;
    },
  };
}

async function settled(call: Call, command: Command, condition: Condition): Promise<Answer> {
  const { change } = granted(await call.submit({ ...command, ...allOf(condition, command.condition) }));
  return { status: 200, body: await encodeRecord(change?.record) };
}

function revisionOf({ params, account }: Call): number {
  const text = params["revision"] ?? "";
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw refuse("change_not_found", { revision: text, newest: account.state.durable });
  return Number(text);
}

function read<T>(
  checker: { read(value: unknown, pointer: string, problems: Problems): T | undefined },
  body: unknown,
): T {
  const problems = new Problems();
  const value = checker.read(body, "", problems);
  if (value === undefined || problems.found) throw new Refusal(problems.list());
  return value;
}
