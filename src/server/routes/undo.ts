/** Undoing changes, and confirming those that wait for it. */

import { type ChangeRecord, maskRecord } from "../../account/change.ts";
import { confirmChange, extendChange } from "../../account/confirming.ts";
import type { Circumstances, Command } from "../../account/decide.ts";
import { kinds } from "../../account/kinds.ts";
import { durablePending } from "../../account/pending.ts";
import { restoreAccount, revertChange, type Undoing } from "../../account/undo.ts";
import { Checker } from "../../contract/check.ts";
import type { ResponseInfo } from "../../contract/envelope.ts";
import { Problems } from "../../contract/errors.ts";
import { operationNamed } from "../../contract/operations.ts";
import { accepted } from "../../contract/permissions.ts";
import { Extension, Restoration } from "../../contract/undo.ts";
import { isSliceSpent, nextSlice } from "../../store/time-slice.ts";
import { authorize } from "../auth.ts";
import type { Call, Routes } from "../call.ts";
import { etag, readPrecondition } from "../conditional.ts";
import type { AppContext } from "../context.ts";
import { type Answer, wrap } from "../envelope.ts";
import { changeOf } from "../log-stretch.ts";
import { readBody, readNoBody } from "../read-request.ts";
import { Refusal, refuse } from "../refusal.ts";
import type { ReadLog } from "../rollbacks.ts";
import { CONFIRM_WITHIN, deadline } from "../submitting.ts";
import { circumstances, granted, isDry, messagesOf } from "../writing.ts";

const restoration = new Checker(Restoration, undefined, "Restoration");
const extension = new Checker(Extension, undefined, "Extension");

export function addUndoRoutes(routes: Routes, { accounts, store, clock, rollbacks }: AppContext): void {
  routes.account("revertChange", async (call) => {
    await readNoBody(call.request, "an undo");
    const revision = revisionOf(call);
    if (call.request.headers[CONFIRM_WITHIN] !== undefined && isWaiting(call, revision)) {
      const why = "it undoes the change that waits";
      throw refuse("not_confirmable", { operation: "revertChange", why });
    }
    const about = circumstances(call, clock);
    const condition = conditionOf(call);
    return undo(call, about, async (log) => {
      const fold = await log.reverting(call.account.state, revision);
      const operation = fold.record?.operation ?? "";
      if (operation === "seed") throw refuse("undo_of_beginning", { revision });
      permit(call, [{ operation }]);
      return revertChange(fold, about, condition);
    });
  });

  routes.account("restoreAccount", async (call) => {
    const { to_revision: to } = read(restoration, await readBody(call.request));
    const about = circumstances(call, clock);
    const condition = conditionOf(call);
    return undo(call, about, async (log) => {
      const fold = await log.restoring(call.account.state, to);
      permit(
        call,
        [...fold.operations].map((operation) => ({ operation })),
      );
      return restoreAccount(fold, about, condition);
    });
  });

  routes.account("confirmChange", async (call) => {
    await readNoBody(call.request, "a confirmation");
    const revision = revisionOf(call);
    await permitWaiting(call, revision);
    return settled(call, confirmChange(revision, circumstances(call, clock)));
  });

  routes.account("extendChange", async (call) => {
    const { confirm_within } = read(extension, await readBody(call.request));
    const revision = revisionOf(call);
    await permitWaiting(call, revision);
    return settled(call, extendChange(revision, deadline(confirm_within, clock), circumstances(call, clock)));
  });

  /** Makes an undo ready, and again if the account has moved on before it was decided. */
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
    return { status: 200, body: wrap(await told(change?.record), messages), headers };
  }

  /** Throws unless the principal may do what these changes did, or administers the account. */
  function permit({ principal, account }: Call, changes: readonly Pick<ChangeRecord, "operation">[]): void {
    const { state: directory } = accounts.directory;
    for (const name of new Set(changes.map(({ operation }) => operation))) {
      const needed = operationNamed(name)?.groups ?? [];
      // What undid other changes tells nothing of what those took.
      const groups = name === "revertChange" || name === "restoreAccount" ? [] : needed;
      authorize(principal, [...groups, ...accepted.administer], account.state.id, directory);
    }
  }

  async function permitWaiting(call: Call, revision: number): Promise<void> {
    const record = await changeOf(store, call.account.state, revision);
    if (isWaiting(call, revision)) permit(call, [record]);
  }
}

/** The condition of the request, on the account as a whole. */
function conditionOf({ request }: Call): Pick<Command, "condition"> {
  const precondition = readPrecondition(request.headers, false);
  if (!precondition) return {};
  return {
    condition: ({ epoch, revision }) => {
      const verdict = precondition(etag(epoch, revision));
      return verdict === "not-modified" ? undefined : verdict;
    },
  };
}

function isWaiting({ account }: Call, revision: number): boolean {
  return durablePending(account.state)?.revision === revision;
}

async function settled(call: Call, command: Parameters<Call["submit"]>[0]): Promise<Answer> {
  const { change } = granted(await call.submit(command));
  return { status: 200, body: wrap(await told(change?.record)) };
}

/** A record as the answer shows it. Encoded in slices: there may be ten thousand objects. */
async function told(record: ChangeRecord | undefined): Promise<string> {
  if (!record) return "null";
  const { objects, ...head } = record;
  const shown: string[] = [];
  for (const change of objects) {
    shown.push(
      ...maskRecord({ ...record, objects: [change] }, kinds).objects.map((one) => JSON.stringify(one)),
    );
    if (isSliceSpent()) await nextSlice();
  }
  return `${JSON.stringify(head).slice(0, -1)},"objects":[${shown.join(",")}]}`;
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
