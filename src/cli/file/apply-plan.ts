/** From a plan to the change: shown, guarded, asked about, made in one call and followed to its end. */

import { type Reply, ServerRefusal } from "../api.ts";
import { CommandFailure } from "../failure.ts";
import { asJson, count } from "../printable.ts";
import type { Session } from "../run.ts";
import { type Common, canAsk, confirmed } from "../terminal.ts";
import { type Binding, readAccount, sameBinding } from "./account.ts";
import { readConfirmWithin } from "./confirm-within.ts";
import { sendPlan } from "./dry-run.ts";
import { guardsOf, judgeGuards } from "./guards.ts";
import type { Plan } from "./plan.ts";
import { type Destination, planJson, planText } from "./show-plan.ts";

export interface ApplyOptions extends Common {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly reason?: string;
  /** `30s`, `5m`, `2h`. */
  readonly confirmWithin?: string;
  /** Where to keep the inverse. */
  readonly undo?: string;
}

/** A plan that the server would take, and what it was made on. */
export interface ReadyPlan {
  readonly plan: Plan;
  readonly binding: Binding;
  readonly etag: string | undefined;
  readonly at: Destination;
  /** The command that tells, after all went wrong, what is still to do. */
  readonly again: string;
}

/** Reads what an option says before anything is asked of a server. */
export function judgeOptions({ confirmWithin, reason }: ApplyOptions): void {
  readConfirmWithin(confirmWithin);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (reason !== undefined && /[\u0000-\u001f\u007f]/.test(reason)) {
    throw new CommandFailure("A reason is one line of text.");
  }
}

export async function applyPlan(session: Session, ready: ReadyPlan, options: ApplyOptions): Promise<number> {
  const { plan, at, binding } = ready;
  const guards = guardsOf(plan);
  if (!options.json) session.print(planText(plan, options.force ? [] : guards, session.colors));
  if (plan.steps.length === 0) {
    if (options.json) session.print(asJson({ ...planJson(plan, guards, at), applied: false }));
    return 0;
  }
  judgeGuards(guards, options.force);
  const seconds = readConfirmWithin(options.confirmWithin);
  const patchbay = "epoch" in binding;
  const timed = !patchbay && seconds !== undefined;
  if (timed) judgeTimer(session, options);
  if (!patchbay && options.reason !== undefined)
    session.note("This server keeps no reasons: it is not sent.");
  const undoFile = options.undo ?? (timed ? `patchbay-undo-${stamp(new Date())}.plan` : undefined);
  const client = undoFile === undefined ? undefined : await import("./client-timer.ts");
  const undo = undoFile === undefined ? undefined : client?.keepUndo(undoFile, plan, at);
  if (undo && client) {
    session.tell(
      timed ? client.timerWarning(undo, options.confirmWithin ?? "") : `The undo is in ${undo.file}.`,
    );
  }
  if (
    !options.yes &&
    !(await confirmed(session.terminal, `Apply this to account ${at.account} at ${at.server}?`))
  ) {
    session.tell("Nothing was changed.");
    return 1;
  }
  const reply = await send(session, ready, options, seconds);
  const left = undo ? `\nTo undo it: patchbay apply ${undo.file}` : "";
  session.ifInterrupted(`The change is made.${left}`);
  const revision = numberIn(reply.headers.get("x-patchbay-revision"));
  const confirmBy = reply.headers.get("x-patchbay-confirm-by") ?? undefined;
  if (options.json) {
    session.print(
      asJson({
        ...planJson(plan, guards, at),
        applied: true,
        revision: revision ?? null,
        confirm_by: confirmBy ?? null,
      }),
    );
    return 0;
  }
  session.print(
    `Applied: ${count(plan.steps.length, "interconnect")} changed${revision === undefined ? "" : `, revision ${revision}`}.`,
  );
  if (timed && undo && client) return client.waitForConfirmation(session, undo, seconds);
  if (!patchbay || seconds === undefined) return 0;
  if (revision === undefined || confirmBy === undefined) {
    throw new CommandFailure(
      "The server made the change and waits for no confirmation: it will not undo it.",
      {
        advice: "It is too old for --confirm-within. patchbay history shows the change.",
      },
    );
  }
  if (!canAsk(session.terminal)) {
    session.tell(`It is undone at ${confirmBy} unless you confirm it: patchbay confirm ${revision}`);
    return 0;
  }
  const { follow } = await import("./follow.ts");
  return follow(session, { revision, epoch: binding.epoch, confirmBy, within: seconds });
}

/** The timer of this process needs somebody who can confirm to it. */
function judgeTimer(session: Session, { json }: ApplyOptions): void {
  if (canAsk(session.terminal) && json !== true) return;
  throw new CommandFailure(
    "--confirm-within needs a terminal here: this server cannot undo by itself, and nobody could confirm to this process.",
    { advice: "Give --undo FILE instead, test, and undo with patchbay apply FILE if the test fails." },
  );
}

/** One call: all of it or nothing. Throws where it was not made, or where that is not known. */
async function send(
  session: Session,
  { plan, binding, etag, again }: ReadyPlan,
  { reason }: ApplyOptions,
  seconds: number | undefined,
): Promise<Reply> {
  const { api } = session;
  const patchbay = "epoch" in binding;
  // Without conditional requests, a last look is what can be done: what moves after it is not seen.
  if (!patchbay && !sameBinding(binding, (await readAccount(api)).binding)) throw moved(again);
  session.ifInterrupted(unknown(again));
  const own = {
    ...(etag === undefined ? {} : { "if-match": etag }),
    ...(reason === undefined ? {} : { "x-patchbay-reason": Buffer.from(reason).toString("latin1") }),
    ...(seconds === undefined ? {} : { "x-patchbay-confirm-within": String(seconds) }),
  };
  try {
    return await sendPlan(api, plan, { headers: patchbay ? own : {} });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    if (error instanceof ServerRefusal && error.status === 412) throw moved(again);
    if (error instanceof ServerRefusal && error.status < 500) throw error;
    throw new CommandFailure(error.message, { problems: error.problems, advice: unknown(again) });
  }
}

function moved(again: string): CommandFailure {
  return new CommandFailure(
    "Interconnects were changed by somebody else in the meantime. Nothing was changed by this.",
    {
      advice: `Look at what is to change now: ${again}`,
    },
  );
}

function unknown(again: string): string {
  return `Whether the change was made is not known: all of it was, or nothing. This tells: ${again}`;
}

/** For names of files, in UTC: `20260131T120000Z`. */
function stamp(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+/g, "");
}

function numberIn(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
