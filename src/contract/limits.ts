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

/** Bytes of a body up to which it is read at once. A larger one is read in slices, between which other requests are answered. */
export const LARGE_BODY_BYTES = 256 * 1024;

/**
 * Objects and arrays of a request's body. A bulk update of 10,000 interconnects with every field set has about 80,000.
 * Objects of no members cost 80 ns a byte to build: 16 MB of them would take over a second, and 300 MB of memory.
 */
export const MAX_BODY_OBJECTS = 200_000;

/**
 * Values of a request's body: members, and elements of arrays. A bulk update of 10,000 interconnects with every field set and
 * 70 prefixes each has fewer. Checking a value takes about 40 ns, and a body of 16 MB could have 8 million.
 */
export const MAX_BODY_VALUES = 1_000_000;

/** How deep objects and arrays of a body may be nested. The deepest legal body has five levels. */
export const MAX_BODY_DEPTH = 32;

/** Different field names of a body, each of which a parser has to learn. All known names together are fewer than a hundred. */
export const MAX_BODY_NAMES = 10_000;

/**
 * Requests of all connections that arrived before the response to the one before them had left. A connection over it is
 * closed. Each holds about 4 KB.
 */
export const MAX_PIPELINED_REQUESTS = 20_000;

/** Bytes of request bodies under way, of bodies over 256 KB. Sixteen of the largest fit. */
export const MAX_BODY_BYTES_UNDER_WAY = 256 * 1024 * 1024;

/** Bytes of responses to reads that clients have not received yet, of responses over 256 KB. A list of 10,000 interconnects has up to 14 MB. */
export const MAX_RESPONSE_BYTES_UNDER_WAY = 256 * 1024 * 1024;

/** The same for responses to requests without a credential, such as the API reference, so that they cannot use up the others' budget. */
export const MAX_PUBLIC_BYTES_UNDER_WAY = 32 * 1024 * 1024;

/** Addresses of the server, as clients name them in `Host`, for which a published text is kept. Each text has about 1 MB. */
export const MAX_PUBLISHED_ADDRESSES = 4;

/** Connections that wait to be accepted while one step holds the event loop. The system's own limit may be lower (`net.core.somaxconn`). */
export const LISTEN_BACKLOG = 4_096;

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

/**
 * Bytes of log records that one rollback reads, and of a change with a deadline. Reading them takes about a second, in slices.
 * The record of 10,000 interconnects with every field set has about 30 MB.
 */
export const MAX_ROLLBACK_BYTES = 64 * 1024 * 1024;

/**
 * Objects of each kind in an account: twice as many as in the largest account that Patchbay is built for. All kinds together
 * stay below `MAX_ROLLBACK_OBJECTS`, so that one rollback can restore every object of an account.
 */
export const MAX_OBJECTS_PER_KIND = 20_000;

/** Distinct objects that one rollback rolls back. All of them are in memory until it is decided. */
export const MAX_ROLLBACK_OBJECTS = 200_000;

/**
 * Requests for a rollback that wait for another one; the next is refused with `retry-after`. One at a time bounds memory. The
 * last one waits at most about 16 times as long as the largest rollback takes.
 */
export const MAX_WAITING_ROLLBACKS = 16;

/** Attempts to decide a rollback while the account changes in between. Each attempt reads only the new records. */
export const MAX_ROLLBACK_ATTEMPTS = 20;

/** Milliseconds before a failed rollback of a pending change is retried: at first, and at most. The delay doubles each time. */
export const ROLLBACK_RETRY = { first: 1_000, most: 60_000 } as const;

/** Changes whose time, actor and reason a server remembers for `last-changes`. About 1 KB each. */
export const MAX_REMEMBERED_CHANGES = 10_000;

/**
 * Milliseconds for which a write waits for SQLite's write lock. `patchbay prune` holds it for milliseconds at a time; an
 * operator's own tool may hold it for longer. Clients wait up to 30 s for a response.
 */
export const WRITE_LOCK_PATIENCE = 5_000;

/** Reads whose responses are remembered: about 4 KB each, 80 MB in all. At the limit, all are forgotten. */
export const MAX_KNOWN_READS = 20_000;

/**
 * Objects, in all accounts, that a server with a shared database remembers from its own commits, so that folding need not read
 * the log. About 3 KB each if the account is no longer in memory, 150 MB in all. At the limit, the server forgets the account
 * that was changed least recently, and reads its log instead.
 */
export const MAX_REMEMBERED_OBJECTS = 50_000;

/** Bytes of log records up to which a read for a response does not wait for others: a page of 30 ordinary changes. */
export const LARGE_LOG_READ_BYTES = 32 * 1024;

/** Larger reads of the log at the same time. The record of 10,000 interconnects takes about 60 MB, parsed and encoded. */
export const LARGE_LOG_READS_AT_ONCE = 2;
