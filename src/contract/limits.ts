/**
 * Limits: of every collection, queue, cache, list of a request, and waiter, with the reason for its size.
 *
 * A limit belongs here, and has a test at the limit and one past it. What is not limited grows until the process ends.
 */

/** Bytes of a request's body. A bulk update of 10,000 interconnects with every field set takes about 9 MB. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Bytes of request bodies and responses that the process holds for its clients at the same time: 16 of the
 * largest bodies, or 45 lists of 10,000 interconnects, in a process of which a machine with 1 GB has room for one.
 */
export const MOST_BYTES_UNDER_WAY = 256 * 1024 * 1024;
/** Bytes of a message that counts as small. All but lists, bulk updates and published texts are. */
export const SMALL_MESSAGE = 64 * 1024;
/** The part of `MOST_BYTES_UNDER_WAY` that only small messages may use, so that large ones never keep them out. */
export const RESERVED_FOR_SMALL = 0.25;
/**
 * Requests of a connection that may wait for the one before them. Each holds about 4 KB, so a connection holds
 * 1 MB at most. HTTP clients rarely pipeline; load generators do, up to about 100 requests.
 */
export const MOST_PIPELINED = 256;
/**
 * Connections that the kernel accepts while the process is busy, up to the kernel's own limit (`net.core.somaxconn`).
 * A client past it waits for a second or more. Node's default of 511 is less than the long polls of one server.
 */
export const LISTEN_BACKLOG = 4096;
