/** What is known of an operation: its route, who may use it, what it takes and answers. */

import type { TSchema } from "typebox";
import type { PermissionGroup } from "./permissions.ts";

export interface Operation {
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** With `:name` for what varies. */
  readonly path: string;
  readonly summary: string;
  /** Any one suffices; empty where a valid credential alone does. */
  readonly groups: readonly PermissionGroup[];
  /** Names of the query parameters it has. */
  readonly query: readonly string[];
  /** Those of them that may stand more than once. */
  readonly lists?: readonly string[];
  /** The whole answer to an accepted request, envelope included where there is one. */
  readonly answer: TSchema;
  /** Content type of an accepted request's answer where it is not JSON; `answer` then says nothing. */
  readonly produces?: string;
  /** An accepted request is answered without a body; `answer` then says nothing. */
  readonly empty?: true;
  readonly body?: TSchema;
  /** The vendor's operation, or Patchbay's own. */
  readonly origin: "vendor" | "patchbay";
}
