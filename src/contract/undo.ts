/** Undoing and confirming: what may be asked of changes that were made. */

import Type from "typebox";
import { success } from "./envelope.ts";
import { ChangeAnswer, ChangeRecord } from "./log.ts";
import type { Operation } from "./operation.ts";
import type { Parameter } from "./parameters.ts";
import { CONFIRM_BOUNDS } from "./parameters.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

/** The body of a restoration. */
export const Restoration = Type.Object(
  {
    to_revision: Type.Integer({
      minimum: 1,
      description: "The revision whose objects are brought back.",
      examples: [1],
    }),
  },
  { title: "Restoration", ...closed },
);

/** The body of a request for more time. */
export const Extension = Type.Object(
  {
    confirm_within: Type.Integer({
      minimum: CONFIRM_BOUNDS.least,
      maximum: CONFIRM_BOUNDS.most,
      description: "Seconds from now in which the change is to be confirmed.",
      examples: [300],
    }),
  },
  { title: "Extension", ...closed },
);

/** The change that was made; none if there was nothing to change. */
const UndoAnswer = success(Type.Union([ChangeRecord, Type.Null()]));

const own = "/patchbay/v1/accounts/:account_id";
const undoRefusals = [
  "undo_breaks",
  "undo_outrun",
  "undo_too_far",
  "rollbacks_busy",
  "too_many_objects",
  "name_taken",
  "address_overlap",
  "route_exists",
  "slot_occupied",
  "pairing_key_used",
  "change_pruned",
  "change_not_found",
] as const;

const noBody = { body: Type.Object({}, closed), bodyOptional: true } as const;

/** A change that was made to be confirmed, or to be undone. */
const waiting: Readonly<Record<string, Parameter>> = {
  revision: {
    schema: Type.Integer({ minimum: 1 }),
    description: "The revision of the change.",
    example: 2,
  },
};

export const undoOperations = {
  revertChange: {
    method: "POST",
    path: `${own}/changes/:revision/revert`,
    summary: "Undo a change",
    description:
      "Makes the inverse change, where no later change touched the same fields. The values that were there come back even if today's rules would not admit them; `messages` say which. A change that waits to be confirmed is undone so at once. It takes, besides, what the undone change took, unless one administers the account. Conditions are on the account as a whole, whose `etag` `/state` tells, and an undo that is only judged.",
    groups: accepted.undo,
    query: ["validate_only"],
    parameters: waiting,
    confirmable: true,
    conditional: true,
    answer: UndoAnswer,
    ...noBody,
    refusals: ["undo_overtaken", "undo_of_beginning", "not_confirmable", ...undoRefusals],
    origin: "patchbay",
  },
  restoreAccount: {
    method: "POST",
    path: `${own}/restore`,
    summary: "Go back to a revision",
    description:
      "One change that brings every object back to what it was at that revision. It takes, besides, what all the undone changes took, unless one administers the account. Conditions are on the account as a whole, as for a revert.",
    groups: accepted.undo,
    query: ["validate_only"],
    confirmable: true,
    conditional: true,
    answer: UndoAnswer,
    body: Restoration,
    example: { to_revision: 1 },
    refusals: undoRefusals,
    origin: "patchbay",
  },
  confirmChange: {
    method: "POST",
    path: `${own}/changes/:revision/confirm`,
    summary: "Confirm a change",
    description: "The change stays. Of confirmation, undo and deadline the first one counts.",
    groups: accepted.undo,
    query: [],
    parameters: waiting,
    answer: ChangeAnswer,
    ...noBody,
    refusals: ["nothing_pending", "confirmed_too_late", "change_pruned", "change_not_found"],
    origin: "patchbay",
  },
  extendChange: {
    method: "POST",
    path: `${own}/changes/:revision/extend`,
    summary: "Give a change more time to be confirmed",
    groups: accepted.undo,
    query: [],
    parameters: waiting,
    answer: ChangeAnswer,
    body: Extension,
    example: { confirm_within: 300 },
    refusals: ["nothing_pending", "confirmed_too_late", "change_pruned", "change_not_found"],
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
