/**
 * Health on the wire: what an edge reports of the interconnects it carries, and what is shown of it.
 *
 * An edge reports in batches. A batch may come twice (its answer was lost): minutes and transitions are named by what
 * they are of, so that the second one changes nothing. Times are the edge's, RFC 3339 in UTC with milliseconds.
 */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import type { Operation } from "./operation.ts";
import { MOST_NAMED } from "./parameters.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

/** The most minutes, and the most transitions, of one report. */
export const MOST_IN_REPORT = 10_000;
/** Seconds without a report after which what an edge said is stale: such an edge is never healthy. */
export const STALE_AFTER = 20;
/** Days for which minutes and transitions are kept. */
export const HEALTH_KEPT_DAYS = 7;
/** Edges of an account that are known at once. */
export const MOST_EDGES = 100;
/** The most minutes, and the most transitions, that one answer tells; the newest are told. */
export const MOST_IN_ANSWER = 20_000;
/** The most minutes of each interconnect where several are told with their last hour; the newest are told. */
export const MOST_MINUTES_OF_ONE = MOST_IN_ANSWER / MOST_NAMED;

const Time = (description: string) =>
  Type.String({ format: "date-time", description, examples: ["2026-01-02T03:04:05.678Z"] });
const Id = Type.String({
  minLength: 1,
  maxLength: 32,
  description: "The interconnect's identifier.",
  examples: ["c4a7362d577a6c3019a474fd6f485821"],
});
const Milliseconds = (description: string, example: number) =>
  Type.Number({ minimum: 0, maximum: 60_000, description, examples: [example] });

/** The vendor's three states. */
export const HealthState = Type.Enum(["healthy", "degraded", "down"], {
  description:
    "As the vendor judges: `down` after three probes in a row without an answer, `degraded` while some fail or it recovers.",
  examples: ["healthy"],
});
export type HealthState = Static<typeof HealthState>;

const Reason = Type.String({
  maxLength: 500,
  description: "Why, in a sentence.",
  examples: ["3 probes in a row without an answer"],
});

const EdgeName = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
  description: "The edge's name, unique in the account.",
  examples: ["ord-1"],
});
const Site = Type.String({
  maxLength: 64,
  description: "Where the edge is: a data centre's short name.",
  examples: ["ord"],
});
const Role = Type.Enum(["provider", "customer"], {
  description: "Which end of the interconnects it is.",
  examples: ["provider"],
});

/** What an edge made of the account's settings, in the words of agents that configure devices. */
const Configuration = Type.Object(
  {
    status: Type.Enum(["modified", "applied", "error"], {
      description:
        "`modified`: the account moved on and the edge is not there yet; `applied`: its kernel is as the revision says; `error`: some of it could not be made.",
      examples: ["applied"],
    }),
    epoch: Type.String({ maxLength: 64, examples: ["8f14e45fceea167a"] }),
    revision: Type.Integer({
      minimum: 0,
      description: "The revision that the edge last tried to make real.",
      examples: [2],
    }),
    problems: Type.Array(Type.Object({ interconnect: Type.Optional(Id), reason: Reason }, closed), {
      maxItems: 1000,
      description: "What could not be made, each with its reason.",
    }),
  },
  { title: "EdgeConfiguration", ...closed },
);
export type EdgeConfiguration = Static<typeof Configuration>;

/** A state as it is now. */
const Current = Type.Object(
  { interconnect: Id, state: HealthState, since: Time("When it became so."), reason: Reason },
  closed,
);

export const Transition = Type.Object(
  {
    interconnect: Id,
    time: Time("When it was seen."),
    from: Type.Union([HealthState, Type.Null()], { description: "None where it was not watched before." }),
    to: HealthState,
    reason: Reason,
  },
  { title: "HealthTransition", ...closed },
);
export type Transition = Static<typeof Transition>;

const Latency = Type.Object(
  {
    min: Milliseconds("The shortest round trip of the minute, in milliseconds.", 0.42),
    median: Milliseconds("The median.", 0.51),
    p99: Milliseconds("The 99th percentile.", 1.9),
  },
  closed,
);

