/** What only a server that is for trying things takes. */

import Type from "typebox";
import { success } from "./envelope.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

export const ResetAnswer = success(
  Type.Object(
    { accounts: Type.Array(Type.Object({ id: Type.String(), epoch: Type.String() }, closed)) },
    closed,
  ),
);

/** What may be asked of a sandbox. */
export const sandboxOperations = {
  reset: {
    method: "POST",
    path: "/patchbay/v1/reset",
    summary: "Go back to the seed (sandbox only)",
    groups: accepted.administer,
    query: [],
    answer: ResetAnswer,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
