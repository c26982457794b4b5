/**
 * Every path, query and header parameter by its name: what it takes, in a sentence, and what is refused
 * because of it. An operation lists names; where a name means something else there, it says so itself.
 */

import Type, { type TSchema } from "typebox";
import { PAGE } from "./directory/paging.ts";
import type { ErrorName } from "./errors.ts";

export interface Parameter {
  readonly schema: TSchema;
  readonly description: string;
  /** A value that the demonstration knows. */
  readonly example?: string | number | boolean;
  readonly required?: true;
  /** In a query: without a value it is as if it were left out. */
  readonly mayBeEmpty?: true;
  /** Refusals of an operation that follow from having it. */
  readonly refusals?: readonly ErrorName[];
}

type Parameters = Readonly<Record<string, Parameter>>;

/** The most changes in one answer, how many there are unless asked, and the longest wait in seconds. */
export const LOG_BOUNDS = { most: 100, usual: 20, longestWait: 60 } as const;

/** The most objects that a request for some of them names. */
export const MOST_NAMED = 100;

/** Seconds in which a change may be made to be confirmed. */
export const CONFIRM_BOUNDS = { least: 5, most: 86_400 } as const;

/** The longest reason, in characters. */
export const LONGEST_REASON = 500;

const Uuid = Type.String({ format: "uuid" });
const { usual, least, most } = PAGE;

const HexId = Type.String({ pattern: "^[0-9a-f]{32}$" });
const demoAccount = "023e105f4ecef8ad9ca31a8372d0c353";

/** The interconnect of a path, with another example where the operation needs one. */
export const interconnectId = (example: string): Parameter => ({
  schema: HexId,
  description: "The interconnect's `id`, as the list of interconnects tells it.",
  example,
  refusals: ["interconnect_not_found"],
});

/** The port of a path, likewise. */
export const portName = (example: string): Parameter => ({
  schema: Type.String(),
  description: "The port's `name`, as the list of CNI interconnects tells it.",
  example,
  refusals: ["port_not_found"],
});

export const pathParameters: Parameters = {
  account_id: {
    schema: HexId,
    description: "The account: 32 hexadecimal digits.",
    example: demoAccount,
    refusals: ["not_routable"],
  },
  cf_interconnect_id: interconnectId("c4a7362d577a6c3019a474fd6f485821"),
  route_id: {
    schema: HexId,
    description: "The route's `id`, as the list of routes tells it.",
    example: "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    refusals: ["route_not_found"],
  },
  revision: {
    schema: Type.Integer({ minimum: 1 }),
    description: "The revision that the change brought the account to.",
    example: 1,
    refusals: ["change_not_found"],
  },
  slot: {
    schema: Uuid,
    description: "The slot's `id`, as the list of slots tells it.",
    example: "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
    refusals: ["slot_not_found"],
  },
  icon: portName("sin-c1d7e5a24b98"),
  cni: {
    schema: Uuid,
    description: "The CNI's `id`, as the list of CNIs tells it.",
    example: "5d41402a-bc4b-2a76-b971-9d911017c592",
    refusals: ["cni_not_found"],
  },
  user_id: {
    schema: HexId,
    description: "The user's `id`, as the list of users tells it.",
    example: "2d4e6f80a1b3c5d7e9f0123456789abc",
    refusals: ["user_not_found"],
  },
};

