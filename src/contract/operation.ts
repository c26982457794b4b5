/** What is known of an operation: its route, who may use it, what it takes and answers. */

import type { TSchema } from "typebox";
import type { ErrorName } from "./errors.ts";
import type { Parameter } from "./parameters.ts";
import type { PermissionGroup } from "./permissions.ts";

export interface Operation {
  readonly method: "GET" | "PUT" | "POST" | "DELETE" | "PATCH";
  /** With `:name` for what varies. */
  readonly path: string;
  readonly summary: string;
  /** What there is to know beyond the summary, in paragraphs that may hold `code`. */
  readonly description?: string;
  /** Any one suffices; empty where a valid credential alone does. */
  readonly groups: readonly PermissionGroup[];
  /** Names of the query parameters it has. */
  readonly query: readonly string[];
  /** Those of them that may stand more than once. */
  readonly lists?: readonly string[];
  /** Names of the request headers it reads, besides those of credentials, conditions and the body. */
  readonly headers?: readonly string[];
  /** Parameters that are something else here than in the table of parameters, by name. */
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** The whole answer to an accepted request, envelope included where there is one. */
  readonly answer: TSchema;
  /** Content type of an accepted request's answer where it is not JSON; `answer` then says nothing. */
  readonly produces?: string;
  /** An accepted request is answered without a body; `answer` then says nothing. */
  readonly empty?: true;
  readonly body?: TSchema;
  /** May the body be left out? */
  readonly bodyOptional?: true;
  /** A body that the demonstration takes as it is. Without one, it is made of the schema's own examples. */
  readonly example?: unknown;
  /** Answers carry an `etag`, and `If-Match` and `If-None-Match` are heeded. */
  readonly conditional?: true;
  /** It changes objects of an account, and may be made to wait for a confirmation. */
  readonly confirmable?: true;
  /** It looks at the credential itself, in force or not, which is not counted for it. */
  readonly judgesCredential?: true;
  /** What it changes is kept in memory alone. */
  readonly volatile?: true;
  /** What it changes is kept beside the log, which tells nothing of it. */
  readonly unlogged?: true;
  /** Whose credential it takes, where not everybody's: a user's token or key, or a token of the path's account. */
  readonly credentialOf?: "user" | "account";
  /** There with `--sandbox` alone. */
  readonly sandboxOnly?: true;
  /** Refusals that do not follow from the above (`openapi/refusals.ts`): what the body's values and the state forbid. */
  readonly refusals?: readonly ErrorName[];
  /** The vendor's operation, or Patchbay's own. */
  readonly origin: "vendor" | "patchbay";
}
