/** Faults that a sandbox is told to have, so that a client's answer to them can be tried. */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

/** Statuses that a fault can answer with. */
export const faultStatuses = [400, 401, 403, 404, 409, 429, 500, 502, 503, 504] as const;
export type FaultStatus = (typeof faultStatuses)[number];

/** The longest delay, in milliseconds. */
const LONGEST_DELAY = 60_000;

const members = {
  /** By its name in the list of operations. */
  operation: Type.String(),
  /** Answered instead of carrying the operation out. */
  status: Type.Optional(Type.Enum([...faultStatuses])),
  /** How much later the answer leaves. */
  latency_ms: Type.Optional(Type.Integer({ minimum: 1, maximum: LONGEST_DELAY })),
  /** The connection is closed without an answer, before the operation is carried out or after it. */
  drop: Type.Optional(Type.Enum(["before", "after"])),
};
const times = Type.Integer({ minimum: 1, maximum: 1_000_000 });

export const ArmedFault = Type.Object({ ...members, times: Type.Optional(times) }, closed);
export type ArmedFault = Static<typeof ArmedFault>;

/** A fault as it stands: how often it struck, and how often it still will. */
export const Fault = Type.Object(
  { ...members, times, struck: Type.Integer({ minimum: 0 }), left: Type.Integer({ minimum: 0 }) },
  closed,
);
export type Fault = Static<typeof Fault>;

const faults = success(Type.Object({ faults: Type.Array(Fault) }, closed));

/** What may be asked of faults. */
export const faultOperations = {
  listFaults: {
    method: "GET",
    path: "/patchbay/v1/faults",
    summary: "List the faults that are armed, and how often each struck (sandbox only)",
    groups: accepted.administer,
    query: [],
    answer: faults,
    origin: "patchbay",
  },
  armFault: {
    method: "PUT",
    path: "/patchbay/v1/faults",
    summary: "Arm a fault for the next requests of an operation (sandbox only)",
    groups: accepted.administer,
    query: [],
    answer: success(Fault),
    body: ArmedFault,
    origin: "patchbay",
  },
  clearFaults: {
    method: "DELETE",
    path: "/patchbay/v1/faults",
    summary: "Clear all faults (sandbox only)",
    groups: accepted.administer,
    query: [],
    answer: faults,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
