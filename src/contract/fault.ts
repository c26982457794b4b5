/** Faults that a sandbox is told to have, so that a client's answer to them can be tried. */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

/** Statuses that a fault can answer with. */
export const faultStatuses = [400, 401, 403, 404, 409, 429, 500, 502, 503, 504] as const;
export type FaultStatus = (typeof faultStatuses)[number];

/** Stands for all operations of the vendor's. */
export const EVERY_VENDOR_OPERATION = "*";

/** The longest delay, in milliseconds. */
const LONGEST_DELAY = 60_000;

const members = {
  operation: Type.String({
    description: "The operation's name, as in this reference; `*` is every operation of the vendor's.",
    examples: ["updateInterconnects"],
  }),
  status: Type.Optional(
    Type.Enum([...faultStatuses], { description: "Answered instead of carrying the operation out." }),
  ),
  latency_ms: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: LONGEST_DELAY,
      description: "How many milliseconds later the answer leaves.",
      examples: [250],
    }),
  ),
  drop: Type.Optional(
    Type.Enum(["before", "after"], {
      description:
        "The connection is closed without an answer, before the operation is carried out or after it.",
    }),
  ),
};
const times = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: "How many requests it strikes; 1 unless said.",
  examples: [2],
});

export const ArmedFault = Type.Object({ ...members, times: Type.Optional(times) }, closed);
export type ArmedFault = Static<typeof ArmedFault>;

/** A fault as it stands: how often it struck, and how often it still will. */
export const Fault = Type.Object(
  {
    id: Type.Integer({ minimum: 1, description: "By which it is taken away.", examples: [1] }),
    ...members,
    times,
    struck: Type.Integer({ minimum: 0, description: "How often it struck.", examples: [1] }),
    left: Type.Integer({ minimum: 0, description: "How often it still will.", examples: [1] }),
  },
  { ...closed, title: "Fault" },
);
export type Fault = Static<typeof Fault>;

const faults = success(Type.Object({ faults: Type.Array(Fault) }, closed));

/** What may be asked of faults. */
export const faultOperations = {
  listFaults: {
    method: "GET",
    path: "/patchbay/v1/faults",
    summary: "List the faults that are armed, and how often each struck",
    groups: accepted.administer,
    sandboxOnly: true,
    volatile: true,
    query: [],
    answer: faults,
    origin: "patchbay",
  },
  armFault: {
    method: "PUT",
    path: "/patchbay/v1/faults",
    summary: "Arm a fault for the next requests of an operation, or of all the vendor's",
    groups: accepted.administer,
    sandboxOnly: true,
    volatile: true,
    query: [],
    answer: success(Fault),
    description:
      "Strikes the next `times` requests of the operation, after those of faults armed before. Each server has its own faults, also where several share a database. It needs at least one of `status`, `latency_ms` and `drop`, and takes no `status` with `drop`. An answer that a fault made up has the header `x-patchbay-fault`.",
    body: ArmedFault,
    example: { operation: "updateInterconnects", latency_ms: 250, times: 2 },
    refusals: ["unknown_operation", "fault_without_effect", "fault_contradicts_itself", "too_many_faults"],
    origin: "patchbay",
  },
  disarmFault: {
    method: "DELETE",
    path: "/patchbay/v1/faults/:fault",
    summary: "Take one fault away",
    groups: accepted.administer,
    sandboxOnly: true,
    volatile: true,
    query: [],
    parameters: {
      fault: {
        schema: Type.Integer({ minimum: 1 }),
        description: "The fault's `id`, as the list of faults tells it.",
        example: 1,
        refusals: ["fault_not_found"],
      },
    },
    answer: success(Fault),
    body: Type.Object({}, closed),
    bodyOptional: true,
    origin: "patchbay",
  },
  clearFaults: {
    method: "DELETE",
    path: "/patchbay/v1/faults",
    summary: "Clear all faults",
    groups: accepted.administer,
    sandboxOnly: true,
    volatile: true,
    query: [],
    answer: faults,
    body: Type.Object({}, closed),
    bodyOptional: true,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
