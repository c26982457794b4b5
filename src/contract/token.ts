/** API tokens on the wire. */

import Type from "typebox";
import { success } from "./envelope.ts";
import type { Operation } from "./operation.ts";

const closed = { additionalProperties: false } as const;

/** The answer to a token check. */
export const TokenStatusAnswer = success(
  Type.Object(
    {
      id: Type.String({
        description: "The token's identifier.",
        examples: ["ed17574386854bf78a67040be0a770b0"],
      }),
      status: Type.Enum(["active", "disabled", "expired"], {
        description: "Only an active token is taken elsewhere.",
      }),
      not_before: Type.Optional(Type.String({ format: "date-time" })),
      expires_on: Type.Optional(Type.String({ format: "date-time" })),
    },
    closed,
  ),
);

/** What may be asked of tokens. */
export const tokenOperations = {
  verifyToken: {
    method: "GET",
    path: "/client/v4/user/tokens/verify",
    summary: "Verify token",
    description: "Tells the status of the token that is presented, also of one that is no longer in force.",
    judgesCredential: true,
    refusals: ["invalid_api_token"],
    groups: [],
    query: [],
    answer: TokenStatusAnswer,
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