/** What a minute brought: probes sent in it, those that stayed without an answer, and round trips of the others. */
export const Minute = Type.Object(
  {
    interconnect: Id,
    minute: Time("The minute's first moment."),
    sent: Type.Integer({ minimum: 0, maximum: 1_000_000, examples: [6] }),
    lost: Type.Integer({ minimum: 0, maximum: 1_000_000, examples: [0] }),
    latency: Type.Union([Latency, Type.Null()], { description: "None if nothing came back." }),
    jitter: Type.Union([Milliseconds("Mean difference of one round trip to the next.", 0.08), Type.Null()]),
  },
  { title: "HealthMinute", ...closed },
);
export type Minute = Static<typeof Minute>;

/** A port of the edge that a slot of the account is mapped to. */
const EdgePort = Type.Object(
  {
    slot: Type.String({ maxLength: 64, description: "The slot, by its identifier." }),
    device: Type.String({ maxLength: 15, examples: ["eth1"] }),
    up: Type.Boolean({ description: "Does it carry a signal?" }),
  },
  closed,
);

/** The body of a report. `states` replaces all that was said of states before; without it, they stay as they were. */
export const HealthReport = Type.Object(
  {
    edge: EdgeName,
    site: Site,
    role: Role,
    driver: Type.Enum(["kernel", "userspace"], { examples: ["kernel"] }),
    version: Type.String({ maxLength: 64, description: "Of the agent.", examples: ["0.1.0"] }),
    configuration: Configuration,
    states: Type.Optional(Type.Array(Current, { maxItems: MOST_IN_REPORT })),
    transitions: Type.Array(Transition, { maxItems: MOST_IN_REPORT }),
    minutes: Type.Array(Minute, { maxItems: MOST_IN_REPORT }),
    ports: Type.Array(EdgePort, { maxItems: 1000 }),
  },
  {
    title: "HealthReport",
    description: "What an edge sees and is.",
    examples: [
      {
        edge: "ord-1",
        site: "ord",
        role: "provider",
        driver: "kernel",
        version: "0.1.0",
        configuration: { status: "applied", epoch: "8f14e45fceea167a", revision: 1, problems: [] },
        states: [
          {
            interconnect: "c4a7362d577a6c3019a474fd6f485821",
            state: "healthy",
            since: "2026-01-02T03:04:05.678Z",
            reason: "answers again",
          },
        ],
        transitions: [],
        minutes: [],
        ports: [],
      },
    ],
    ...closed,
  },
);
export type HealthReport = Static<typeof HealthReport>;

/** What became of a report. */
const Receipt = Type.Object(
  {
    received: Time("When it came, by the server's clock."),
    stale_after: Type.Integer({
      minimum: 1,
      description: "Seconds in which the next one must come for the edge not to be stale.",
      examples: [STALE_AFTER],
    }),
  },
  { title: "HealthReceipt", ...closed },
);

/** The vendor's three, and what is not known. */
export const ShownState = Type.Enum(["healthy", "degraded", "down", "unknown"], {
  description: "`unknown` is what no edge tells, or none that was heard of lately: it is never healthy.",
  examples: ["healthy"],
});
export type ShownState = Static<typeof ShownState>;

const ShownReason = Type.String({ description: "Why, in a sentence.", examples: ["answers again"] });

/** An edge, as the server last heard of it. */
const ShownEdge = Type.Object(
  {
    edge: EdgeName,
    site: Site,
    role: Role,
    driver: Type.Enum(["kernel", "userspace"], { examples: ["kernel"] }),
    version: Type.String({ description: "Of the agent.", examples: ["0.1.0"] }),
    seen_on: Time("When its last report came, by the server's clock."),
    stale: Type.Boolean({
      description: `Is that longer ago than ${STALE_AFTER} seconds? Then nothing that it said counts.`,
      examples: [false],
    }),
    configuration: Type.Object(
      {
        ...Configuration.properties,
        status: Type.Enum(["modified", "applied", "error"], {
          description:
            "`modified`: the account has moved on from what the edge made real; `applied`: it is as the account says; `error`: some of it could not be made.",
          examples: ["applied"],
        }),
      },
      { title: "ShownEdgeConfiguration", ...closed },
    ),
  },
  { title: "ShownEdge", ...closed },
);
export type ShownEdge = Static<typeof ShownEdge>;

const ShownMinute = Type.Object(
  {
    edge: EdgeName,
    minute: Minute.properties.minute,
    sent: Minute.properties.sent,
    lost: Minute.properties.lost,
    latency: Minute.properties.latency,
    jitter: Minute.properties.jitter,
  },
  { title: "ShownHealthMinute", ...closed },
);
export type ShownMinute = Static<typeof ShownMinute>;