export const queryParameters: Parameters = {
  validate_only: {
    schema: Type.Boolean({ default: false }),
    description:
      "With `true` (or `1`) the request is judged and answered as if it were made, and nothing is changed; a message in `messages` says so.",
  },
  limit: {
    schema: Type.Integer({ minimum: 1, maximum: LOG_BOUNDS.most, default: LOG_BOUNDS.usual }),
    description: "How many at most are in one answer.",
  },
  cursor: {
    schema: Type.String(),
    description: "`result_info.cursor` of the previous answer, to go on from there.",
    refusals: ["invalid_cursor"],
  },
  after: {
    schema: Type.Integer({ minimum: 0 }),
    description: "Follow: only changes after this revision, oldest first.",
  },
  wait: {
    schema: Type.Integer({ minimum: 0, maximum: LOG_BOUNDS.longestWait, default: 0 }),
    description: "With `after`: how many seconds to wait for a change if there is none yet.",
  },
  epoch: {
    schema: Type.String(),
    description:
      "With `after`: the epoch that the revision is of. If the account has another by now, the answer is 410.",
  },
  slot: {
    schema: Type.String(),
    description: "Only CNIs whose port is on the slot of this `id`.",
    mayBeEmpty: true,
  },
  tunnel_id: {
    schema: Type.String(),
    description: "Only the CNI of the Magic interconnect of this `id`, with or without the dashes of a UUID.",
    mayBeEmpty: true,
  },
  site: {
    schema: Type.String(),
    description: "Only what is at this site.",
    mayBeEmpty: true,
  },
  speed: {
    schema: Type.String(),
    description: "Only slots of exactly this speed.",
    mayBeEmpty: true,
  },
  occupied: {
    schema: Type.Boolean(),
    description: "With `true` only slots that are taken, with `false` only free ones.",
    mayBeEmpty: true,
  },
  address_contains: {
    schema: Type.String(),
    description: "Only slots with this text in a line of the facility's address, in whatever case.",
    mayBeEmpty: true,
  },
  page: {
    schema: Type.Integer({ minimum: 1, default: 1 }),
    description: "Which page. One after the last is empty.",
  },
  per_page: {
    schema: Type.Integer({ minimum: least, maximum: most, default: usual }),
    description: "How many at most are on a page.",
  },
  direction: {
    schema: Type.Enum(["asc", "desc"], { default: "asc" }),
    description: "With `desc` the last come first.",
  },
  since: {
    schema: Type.String({ format: "date-time" }),
    description: "From when on, RFC 3339; an hour ago unless said. What is older than 7 days is not kept.",
  },
  interconnect: {
    schema: Type.String({ minLength: 1 }),
    description: `Only the interconnects of these identifiers, ${MOST_NAMED} at most. One that the account does not have is left out.`,
  },
  include_expired: {
    schema: Type.Boolean({ default: false }),
    description: "With `true` (or `1`) tokens that have expired are listed too.",
  },
};

/** Headers of requests that change what they mean. Those of credentials are told as security schemes. */
export const headerParameters: Parameters = {
  "x-magic-new-hc-target": {
    schema: Type.Boolean({ default: false }),
    description:
      "The form of `health_check.target` in request and answer: with `true` an object `{effective, saved}`, else a text.",
    refusals: ["invalid_header"],
  },
};

/** Of every request that the log tells of. */
export const reasonHeader: Parameters = {
  "x-patchbay-reason": {
    schema: Type.String({ maxLength: LONGEST_REASON }),
    description: "Why, in your own words (UTF-8). It is kept with the change.",
    example: "Move ORD to the new port",
    refusals: ["invalid_header"],
  },
};

/** Of requests that change objects of an account. */
export const confirmHeaders: Parameters = {
  "x-patchbay-confirm-within": {
    schema: Type.Integer({ minimum: CONFIRM_BOUNDS.least, maximum: CONFIRM_BOUNDS.most }),
    description:
      "Seconds. The change is made at once, and undone by the server unless it is confirmed in that time. Until then the account takes no other change.",
    refusals: ["invalid_header"],
  },
  "x-patchbay-revert-on": {
    schema: Type.Enum(["down", "degraded"]),
    description:
      "With `x-patchbay-confirm-within`: the change is undone at once when a provider edge reports an interconnect that it touched, and that was healthy before, as `down`; or, with `degraded`, as degraded or down. It is confirmed by itself once all of those are healthy with the change for a while, and never later than the time that it was given.",
    refusals: ["invalid_header", "revert_on_alone"],
  },
  "x-patchbay-override": {
    schema: Type.Enum(["confirm", "revert"]),
    description:
      "For administrators, while a change waits to be confirmed: what becomes of it, before this request is decided. Both are done, or neither.",
    refusals: ["invalid_header"],
  },
};

const entityTags = Type.String({ maxLength: 4096 });

/** The conditions of a request on what is there. */
export const conditions: Readonly<Record<"reading" | "writing", Parameters>> = {
  reading: {
    "if-none-match": {
      schema: entityTags,
      description:
        "One or more `etag`s in quotes, or `*`: if one is still current, the answer is 304 without a body.",
      refusals: ["invalid_header"],
    },
    "if-match": {
      schema: entityTags,
      description: "One or more `etag`s in quotes, or `*`: if none is still current, the answer is 412.",
      refusals: ["invalid_header", "precondition_failed"],
    },
  },
  writing: {
    "if-match": {
      schema: entityTags,
      description:
        "One or more `etag`s in quotes, or `*`: if none is still current, the answer is 412 and nothing is changed.",
      refusals: ["invalid_header", "precondition_failed"],
    },
    "if-none-match": {
      schema: entityTags,
      description:
        "One or more `etag`s in quotes, or `*`: if one is still current, the answer is 412 and nothing is changed.",
      refusals: ["invalid_header", "precondition_failed"],
    },
  },
};
