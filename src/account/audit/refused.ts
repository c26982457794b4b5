/** Requests that were refused for want of a right, as they are kept beside an account's log. */

import type { Actor } from "../../contract/log.ts";

export interface RefusedRequest {
  /** RFC 3339, UTC, microseconds. */
  readonly time: string;
  readonly actor: Actor;
  /** Is the actor a token of another account? The account's log does not name it. */
  readonly foreign?: true;
  readonly request_id: string;
  readonly address: string;
  readonly operation: string;
  readonly method: string;
  /** The path as it was asked for, without its query. */
  readonly path: string;
  readonly status: number;
  readonly code: number;
  readonly message: string;
  /** So many refusals were counted, and are not told one by one; the rest is that of the last of them. */
  readonly more?: number;
}
