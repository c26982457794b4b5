/**
 * The undo where the server has none: this process waits, and sends the inverse at the deadline.
 *
 * Weaker than a server's own: it needs this process to live and the way to the server to be open. Both are said
 * before anything is changed, and the inverse lies in a file by then.
 */

import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { guardsOf } from "../../file/guards.ts";
import { inverseOf, type Plan } from "../../file/plan.ts";
import { ServerRefusal } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { CommandFailure } from "../failure.ts";
import type { Session } from "../run.ts";
import { readAccount } from "./account.ts";
import { Countdown } from "./countdown.ts";
import { sendPlan } from "./dry-run.ts";
import { rebound, type SavedPlan, writePlanFile } from "./plan-file.ts";
import type { Destination } from "./show-plan.ts";

export interface Undo {
  readonly file: string;
  /** What to type to undo the change by that file. */
  readonly command: string;
  readonly saved: SavedPlan;
}

/** Writes the inverse to a file that `apply` takes. Throws where an update cannot put everything back. */
export function keepUndo({ options }: Session, file: string, plan: Plan, at: Destination): Undo {
  const { plan: inverse, lost } = inverseOf(plan);
  if (lost.length > 0) {
    throw new CommandFailure("This change could not be undone by another update.", {
      problems: lost.map((field) => ({
        message: `${field} has no value now, and none can be taken from it again`,
      })),
      advice: "Leave these fields out, or apply without an undo.",
    });
  }
  const saved: SavedPlan = { ...at, bound: { values: true }, plan: inverse };
  writePlanFile(file, saved, new Date());
  // A guard that stands over the change stands over its undo, and nobody should learn that in an emergency.
  const force = guardsOf(inverse).length > 0 ? ["--force"] : [];
  return { file, saved, command: commandLine(options, "apply", file, ...force) };
}

/** Said before anything is changed. */
export function timerWarning({ command }: Undo, within: string): string {
  return [
    `This server cannot undo a change by itself, so this process does it after ${within} unless you confirm,`,
    "also if its terminal is closed. If this process or its machine dies before, or the change cuts it off from the server, the change stays.",
    `Then undo it from a machine that reaches the server: ${command}`,
  ].join("\n");
}

/** Milliseconds. */
const BETWEEN_ATTEMPTS = 2_000;
/** After that, what was to be undone may be what everybody has got used to. */
const LAST_ATTEMPT = 86_400_000;
/** Names that a sentence lists. */
const NAMED = 5;

/**
 * From here on, the process continues when its terminal is closed, which the change itself may cause. Then the change is not
 * confirmed, and the process rolls it back at the deadline.
 */
export function outliveTerminal({ terminal }: Session): Disposable {
  const nothing = () => undefined;
  const streams = [terminal.stdin, terminal.stdout, terminal.stderr];
  terminal.on("SIGHUP", nothing);
  for (const stream of streams) stream.on("error", nothing);
  return {
    [Symbol.dispose]: () => {
      terminal.off("SIGHUP", nothing);
      for (const stream of streams) stream.off("error", nothing);
    },
  };
}

/**
 * Exit code: 0 if the change stays. `made` is false where nobody knows: what was made of it, if anything, is undone all
 * the same.
 */
export async function waitForConfirmation(
  session: Session,
  undo: Undo,
  seconds: number,
  made: boolean,
): Promise<number> {
  session.ifInterrupted(`The change stays, confirmed by nobody. To undo it: ${undo.command}`);
  const over = new AbortController();
  let decided: "confirm" | "revert" | "deadline";
  {
    using countdown = new Countdown(session, seconds);
    const deadline = setTimeout(countdown.left, "deadline" as const, { signal: over.signal });
    decided = await Promise.race([countdown.key(), deadline]);
    over.abort();
  }
  if (decided === "confirm") {
    session.print(
      `Confirmed: ${made ? "the change" : "what was made of it"} stays. ${undo.file} still undoes it.`,
    );
    return 0;
  }
  if (!(await sendUndo(session, undo))) session.print("There was nothing to undo: all is as it was before.");
  else if (decided === "revert") session.print("Undone by you.");
  else session.print("Undone at the deadline: nobody confirmed the change.");
  return 1;
}

/**
 * Tries for a day until it gets through, or is left by ctrl-c. What is refused is told, with the file that still holds it. Resolves
 * with whether there was anything to undo.
 */
async function sendUndo(session: Session, undo: Undo): Promise<boolean> {
  const { api } = session;
  const { file, saved, command } = undo;
  const until = performance.now() + LAST_ATTEMPT;
  // Once the undo itself was on its way, nobody knows.
  let sent = false;
  const stays = () =>
    session.ifInterrupted(
      sent
        ? `Interrupted while undoing: whether it is undone is not known. To make sure: ${command}`
        : `Interrupted: THE CHANGE IS NOT UNDONE. To undo it: ${command}`,
    );
  const before = async () => {
    sent = true;
    stays();
  };
  for (let told = false; ; told = true) {
    stays();
    try {
      const plan = rebound(file, saved, await readAccount(api));
      if (plan.steps.length > 0) await sendPlan(api, plan, { before });
      return sent || plan.steps.length > 0;
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      const pause = performance.now() < until ? pauseAfter(error) : undefined;
      if (pause === undefined) {
        session.tell(session.errorColors.red("THE CHANGE IS NOT UNDONE."));
        throw error;
      }
      if (!told) session.tell(notUndone(session, undo, error.message));
      await setTimeout(pause);
    }
  }
}

/** Milliseconds until the undo is tried again; `undefined` where that would change nothing. */
function pauseAfter(error: CommandFailure): number | undefined {
  if (!(error instanceof ServerRefusal)) return error.problems.length > 0 ? undefined : BETWEEN_ATTEMPTS;
  if (error.status === 429) return Math.max(BETWEEN_ATTEMPTS, (error.retryAfter ?? 0) * 1000);
  return error.status >= 500 ? BETWEEN_ATTEMPTS : undefined;
}

/** What is so while the server cannot be reached: the change that stays, and the way to undo it from elsewhere. */
function notUndone({ errorColors }: Session, { command, saved }: Undo, why: string): string {
  const { steps } = saved.plan;
  const names = steps.slice(0, NAMED).map(({ name }) => name);
  const more = steps.length > NAMED ? ` and ${steps.length - NAMED} more` : "";
  return [
    errorColors.red(`THE CHANGE IS NOT UNDONE: ${why}`),
    `It stays on ${names.join(", ")}${more} until the undo gets through; it is tried again for a day, or until ctrl-c.`,
    `From a machine that reaches the server: ${command}`,
    "Without patchbay: send the updates in that file as interconnects, by one PUT.",
  ].join("\n");
}
