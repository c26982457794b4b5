/** The vendor's envelope: `{result, success, errors, messages}`. */

import Type, { type Static, type TSchema } from "typebox";

const Source = Type.Object(
  {
    pointer: Type.Optional(
      Type.String({
        description: "JSON pointer into the body as it was sent.",
        examples: ["/interconnects/0/mtu"],
      }),
    ),
  },
  { additionalProperties: false },
);

const Cause = Type.Object({
  code: Type.Integer({ description: "The cause's own code." }),
  message: Type.String({ description: "The cause in a sentence." }),
});

export const ResponseInfo = Type.Object(
  {
    // From 1000 on, but for the vendor's 971, of the rate limit.
    code: Type.Integer({
      minimum: 971,
      description: "Which error it is. From 990000 on they are Patchbay's own.",
      examples: [990023],
    }),
    message: Type.String({ description: "What is wrong, where, and what would be right, in a sentence." }),
    documentation_url: Type.Optional(Type.String({ description: "The page of this code." })),
    source: Type.Optional(Source),
    error_chain: Type.Optional(Type.Array(Cause, { description: "The gateway's nested causes." })),
    /** `null` in the vendor's answer to a token check. */
    type: Type.Optional(Type.Null()),
  },
  {
    title: "ResponseInfo",
    description: "One thing that is wrong with a request, or is to be said about it.",
  },
);
export type ResponseInfo = Static<typeof ResponseInfo>;

/** An accepted request's answer around `result`. */
export function success<Result extends TSchema>(result: Result) {
  return Type.Object(
    {
      result,
      success: Type.Literal(true),
      errors: Type.Array(ResponseInfo, { maxItems: 0 }),
      messages: Type.Array(ResponseInfo, { examples: [[]] }),
      result_info: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), {
          description: "Where there are pages: how many there are here, and the `cursor` of the next.",
        }),
      ),
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
  { title: "Failure", description: "A refusal: all that is wrong at once.", additionalProperties: false },
);

/** The answer to a request without credentials, which the gateway sends without the other two members. */
export const BareFailure = Type.Object(
  { success: Type.Literal(false), errors: Type.Array(ResponseInfo, { minItems: 1 }) },
  {
    title: "BareFailure",
    description: "The refusal of a request without credentials.",
    additionalProperties: false,
  },
);
