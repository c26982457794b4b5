/** The vendor's envelope: `{result, success, errors, messages}`. */

import Type, { type Static, type TSchema } from "typebox";

export const ResponseInfo = Type.Object({
  /** From 1000 on, but for the vendor's 971, of the rate limit. */
  code: Type.Integer({ minimum: 971 }),
  message: Type.String(),
  documentation_url: Type.Optional(Type.String()),
  source: Type.Optional(
    Type.Object({ pointer: Type.Optional(Type.String()) }, { additionalProperties: false }),
  ),
  error_chain: Type.Optional(Type.Array(Type.Object({ code: Type.Integer(), message: Type.String() }))),
  /** `null` in the vendor's answer to a token check. */
  type: Type.Optional(Type.Null()),
});
export type ResponseInfo = Static<typeof ResponseInfo>;

/** An accepted request's answer around `result`. */
export function success<Result extends TSchema>(result: Result) {
  return Type.Object(
    {
      result,
      success: Type.Literal(true),
      errors: Type.Array(ResponseInfo, { maxItems: 0 }),
      messages: Type.Array(ResponseInfo),
      result_info: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    },
    { additionalProperties: false },
  );
}

/** Every refusal, whatever its status. */
export const Failure = Type.Object(
  {
    result: Type.Null(),
    success: Type.Literal(false),
    errors: Type.Array(ResponseInfo, { minItems: 1, maxItems: 101 }),
    messages: Type.Array(ResponseInfo, { maxItems: 0 }),
  },
  { additionalProperties: false },
);

/** The answer to a request without credentials, which the gateway sends without the other two members. */
export const BareFailure = Type.Object(
  { success: Type.Literal(false), errors: Type.Array(ResponseInfo, { minItems: 1 }) },
  { additionalProperties: false },
);
