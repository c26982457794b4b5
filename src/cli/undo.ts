/** `patchbay revert` and `patchbay restore`: what was there comes back, as one more change. */

import { printable } from "../contract/printable.ts";
import { type Api, type Reply, ServerRefusal } from "./api.ts";
import { commandLine } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { readConfirmWithin, readRevertOn, UNWATCHED, waitHeaders } from "./file/confirm-within.ts";
import { readRevision } from "./log/numbers.ts";
import { requirePatchbay } from "./log/pages.ts";
import { type ChangeRecord, type ObjectChange, PENDING, readRecord } from "./log/records.ts";
import { tellChanges } from "./log/tell.ts";
import { asJson, count } from "./printable.ts";
import { reasonHeader } from "./reason.ts";
import { type CommandProcess, type Environment, runCommand, type Session } from "./run.ts";
import { type Common, confirmed } from "./terminal.ts";

export interface UndoOptions extends Common {
  readonly yes?: boolean;
  readonly reason?: string;
  readonly confirmWithin?: string;
  /** `down` or `degraded`. */
  readonly revertOn?: string;
  /** Shows what would be done, and does nothing. */
  readonly dryRun?: boolean;
}

/** What is asked of the server. */
interface Undo {
  readonly command: "revert" | "restore";
  readonly revision: number;
  readonly path: string;
  readonly body?: unknown;
}

/** The code of a server's remark on what it would not take as new. */
const REMARK = 990902;

export function revert(
  text: string,
  options: UndoOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, (session) => {
    const revision = readRevision(text);
    return undo(session, options, { command: "revert", revision, path: `/changes/${revision}/revert` });
  });
}

export function restore(
  text: string,
  options: UndoOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, (session) => {
    const revision = readRevision(text);
    const body = { to_revision: revision };
    return undo(session, options, { command: "restore", revision, path: "/restore", body });
  });
}

async function undo(session: Session, options: UndoOptions, asked: Undo): Promise<number> {
  const { api } = session;
  const headers = headersOf(options);
  await requirePatchbay(
    api,
    `patchbay ${asked.command}`,
    "At Cloudflare take the file as it was before out of your version control, and patchbay apply it.",
  );
  const planned = await plan(api, asked);
  if (planned.record === undefined || options.dryRun) {
    tellResult(session, options, asked, planned, false);
    return 0;
  }
  if (!options.json) session.print(tellChanges(planned.objects, session.colors));
  tellRemarks(session, planned);
  const question = `${asked.command === "revert" ? `Undo change ${asked.revision}` : `Go back to revision ${asked.revision}`}: ${count(planned.objects.length, "object")} will change.`;
  if (!options.yes && !(await confirmed(session.terminal, question))) {
    session.tell("Nothing was changed.");
    return 1;
  }
  session.ifInterrupted(
    `Interrupted: whether it was done is not known here. ${commandLine(options, "history", "--limit", "3")} tells.`,
  );
  tellResult(session, options, asked, await make(session, options, asked, planned, headers), true);
  return 0;
}

/** How often an undo is bound anew to an account that others change. */
const MOST_TRIES = 10;

/** Makes what was shown, or nothing: if others changed the account, only where that changes nothing about it. */
async function make(
  session: Session,
  options: UndoOptions,
  asked: Undo,
  shown: Outcome,
  headers: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const { api } = session;
  let planned = shown;
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const condition = planned.etag === null ? {} : { "if-match": planned.etag };
    try {
      return await send(api, asked, "", { ...headers, ...condition });
    } catch (error) {
      if (!(error instanceof ServerRefusal) || error.status !== 412) throw error;
    }
    planned = await plan(api, asked);
    if (planned.record === undefined) {
      throw new CommandFailure(
        "Nothing is left to undo: somebody did it in the meantime, or this did and its answer was lost.",
        { advice: `${commandLine(options, "history", "--limit", "3")} tells.` },
      );
    }
    if (JSON.stringify(planned.objects) !== JSON.stringify(shown.objects)) break;
  }
  throw new CommandFailure(
    "The account was changed by somebody else in the meantime. Nothing was changed by this.",
    {
      advice: `Look at what would be done now: ${commandLine(options, asked.command, String(asked.revision), "--dry-run")}`,
    },
  );
}

function plan(api: Api, asked: Undo): Promise<Outcome> {
  return send(api, asked, "?validate_only=true", {});
}

interface Outcome {
  readonly record: ChangeRecord | undefined;
  readonly result: unknown;
  readonly objects: readonly ObjectChange[];
  readonly remarks: readonly string[];
  /** Said where health decides nothing about it. */
  readonly unwatched: string | undefined;
  readonly confirmBy: string | null;
  /** Of the account: what was only judged was judged on it. */
  readonly etag: string | null;
}

async function send(
  api: Api,
  { path, body }: Undo,
  query: string,
  headers: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const reply: Reply = await api.own("POST", path + query, {
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const record = reply.result === null ? undefined : readRecord(reply.result);
  return {
    record,
    result: reply.result,
    objects: record?.objects.filter(({ kind }) => kind !== PENDING) ?? [],
    remarks: reply.messages.flatMap(({ code, message }) => (code === REMARK ? [message] : [])),
    unwatched: reply.messages.find(({ code }) => code === UNWATCHED)?.message,
    confirmBy: reply.headers.get("x-patchbay-confirm-by"),
    etag: reply.headers.get("etag"),
  };
}

function headersOf({ reason, confirmWithin, revertOn }: UndoOptions): Readonly<Record<string, string>> {
  const seconds = readConfirmWithin(confirmWithin);
  return { ...reasonHeader(reason), ...waitHeaders(seconds, readRevertOn(revertOn, confirmWithin)) };
}

function tellRemarks(session: Session, { remarks }: Pick<Outcome, "remarks">): void {
  for (const remark of remarks) session.tell(session.errorColors.yellow(printable(remark)));
}

function tellResult(
  session: Session,
  options: UndoOptions,
  { command, revision }: Undo,
  { record, result, objects, remarks, unwatched, confirmBy }: Outcome,
  made: boolean,
): void {
  if (options.json) {
    const by = confirmBy === null ? {} : { confirm_by: confirmBy };
    session.print(
      asJson({ success: true, made: made && record !== undefined, change: result, remarks, ...by }),
    );
    return;
  }
  if (!record) {
    session.note(
      command === "revert"
        ? `There is nothing to change: of change ${revision} nothing is left to undo.`
        : `There is nothing to change: the account is as it was at revision ${revision}.`,
    );
    return;
  }
  if (!made) {
    session.print(tellChanges(objects, session.colors));
    tellRemarks(session, { remarks });
    return;
  }
  const what =
    command === "revert" ? `Change ${revision} is undone` : `The account is as it was at ${revision}`;
  session.note(`${what}, by change ${record.revision}.`);
  if (unwatched !== undefined) tellRemarks(session, { remarks: [unwatched] });
  if (confirmBy !== null)
    session.note(
      `It is undone itself unless confirmed by ${confirmBy}: ${commandLine(options, "confirm", String(record.revision))}`,
    );
}
