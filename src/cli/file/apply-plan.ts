/** From a plan to the change: shown, guarded, asked about, made in one call and followed to its end. */

import { printable } from "../../contract/printable.ts";
import { guardsOf } from "../../file/guards.ts";
import type { Plan } from "../../file/plan.ts";
import { type Reply, ServerRefusal } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { CommandFailure, type Told } from "../failure.ts";
import { asJson, count } from "../printable.ts";
import { reasonHeader } from "../reason.ts";
import type { Session } from "../run.ts";
import { type Common, canAsk, confirmed } from "../terminal.ts";
import { type Binding, movedWords, readAccount, sameBinding } from "./account.ts";
import { otherwise } from "./answered.ts";
import { readConfirmWithin, readRevertOn, UNWATCHED, waitHeaders } from "./confirm-within.ts";
import { sendPlan } from "./dry-run.ts";
import { judgeGuards } from "./judge-guards.ts";
import { type Destination, planJson, planText } from "./show-plan.ts";

export interface ApplyOptions extends Common {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly reason?: string;
  /** `30s`, `5m`, `2h`. */
  readonly confirmWithin?: string;
  /** `down` or `degraded`. */
  readonly revertOn?: string;
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
export function judgeOptions({ confirmWithin, revertOn, reason }: ApplyOptions): void {
  readConfirmWithin(confirmWithin);
  readRevertOn(revertOn, confirmWithin);
  reasonHeader(reason);
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
  if (!patchbay && options.revertOn !== undefined) {
    throw new CommandFailure(
      "--revert-on needs a Patchbay: this server does not undo by what edges report.",
      {
        advice:
          "Leave it out: with --confirm-within alone this process undoes the change unless you confirm it.",
      },
    );
  }
  if (timed) judgeTimer(session, options);
  if (!patchbay && options.reason !== undefined)
    session.note("This server keeps no reasons: it is not sent.");
  const undoFile = options.undo ?? (timed ? `patchbay-undo-${stamp(new Date())}.plan` : undefined);
  const client = undoFile === undefined ? undefined : await import("./client-timer.ts");
  const undo = undoFile === undefined ? undefined : client?.keepUndo(session, undoFile, plan, at);
  if (undo && client) {
    session.tell(
      timed
        ? client.timerWarning(undo, options.confirmWithin ?? "")
        : `The undo is in ${undo.file}: ${undo.command}`,
    );
  }
  if (
    !options.yes &&
    !(await confirmed(session.terminal, `Apply this to account ${at.account} at ${at.server}?`))
  ) {
    session.tell("Nothing was changed.");
    return 1;
  }
  using _ = timed ? client?.outliveTerminal(session) : undefined;
  let reply: Reply;
  try {
    reply = await send(session, ready, options, { seconds, undo: undo?.command, timed });
  } catch (error) {
    if (!(error instanceof OutcomeUnknown) || !timed || !undo || !client) throw error;
    session.tell(session.errorColors.yellow(`${error.message} Whether the change was made is not known.`));
    return await client.waitForConfirmation(session, undo, seconds, false);
  }
  const left = undo ? `\nTo undo it: ${undo.command}` : "";
  session.ifInterrupted(`The change is made.${left}`);
  judgeAnswer(session, otherwise(plan, reply.result), ready.again + left, timed);
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
  if (timed && undo && client) return await client.waitForConfirmation(session, undo, seconds, true);
  if (!patchbay || seconds === undefined) return 0;
  if (revision === undefined || confirmBy === undefined) {
    throw new CommandFailure(
      "The server made the change and waits for no confirmation: it will not undo it.",
      {
        advice: "It is too old for --confirm-within. patchbay history shows the change.",
      },
    );
  }
  for (const { code, message } of reply.messages)
    if (code === UNWATCHED) session.tell(session.errorColors.yellow(printable(message)));
  if (options.revertOn !== undefined && reply.headers.get("x-patchbay-revert-on") === null)
    session.tell(
      session.errorColors.yellow("The server is too old for --revert-on: the time alone undoes it."),
    );
  if (!canAsk(session.terminal)) {
    session.tell(
      `It is undone at ${confirmBy} unless you confirm it: ${commandLine(session.options, "confirm", String(revision))}`,
    );
    return 0;
  }
  const { follow } = await import("./follow.ts");
  const touched = options.revertOn === undefined ? [] : plan.steps.map(({ id }) => id);
  return follow(session, { revision, epoch: binding.epoch, confirmBy, within: seconds, touched });
}

/** Throws where the server shows something else than was asked for. With a timer it goes on, so that it is undone. */
function judgeAnswer(session: Session, problems: readonly Told[], advice: string, timed: boolean): void {
  if (problems.length === 0) return;
  const message = "The server answered that it is done, and shows something else than was asked for.";
  if (!timed) throw new CommandFailure(message, { problems, advice: `Look at what is there now: ${advice}` });
  for (const sentence of [message, ...problems.map((problem) => `  ${printable(problem.message)}`)])
    session.tell(session.errorColors.yellow(sentence));
}

/** The timer of this process needs somebody who can confirm to it. */
function judgeTimer(session: Session, { json }: ApplyOptions): void {
  if (canAsk(session.terminal) && json !== true) return;
  throw new CommandFailure(
    "--confirm-within needs a terminal here: this server cannot undo by itself, and nobody could confirm to this process.",
    { advice: "Give --undo FILE instead, test, and undo with patchbay apply FILE if the test fails." },
  );
}

/** The change was made or not. */
class OutcomeUnknown extends CommandFailure {}

/** What is agreed for the time after the call. */
interface After {
  readonly seconds: number | undefined;
  /** The command that undoes it. */
  readonly undo: string | undefined;
  /** Is this process to undo it? */
  readonly timed: boolean;
}

/** One call. Throws where the change was not made, or where that is not known. */
async function send(
  session: Session,
  { plan, binding, etag, again }: ReadyPlan,
  { reason, revertOn }: ApplyOptions,
  after: After,
): Promise<Reply> {
  const { api } = session;
  const patchbay = "epoch" in binding;
  const unknown = unknownWords(again, patchbay ? commandLine(session.options, "confirm") : undefined, after);
  // May an attempt have been done, the one that is under way or one before it?
  let sending = false;
  let doubt = false;
  // Without conditional requests, a last look is what can be done: what moves after it is not seen.
  const look = async () => {
    if (!patchbay) {
      const now = await readAccount(api);
      if (!sameBinding(binding, now.binding)) throw moved(again, movedWords(binding, now));
    }
    sending = true;
    session.ifInterrupted(unknown);
  };
  const paused = (status: number) => {
    sending = false;
    doubt ||= status !== 429;
    if (!doubt) session.ifInterrupted("Interrupted while the server asked to wait. Nothing was changed.");
  };
  const own = {
    ...(etag === undefined ? {} : { "if-match": etag }),
    ...reasonHeader(reason),
    ...waitHeaders(after.seconds, revertOn),
  };
  try {
    return await sendPlan(api, plan, { headers: patchbay ? own : {}, before: look, paused });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const status = error instanceof ServerRefusal ? error.status : undefined;
    if (!doubt && status === 412) throw moved(again);
    if (!doubt && (!sending || (status !== undefined && status < 500))) throw error;
    throw new OutcomeUnknown(error.message, { problems: error.problems, advice: unknown });
  }
}

function moved(again: string, which?: string): CommandFailure {
  return new CommandFailure(
    "Interconnects were changed by somebody else in the meantime. Nothing was changed by this.",
    {
      ...(which === undefined ? {} : { problems: [{ message: which }] }),
      advice: `Look at what is to change now: ${again}`,
    },
  );
}

/** What is so while nobody knows whether the call was done. */
function unknownWords(again: string, confirm: string | undefined, { seconds, undo, timed }: After): string {
  // That an update of many is atomic is Patchbay's promise alone.
  const whole = confirm ? ": all of it was, or nothing" : "";
  const lines = [`Whether the change was made is not known${whole}. This tells: ${again}`];
  if (confirm && seconds !== undefined) {
    lines.push(`If it was, the server undoes it in time unless it is confirmed: ${confirm}`);
  }
  if (timed) lines.push("If it was, it stays: nothing undoes it by itself any more.");
  if (undo !== undefined) lines.push(`This undoes it, if it was: ${undo}`);
  return lines.join("\n");
}

/** For names of files, in UTC: `20260131T120000Z`. */
function stamp(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+/g, "");
}

function numberIn(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
