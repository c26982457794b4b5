import type { ErrorEntry } from "./errors.ts";

const mark = "ours";

/** Refusals around undoing and confirming. */
export const undoErrors = {
  change_pending: {
    code: 990130,
    status: 409,
    message:
      "Change {revision} by {who}{why} waits to be confirmed, until {until} ({seconds} s from now). No other change is made before that.",
    when: "An account's change was made with `x-patchbay-confirm-within` and is neither confirmed nor undone yet.",
    todo: "Wait, or ask who made it to confirm or revert it. An administrator may send `x-patchbay-override: confirm` or `revert` with the request, which does so first.",
    mark,
  },
  nothing_pending: {
    code: 990131,
    status: 409,
    message: "Change {revision} does not wait to be confirmed.",
    when: "The change was not made to be confirmed, or was confirmed or undone before.",
    todo: "Look at the account's changes: they tell what became of it.",
    mark,
  },
  confirmed_too_late: {
    code: 990132,
    status: 409,
    message: "Change {revision} was to be confirmed by {confirm_by}. It is being undone.",
    when: "A confirmation, or a request for more time, came after the time was over.",
    todo: "Make the change again.",
    mark,
  },
  undo_overtaken: {
    code: 990133,
    status: 409,
    message: "Change {revision} cannot be undone: {what} was changed again by change {later}.",
    when: "A later change touched the same fields, or made or removed the same object.",
    todo: "Undo the later change first, or go back to a revision with `restore`.",
    mark,
  },
  undo_breaks: {
    code: 990134,
    status: 409,
    message: "It cannot be undone: {object} needs {needed}, which would not be there.",
    when: "An undo would take away, or not bring back, what another object stands on.",
    todo: "Remove the object that stands on it first, or go back to a revision with `restore`.",
    mark,
  },
  undo_of_beginning: {
    code: 990135,
    status: 409,
    message: "Change {revision} is the account's beginning, which cannot be undone.",
    when: "The first change of an account made from a seed was to be reverted.",
    todo: "Remove what is not wanted, object by object.",
    mark,
  },
  undo_outrun: {
    code: 990136,
    status: 409,
    message: "The account changes so quickly that its log could not be read to the end. Nothing was changed.",
    when: "While the server prepared a rollback, other changes were accepted each time before it was decided.",
    todo: "Send the request again.",
    mark,
  },
  undo_too_far: {
    code: 990138,
    status: 409,
    message: "The change log since revision {revision} contains {what}, which is too much for one rollback.",
    when: "A rollback reads at most 64 MiB of change records and rolls back at most 200,000 objects. The server checks the size before it reads the records.",
    todo: "Restore the values that you need with an update. `GET …/changes/{revision}` returns the values before and after a change.",
    mark,
  },
  rollbacks_busy: {
    code: 990139,
    status: 503,
    message:
      "The server prepares one rollback at a time, and {most} others are waiting. Nothing was changed.",
    when: "A revert, a restore, or a request with `x-patchbay-override: revert` arrived while 16 others were waiting.",
    todo: "Send the request again after the time in `retry-after`.",
    mark,
  },
  not_confirmable: {
    code: 990137,
    status: 400,
    message: "{operation} cannot be made to wait for a confirmation: {why}.",
    when: "`x-patchbay-confirm-within` or `x-patchbay-revert-on` came with a request that changes no objects of an account, or that undoes a change that waits itself.",
    todo: "Send the request without the header.",
    mark,
  },
  rollback_too_large: {
    code: 990143,
    status: 400,
    message:
      "The change is too large to be rolled back at a deadline: it has {what}, but at most {most} are allowed. Nothing was changed.",
    when: "A request with `x-patchbay-confirm-within` would make a change that is too large for one rollback: more than 200,000 objects, or a change record of more than 64 MiB.",
    todo: "Split the change into several smaller ones, or send it without the header.",
    mark,
  },
  too_many_objects: {
    code: 990144,
    status: 409,
    message: "The account would have {count} objects of the kind {kind}, but at most {most} are allowed.",
    when: "A request would create more objects than an account can have: 20,000 of each kind.",
    todo: "Delete objects that are no longer needed, or use another account.",
    mark,
  },
} as const satisfies Record<string, ErrorEntry>;
