/** How a request's command comes to the account: with its reason, its wait for a confirmation, or past another's. */

import type { Change } from "../account/change.ts";
import { confirmChange } from "../account/confirming.ts";
import type { Circumstances, Command, Decision } from "../account/decide.ts";
import { type PendingDoc, pendingDocOf, pendingKind, pendingOf, type RevertOn } from "../account/pending.ts";
import { LogMovedOn, revertChange } from "../account/undo.ts";
import type { Operation } from "../contract/operation.ts";
import { CONFIRM_BOUNDS, LONGEST_REASON } from "../contract/parameters.ts";
import { accepted } from "../contract/permissions.ts";
import type { LiveState } from "../store/live-state.ts";
import { authorize } from "./auth.ts";
import type { ServerCall } from "./call.ts";
import type { Clock } from "./clock.ts";
import type { AppContext } from "./context.ts";
import { refuse } from "./refusal.ts";
import { ReadLog, untilCaughtUp } from "./rollbacks.ts";

export const CONFIRM_WITHIN = "x-patchbay-confirm-within";
export const REVERT_ON = "x-patchbay-revert-on";
const REASON = "x-patchbay-reason";
const OVERRIDE = "x-patchbay-override";

/** What the headers say of a change: why, by when it is to be confirmed, and what undoes it before. */
export function readIntent(
  { headers }: ServerCall["request"],
  clock: Clock,
): Pick<Circumstances, "reason" | "confirmBy" | "revertOn"> {
  const reason = readReason(headers[REASON]);
  const within = headers[CONFIRM_WITHIN];
  const revertOn = readRevertOn(headers[REVERT_ON]);
  if (revertOn !== undefined && within === undefined) throw refuse("revert_on_alone");
  return {
    ...(revertOn === undefined ? {} : { revertOn }),
    ...(reason === undefined ? {} : { reason }),
    ...(within === undefined ? {} : { confirmBy: deadline(readSeconds(within), clock) }),
  };
}

/** The time that lies so many seconds ahead: RFC 3339, UTC. */
export function deadline(seconds: number, clock: Clock): string {
  return new Date(clock.now() + seconds * 1000).toISOString();
}

/** Headers come as bytes, each of which Node takes for a character. */
function readReason(header: string | string[] | undefined): string | undefined {
  if (header === undefined || header === "") return undefined;
  const bytes = Buffer.from(String(header), "latin1");
  const text = bytes.toString("utf8");
  const wrong = text.length > LONGEST_REASON || !Buffer.from(text).equals(bytes) || /\p{Cc}/u.test(text);
  if (!wrong) return text;
  throw refuse("invalid_header", {
    name: REASON,
    given: JSON.stringify(text),
    expected: `at most ${LONGEST_REASON} characters of UTF-8, none of them a control character`,
  });
}

function readRevertOn(header: string | string[] | undefined): RevertOn | undefined {
  if (header === undefined || header === "down" || header === "degraded") return header;
  throw refuse("invalid_header", {
    name: REVERT_ON,
    given: JSON.stringify(header),
    expected: "down or degraded",
  });
}

function readSeconds(header: string | string[]): number {
  const text = String(header);
  const { least, most } = CONFIRM_BOUNDS;
  const seconds = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= least && seconds <= most) return seconds;
  throw refuse("invalid_header", {
    name: CONFIRM_WITHIN,
    given: JSON.stringify(text),
    expected: `a whole number of seconds, from ${least} to ${most}`,
  });
}

/** A call before it can be submitted. */
type Prepared = ServerCall & { readonly account: LiveState };

/** The way from a call's command to its decision. */
export function submitting(
  call: Prepared,
  { confirmable }: Operation,
  context: AppContext,
): (command: Command, dry?: boolean) => Promise<Decision> {
  const override = confirmable ? readOverride(call) : undefined;
  const remember = async (decision: Decision): Promise<Decision> => {
    if (!decision.ok || !decision.change) return decision;
    call.request.made = decision.change;
    if (waitIn(decision.change.edits)?.revert_on !== undefined)
      call.request.watched = await context.gate.watched(call.account, decision.change.record);
    return decision;
  };
  if (!override) {
    return (command, dry = false) => {
      const decided = call.account.submit(command, dry);
      return dry ? decided : decided.then(remember);
    };
  }
  return (command, dry = false) => {
    const attempt = async (log = new ReadLog(context.store)) => {
      const first = await settling(override, call, command.circumstances, context, log);
      const decision = await call.account.submit(command, dry, first);
      // Somebody was faster with the change that waited, which is what was asked for, or is not: look again.
      if (first && !decision.ok && decision.problems.some(({ name }) => name === "nothing_pending"))
        throw new LogMovedOn();
      return dry ? decision : remember(decision);
    };
    // A command built from the log already has its turn, and its caller retries it.
    if (command.after || !pendingOf(call.account.state)) return attempt();
    return override === "revert" ? context.rollbacks.forRequest(attempt) : untilCaughtUp(attempt);
  };
}

function readOverride({ request }: ServerCall): "confirm" | "revert" | undefined {
  const header = request.headers[OVERRIDE];
  if (header === undefined || header === "confirm" || header === "revert") return header;
  throw refuse("invalid_header", {
    name: OVERRIDE,
    given: JSON.stringify(header),
    expected: "confirm or revert",
  });
}

/** What an administrator has done about the change that waits, if one does. */
async function settling(
  override: "confirm" | "revert",
  { principal, account }: Prepared,
  circumstances: Circumstances,
  { accounts }: AppContext,
  log: ReadLog,
): Promise<Command | undefined> {
  authorize(principal, accepted.administer, account.state.id, accounts.directory.state);
  const pending = pendingOf(account.state);
  if (!pending) return undefined;
  const { confirmBy: _, revertOn: __, reason: ___, ...rest } = circumstances;
  if (override === "confirm") return confirmChange(pending.revision, rest);
  return revertChange(await log.revertingPending(account, pending.revision), rest).command;
}

/**
 * What an answer tells of the change that was made: its revision, by when it is to be confirmed, and how many
 * interconnects are watched for what undoes it before.
 */
export function linesOfChange({ record, edits }: Change, watched = 0): string[] {
  const lines = ["x-patchbay-revision", String(record.revision)];
  const waits = waitIn(edits);
  if (!waits) return lines;
  lines.push("x-patchbay-confirm-by", waits.confirm_by);
  if (waits.revert_on) lines.push(REVERT_ON, waits.revert_on, "x-patchbay-watched", String(watched));
  return lines;
}

/** How a change waits that is to be confirmed. It is made last. */
function waitIn(edits: Change["edits"]): PendingDoc | undefined {
  const last = edits.at(-1);
  return last?.kind === pendingKind && last.after ? pendingDocOf(last.after) : undefined;
}
