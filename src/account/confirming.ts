/** What may be done about a change that waits to be confirmed: to confirm it, or to give it more time. */

import { problem } from "../contract/errors.ts";
import type { Circumstances, Command } from "./decide.ts";
import { isDue, type PendingDoc, pendingKind, pendingOf, pendingSlot } from "./pending.ts";
import type { Doc, State } from "./state.ts";

/** Confirms a change: it stays. Too late once its time is over, also before the undo is made. */
export function confirmChange(revision: number, circumstances: Circumstances): Command {
  return onPending("confirmChange", revision, circumstances, () => undefined);
}

/** Sets another time for a change to be confirmed by (RFC 3339, UTC). */
export function extendChange(revision: number, confirmBy: string, circumstances: Circumstances): Command {
  return onPending("extendChange", revision, circumstances, (pending) => ({
    ...pending,
    confirm_by: confirmBy,
  }));
}

function onPending(
  operation: string,
  revision: number,
  circumstances: Circumstances,
  next: (pending: PendingDoc) => Doc | undefined,
): Command {
  return {
    operation,
    settles: "any",
    circumstances,
    condition: (state) => judge(state, revision, circumstances.time),
    *propose(state) {
      const pending = pendingOf(state);
      if (pending)
        yield { kind: pendingKind, slot: pendingSlot(state), doc: next(pending), pointer: undefined };
    },
  };
}

function judge(state: State, revision: number, time: string) {
  const pending = pendingOf(state);
  if (pending?.revision !== revision) return problem("nothing_pending", { revision });
  return isDue(pending, time)
    ? problem("confirmed_too_late", { revision, confirm_by: pending.confirm_by })
    : undefined;
}
