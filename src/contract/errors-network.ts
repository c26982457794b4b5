import type { ErrorEntry } from "./errors.ts";

const mark = "ours";

/** Errors of the way in, and of faults that are armed to be met. */
export const networkErrors = {
  forwarded_demonstration: {
    code: 990100,
    status: 403,
    message:
      "This server has the public credentials of the demonstration, and answers nobody whose request was passed on from {address}.",
    when: "A proxy passed a request on from another machine, to a server whose credentials are printed in public documentation.",
    todo: "Use the demonstration on its own machine. For others, start a server with a world of your own.",
    mark,
  },
  unknown_operation: {
    code: 990101,
    status: 400,
    message: 'There is no operation "{given}" that a fault can strike.{hint}',
    when: "A fault was to be armed for an operation that the server does not have, or for one of those that arm and clear faults.",
    todo: "Use one of the names that `docs/evidence.md` lists, such as `updateInterconnects`.",
    mark,
  },
  fault_without_effect: {
    code: 990102,
    status: 400,
    message: "The fault would do nothing: it needs status, latency_ms or drop.",
    when: "A fault was to be armed with neither of its three effects.",
    todo: "Add one of them.",
    mark,
  },
  fault_contradicts_itself: {
    code: 990103,
    status: 400,
    message: "A fault has status or drop, not both: a connection that is dropped has no answer.",
    when: "A fault was to be armed that both answers and drops the connection.",
    todo: "Leave one of the two out. latency_ms goes with either.",
    mark,
  },
  too_many_faults: {
    code: 990104,
    status: 400,
    message: "{most} faults are listed already, which is as many as there may be.",
    when: "Faults were armed, and none cleared, until there was no more room.",
    todo: "Clear them with `DELETE /patchbay/v1/faults`.",
    mark,
  },
  fault_not_found: {
    code: 990107,
    status: 404,
    message: "There is no fault {given} on this server.",
    when: "A fault was to be taken away that was never armed here, or is cleared already.",
    todo: "`GET /patchbay/v1/faults` lists those there are. Each server has its own.",
    mark,
  },
  injected_conflict: {
    code: 990105,
    status: 409,
    message: "Conflict",
    when: "A fault with the status 409 was armed in a sandbox and struck. The operation was not carried out.",
    todo: "This is the answer that was asked for. The header `x-patchbay-fault` marks it.",
    mark,
  },
  injected_error: {
    code: 990106,
    status: 500,
    message: "Internal server error",
    when: "A fault with the status 500 was armed in a sandbox and struck. The operation was not carried out.",
    todo: "This is the answer that was asked for. The header `x-patchbay-fault` marks it.",
    mark,
  },
} as const satisfies Record<string, ErrorEntry>;
