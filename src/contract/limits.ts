/**
 * Limits: of every collection, queue, cache, list of a request, and waiter, with the reason for its size.
 *
 * A limit belongs here, and has a test at the limit and one past it. What is not limited grows until the process ends.
 */

/** Bytes of a request's body. A bulk update of 10,000 interconnects with every field set takes about 9 MB. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Milliseconds for which a write waits while another process holds SQLite's write lock. `patchbay prune` holds it for
 * milliseconds at a time; an operator's own tool may hold it for longer, and clients wait up to 30 s for a response.
 */
export const WRITE_LOCK_PATIENCE = 5_000;
