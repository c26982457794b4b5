/**
 * Limits: of every collection, queue, cache, list of a request, and waiter, with the reason for its size.
 *
 * A limit belongs here, and has a test at the limit and one past it. What is not limited grows until the process ends.
 */

/** Bytes of a request's body. A bulk update of 10,000 interconnects with every field set takes about 9 MB. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Long polls that wait for one account's next change. A dashboard has one per open page and an agent one: 2,000 is a large
 * operations team and all its routers, and one account cannot use up what the process admits.
 */
export const MAX_FOLLOWERS_PER_ACCOUNT = 2_000;

/** Long polls that wait in the process. Each holds a connection and about 20 KB: 100 MB in all. */
export const MAX_FOLLOWERS = 5_000;

/**
 * Interconnects at edges whose health is kept in memory besides a shared database: about 500 bytes each, 100 MB in all. Ten
 * accounts of 10,000 with two edges fit; what does not is read again when it is needed.
 */
export const MAX_WATCHED_IN_MEMORY = 200_000;
