/** Who changed what last: of each interconnect the newest change, without going through the log. */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import { Actor } from "./log.ts";
import type { Operation } from "./operation.ts";
import { MOST_NAMED } from "./parameters.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

/** The change that an object's version is of. */
const Head = Type.Object(
  {
    time: Type.String({ format: "date-time", examples: ["2026-01-02T03:04:05.678901Z"] }),
    actor: Actor,
    operation: Type.String({ description: "By its `operationId`.", examples: ["updateInterconnect"] }),
    reason: Type.Optional(Type.String({ examples: ["Move ORD to the new port"] })),
  },
  { title: "ChangeHead", ...closed },
);

export const LastChange = Type.Object(
  {
    interconnect: Type.String({
      description: "The interconnect's identifier.",
      examples: ["c4a7362d577a6c3019a474fd6f485821"],
    }),
    revision: Type.Integer({ minimum: 1, description: "The revision that changed it last.", examples: [2] }),
    change: Type.Union([Head, Type.Null()], { description: "None where the log begins later." }),
  },
  { title: "LastChange", ...closed },
);
export type LastChange = Static<typeof LastChange>;

/** What may be asked of last changes. */
export const lastChangeOperations = {
  listLastChanges: {
    method: "GET",
    path: "/patchbay/v1/accounts/:account_id/last-changes",
    summary: "Who changed interconnects last, and when",
    description: `Of the interconnects that are named, in their order, or of the account's first ${MOST_NAMED}: the revision that changed each last, and by whom it was made.`,
    groups: accepted.readLog,
    query: ["interconnect"],
    lists: ["interconnect"],
    answer: success(Type.Array(LastChange)),
    refusals: ["store_unreadable"],
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
