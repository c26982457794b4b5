/**
 * Limits: of every collection, queue, cache, list of a request, and waiter, with the reason for its size.
 *
 * A limit belongs here, and has a test at the limit and one past it. What is not limited grows until the process ends.
 */

/** Bytes of a request's body. A bulk update of 10,000 interconnects with every field set takes about 9 MB. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Reads whose answers are remembered; at the limit, all are forgotten. Each holds one object and its answer, about
 * 4 KB: 80 MB.
 */
export const MAX_KNOWN_READS = 20_000;

/**
 * Objects that a server with a shared database remembers from its own commits, of all accounts, so that it need not
 * read them again to fold the log. Each takes about 3 KB if its account is no longer in memory: 150 MB. At the limit,
 * the account that was changed least recently is forgotten, and its log is read.
 */
export const MAX_REMEMBERED_OBJECTS = 50_000;
