/** What only a server that is for trying things takes. */

import Type from "typebox";
import { success } from "./envelope.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

export const ResetAnswer = success(
  Type.Object(
    {
      accounts: Type.Array(
        Type.Object(
          {
            id: Type.String({ examples: ["023e105f4ecef8ad9ca31a8372d0c353"] }),
            epoch: Type.String({ description: "The account's new epoch.", examples: ["8f14e45fceea167a"] }),
          },
          closed,
        ),
      ),
    },
    closed,
  ),
);

/** What may be asked of a sandbox. */
export const sandboxOperations = {
  reset: {
    method: "POST",
    path: "/patchbay/v1/reset",
    summary: "Go back to the seed",
    description: "Every account is as the seed has it, under a new epoch; the log of changes begins anew.",
    groups: accepted.administer,
    query: [],
    answer: ResetAnswer,
    body: Type.Object({}, closed),
    bodyOptional: true,
    sandboxOnly: true,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
