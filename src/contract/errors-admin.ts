import type { ErrorEntry } from "./errors.ts";

const mark = "ours";

/** Errors of what is done to a data directory while it is served. */
export const adminErrors = {
  change_pruned: {
    code: 990120,
    status: 410,
    message: "Change {revision} is no longer kept here; the oldest that is has revision {oldest}.",
    when: "The server's operator moved old changes out of the log with `patchbay prune`.",
    todo: "Ask the operator for the archive that the change was moved to.",
    mark,
  },
  history_pruned: {
    code: 990121,
    status: 410,
    message:
      "The changes after revision {revision} are no longer kept from the first on; the oldest that is kept has revision {oldest}.",
    when: "A follower asked for changes after a revision whose next ones the server's operator moved out of the log with `patchbay prune`.",
    todo: "Read `/state` and follow from there. The changes between are in the operator's archives.",
    mark,
  },
  store_unreadable: {
    code: 990122,
    status: 503,
    message: "The database could not be read. The server's log has the cause.",
    when: "The database in the data directory is damaged, or the disk under it fails.",
    todo: "Try again after the time in `retry-after`. If it stays so, the server's operator should bring back a backup.",
    mark,
  },
  store_away: {
    code: 990123,
    status: 503,
    message: "The database is temporarily unavailable. Nothing was changed.",
    when: "The server keeps its data in a database of its own that is being restarted, or the way to it is broken.",
    todo: "Try again after the time in `retry-after`. The server goes on by itself once the database is there.",
    mark,
  },
} as const satisfies Record<string, ErrorEntry>;
