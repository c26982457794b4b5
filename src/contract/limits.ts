/**
 * Limits: of every collection, queue, cache, list of a request, and waiter, with the reason for its size.
 *
 * A limit belongs here, and has a test at the limit and one past it. What is not limited grows until the process ends.
 */

/** Bytes of a request's body. A bulk update of 10,000 interconnects with every field set takes about 9 MB. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Sessions of a token. One more ends the oldest. A person has a few browsers; all sessions of a token are one object. */
export const MAX_SESSIONS_PER_TOKEN = 20;

/** Days after which a session ends. Browsers that restore their windows keep a session cookie when they are closed. */
export const SESSION_DAYS = 7;

/** Tokens and sessions whose lookup a server remembers; past that it starts over. About 1 KB each. */
export const MAX_REMEMBERED_TOKENS = 10_000;

/**
 * Bytes of log records that one rollback reads, and of a change that is to be confirmed. About a second of work in slices. A
 * change of 10,000 interconnects with every field set is about 30 MB.
 */
export const MAX_ROLLBACK_BYTES = 64 * 1024 * 1024;

/**
 * Objects of an account of each kind. Twice the largest account that Patchbay is built for. All kinds together stay below
 * `MAX_ROLLBACK_OBJECTS`, so that a rollback can set back every object of an account.
 */
export const MAX_OBJECTS_PER_KIND = 20_000;

/** Distinct objects that one rollback sets back, all of which are in memory until it is decided. */
export const MAX_ROLLBACK_OBJECTS = 200_000;

/**
 * Requests for a rollback that wait for another one: one at a time keeps memory at that of one. Past that, requests are
 * refused with a time to retry after. The last one waits about 16 times as long as the largest rollback takes.
 */
export const MAX_WAITING_ROLLBACKS = 16;

/** Times that a rollback is decided again because the account has changed in between. Each time only new records are read. */
export const MAX_ROLLBACK_ATTEMPTS = 20;

/** Milliseconds until a failed rollback of a pending change is tried again: at first, and at most. They double each time. */
export const ROLLBACK_RETRY = { first: 1_000, most: 60_000 } as const;

/** Changes of which a server remembers who made them, for `last-changes`. About 1 KB each. */
export const MAX_REMEMBERED_CHANGES = 10_000;
