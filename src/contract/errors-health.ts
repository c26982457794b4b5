import type { ErrorEntry } from "./errors.ts";

const mark = "ours";

/** Refusals around health, and changes that it decides about. */
export const healthErrors = {
  too_many_edges: {
    code: 990140,
    status: 409,
    message: "The account has {most} edges already, so that {edge} is not taken in.",
    when: "Reports came under more names of edges than an account may have.",
    todo: "Give each edge one name that stays. One that is not heard of for 7 days is forgotten.",
    mark,
  },
  health_not_kept: {
    code: 990141,
    status: 503,
    message: "The report could not be saved. Send it again later.",
    when: "What is beside the log cannot be written, because the disk is full for example.",
    todo: "Send it again later. The operator finds the cause in the server's log.",
    mark,
  },
  revert_on_alone: {
    code: 990142,
    status: 400,
    message: "x-patchbay-revert-on is there without x-patchbay-confirm-within.",
    when: "A change is to be undone by what becomes of it, but not to wait for anything.",
    todo: "Say with `x-patchbay-confirm-within` how many seconds the change may wait at most. When they are over, it is undone unless it was confirmed.",
    mark,
  },
} as const satisfies Record<string, ErrorEntry>;