const { edge: _, ...ofMinute } = ShownMinute.properties;

const AtEdge = Type.Object(
  {
    edge: EdgeName,
    site: Site,
    role: Role,
    state: ShownState,
    since: Type.Union([Time("When it became so, by the edge's clock."), Type.Null()]),
    reason: ShownReason,
    last_minute: Type.Union([Type.Object(ofMinute, closed), Type.Null()], {
      description: "The newest minute that the edge has told of.",
    }),
  },
  { title: "HealthAtEdge", ...closed },
);

const overall = {
  id: Id,
  name: Type.String({ examples: ["pni_ord"] }),
  state: ShownState,
  since: Type.Union([Time("When it became so, by the clock of the edge that says so."), Type.Null()]),
  reason: ShownReason,
  edges: Type.Array(AtEdge, { description: "The same, edge by edge." }),
};

/** The worst that a provider edge says of it, of those that were heard of lately. */
export const InterconnectHealth = Type.Object(
  {
    ...overall,
    minutes: Type.Optional(
      Type.Array(ShownMinute, {
        description: `The last hour, by time, then by edge: the newest ${MOST_MINUTES_OF_ONE}. There where \`interconnect\` asked for it.`,
      }),
    ),
  },
  { title: "InterconnectHealth", ...closed },
);
export type InterconnectHealth = Static<typeof InterconnectHealth>;

const ShownTransition = Type.Object(
  {
    edge: EdgeName,
    time: Transition.properties.time,
    from: Transition.properties.from,
    to: Transition.properties.to,
    reason: Reason,
  },
  { title: "ShownHealthTransition", ...closed },
);
export type ShownTransition = Static<typeof ShownTransition>;

const standing = {
  time: Time("The server's clock."),
  epoch: Type.String({ description: "Of the account.", examples: ["8f14e45fceea167a"] }),
  revision: Type.Integer({ minimum: 0, description: "Of the account.", examples: [2] }),
};

export const AccountHealth = Type.Object(
  { ...standing, edges: Type.Array(ShownEdge), interconnects: Type.Array(InterconnectHealth) },
  { title: "AccountHealth", ...closed },
);
export type AccountHealth = Static<typeof AccountHealth>;

export const InterconnectHistory = Type.Object(
  {
    ...standing,
    ...overall,
    from: Time(
      `What follows is told from then on: later than asked where there is more than ${MOST_IN_ANSWER} of it.`,
    ),
    minutes: Type.Array(ShownMinute, { description: "By time, then by edge." }),
    transitions: Type.Array(ShownTransition, { description: "By time." }),
  },
  { title: "InterconnectHistory", ...closed },
);
export type InterconnectHistory = Static<typeof InterconnectHistory>;

const own = "/patchbay/v1/accounts/:account_id/health";

/** What an edge tells of the interconnects, and what is told of them. */
export const healthOperations = {
  reportHealth: {
    method: "POST",
    path: `${own}/reports`,
    summary: "Report what an edge sees",
    description:
      "Minutes and transitions are named by what they are of, so that a report that is sent again changes nothing. Interconnects that the account does not have are left out, as are minutes and transitions older than are kept; `messages` say so. It moves no revision.",
    groups: accepted.reportHealth,
    query: [],
    unlogged: true,
    answer: success(Receipt),
    body: HealthReport,
    refusals: ["too_many_edges", "health_not_kept"],
    origin: "patchbay",
  },
  getHealth: {
    method: "GET",
    path: own,
    summary: "Health of all interconnects, and the edges that tell it",
    description: `The state of an interconnect is the worst that a provider edge says of it. What an edge said counts for ${STALE_AFTER} seconds after its last report; where none counts, the state is \`unknown\`. With \`interconnect\`, those are told alone, each with the minutes of its last hour.`,
    groups: accepted.readHealth,
    query: ["interconnect"],
    lists: ["interconnect"],
    answer: success(AccountHealth),
    origin: "patchbay",
  },
  getInterconnectHealth: {
    method: "GET",
    path: `${own}/:cf_interconnect_id`,
    summary: "Health of one interconnect, and how it was",
    description: `Minutes and transitions are kept for ${HEALTH_KEPT_DAYS} days.`,
    groups: accepted.readHealth,
    query: ["since"],
    answer: success(InterconnectHistory),
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
