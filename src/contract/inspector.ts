/** What a sandbox shows of the requests that it answered last. */

import Type, { type Static } from "typebox";
import { ResponseInfo, success } from "./envelope.ts";
import type { Operation } from "./operation.ts";
import { LOG_BOUNDS } from "./parameters.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

/** How many requests are kept, the newest. */
export const REQUESTS_KEPT = 200;
/** Bytes that are kept of a body. */
export const BODY_KEPT = 16 * 1024;
/** The most problems of one request that are kept. */
export const PROBLEMS_KEPT = 10;
/** The largest body, in bytes, that is searched for fields from which nothing was taken. */
export const LARGEST_SEARCHED = 256 * 1024;

const Headers = Type.Record(Type.String(), Type.String(), {
  description: "By name in lower case. Credentials are masked.",
  examples: [{ "content-type": "application/json" }],
});

const SeenBody = Type.Object(
  {
    text: Type.Union([Type.String(), Type.Null()], {
      description: `The first ${BODY_KEPT} bytes as they came, secrets masked; none of what is no text.`,
      examples: ['{"mtu":1400}'],
    }),
    bytes: Type.Integer({ minimum: 0, description: "How long it is in all.", examples: [12] }),
  },
  { title: "SeenBody", ...closed },
);
export type SeenBody = Static<typeof SeenBody>;

const side = { headers: Headers, body: Type.Union([SeenBody, Type.Null()]) };

export const SeenRequest = Type.Object(
  {
    number: Type.Integer({ minimum: 1, description: "Counted from the server's start.", examples: [1] }),
    time: Type.String({
      format: "date-time",
      description: "When it was answered.",
      examples: ["2026-01-02T03:04:05.678901Z"],
    }),
    method: Type.String({ examples: ["PUT"] }),
    path: Type.String({
      description: "With the query, as it was sent.",
      examples: ["/client/v4/accounts/023e105f4ecef8ad9ca31a8372d0c353/magic/cf_interconnects"],
    }),
    operation: Type.Union([Type.String({ examples: ["updateInterconnects"] }), Type.Null()], {
      description: "The operation's name; none where the path names nothing.",
    }),
    status: Type.Union([Type.Integer({ examples: [200] }), Type.Null()], {
      description: "None if a fault dropped the connection.",
    }),
    duration_ms: Type.Number({
      minimum: 0,
      description: "From the request's headers to its answer.",
      examples: [1.25],
    }),
    fault: Type.Union([Type.String({ examples: ["status=429"] }), Type.Null()], {
      description: "What a fault that was armed did to it.",
    }),
    request: Type.Object(side, closed),
    response: Type.Object(side, closed),
    problems: Type.Array(ResponseInfo, {
      description: `What was wrong with it: the first ${PROBLEMS_KEPT} \`errors\` of the answer.`,
    }),
    ignored: Type.Union(
      [Type.Array(Type.String({ examples: ["/interconnects/0/modified_on"] })), Type.Null()],
      {
        description: `JSON pointers to what an accepted body says and nothing was taken from, because it is read-only. What is unknown is never ignored, but refused. None known of bodies larger than ${LARGEST_SEARCHED} bytes.`,
      },
    ),
  },
  { title: "SeenRequest", ...closed },
);
export type SeenRequest = Static<typeof SeenRequest>;

/** What may be asked of what was seen. */
export const inspectorOperations = {
  listRequests: {
    method: "GET",
    path: "/patchbay/v1/requests",
    summary: "The requests that this server answered last",
    description: `The newest ${REQUESTS_KEPT} to paths of the API, oldest first, those that were refused too; not those of this operation. They are kept in memory, each server its own. Tokens, keys and other secrets are masked.`,
    groups: accepted.administer,
    sandboxOnly: true,
    query: ["since", "wait"],
    refusals: ["too_many_followers"],
    parameters: {
      since: {
        schema: Type.Integer({ minimum: 0 }),
        description:
          "Only those with a larger `number`. With one that is larger than the newest, which another start of the server gave, all are told.",
      },
      wait: {
        schema: Type.Integer({ minimum: 0, maximum: LOG_BOUNDS.longestWait, default: 0 }),
        description: "How many seconds to wait for a request if there is none yet.",
      },
    },
    answer: success(Type.Object({ requests: Type.Array(SeenRequest) }, closed)),
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
