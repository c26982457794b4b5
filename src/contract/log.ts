/** Patchbay's own answers: the log of changes and the state of an account. */

import Type, { type Static } from "typebox";
import { AccountSettings } from "./account-administration.ts";
import { Cni, CniSettings } from "./cni/cni.ts";
import { ListedPort } from "./cni/port.ts";
import { AdministeredSlot } from "./cni/slot.ts";
import { success } from "./envelope.ts";
import { Interconnect } from "./interconnect.ts";
import type { Operation } from "./operation.ts";
import type { Parameter } from "./parameters.ts";
import { accepted } from "./permissions.ts";
import { StaticRoute } from "./static-route.ts";

const closed = { additionalProperties: false } as const;

/** Who made a change: a token, a user by key, or Patchbay itself. */
export const Actor = Type.Object(
  {
    type: Type.Enum(["token", "user", "system"], {
      description: "A token, a user by key, or Patchbay itself.",
      examples: ["token"],
    }),
    id: Type.String({
      description: "The token's or user's identifier.",
      examples: ["ed17574386854bf78a67040be0a770b0"],
    }),
    name: Type.String({
      description: "The token's name, the user's e-mail address, or what Patchbay was doing.",
      examples: ["everything"],
    }),
  },
  { title: "Actor", ...closed },
);
export type Actor = Static<typeof Actor>;

/** A field's value before and after. A side that is absent had, or has, no value. */
const FieldChange = Type.Object(
  { before: Type.Optional(Type.Unknown()), after: Type.Optional(Type.Unknown()) },
  { examples: [{ before: 1476, after: 1400 }], ...closed },
);

const change = {
  kind: Type.String({ description: "What it is: `interconnect`, `route`, …", examples: ["interconnect"] }),
  id: Type.String({ examples: ["c4a7362d577a6c3019a474fd6f485821"] }),
  name: Type.Optional(
    Type.String({ description: "What it was called, if it has a name.", examples: ["pni_ord"] }),
  ),
  action: Type.Enum(["create", "update", "delete"], { examples: ["update"] }),
  // `modified_on` is not listed: it is the change's time.
  fields: Type.Record(Type.String(), FieldChange, {
    description:
      "By dotted path, such as `health_check.rate`: the value before and after. A side that is absent had, or has, no value; secrets are masked.",
    examples: [{ mtu: { before: 1476, after: 1400 } }],
  }),
};

/** What happened to one object. */
export const OneChange = Type.Object(change, closed);

const ObjectChange = Type.Object(
  {
    ...change,
    accounts: Type.Optional(
      Type.Array(Type.String(), {
        description: "In the directory: the accounts the object concerns or concerned; `*` is all of them.",
      }),
    ),
  },
  closed,
);

export const ChangeRecord = Type.Object(
  {
    revision: Type.Integer({ minimum: 1, description: "The revision that the change made.", examples: [2] }),
    time: Type.String({
      format: "date-time",
      description: "When it was made, in UTC with microseconds.",
      examples: ["2026-01-02T03:04:05.678901Z"],
    }),
    actor: Actor,
    request_id: Type.String({
      description: "The `cf-ray` of the request that made the change.",
      examples: ["9b2f1c0d3e4a5b6c-PBY"],
    }),
    address: Type.Optional(
      Type.String({ description: "The address it came from.", examples: ["127.0.0.1"] }),
    ),
    operation: Type.String({
      description: "The operation, by its `operationId`; `seed` for what was there from the start.",
      examples: ["updateInterconnect"],
    }),
    reason: Type.Optional(
      Type.String({
        description: "Why it was made, as `x-patchbay-reason` said.",
        examples: ["Move ORD to the new port"],
      }),
    ),
    reverts: Type.Optional(
      Type.Integer({ minimum: 1, description: "The revision of the change that it undoes.", examples: [2] }),
    ),
    restores: Type.Optional(
      Type.Integer({ minimum: 1, description: "The revision that it goes back to.", examples: [1] }),
    ),
    objects: Type.Array(ObjectChange, { description: "Every object that changed." }),
  },
  { title: "ChangeRecord", ...closed },
);
export type ChangeRecord = Static<typeof ChangeRecord>;

export const ChangeListAnswer = success(Type.Array(ChangeRecord));
export const ChangeAnswer = success(ChangeRecord);

/** The change that waits to be confirmed. */
const PendingChange = Type.Object(
  {
    revision: Type.Integer({ minimum: 1, description: "Of the change.", examples: [2] }),
    confirm_by: Type.String({
      format: "date-time",
      description: "When it is undone, unless it is confirmed before.",
      examples: ["2026-01-02T03:09:05.678Z"],
    }),
    actor: Actor,
    reason: Type.Optional(Type.String({ examples: ["Move ORD to the new port"] })),
    revert_on: Type.Optional(
      Type.Enum(["down", "degraded"], {
        description:
          "It is undone before, once an interconnect that it touched and that was healthy is reported so.",
        examples: ["down"],
      }),
    ),
  },
  { title: "PendingChange", ...closed },
);

/** The link below an interconnect, for who makes it real. */
export const LinkBelow = Type.Object(
  {
    interconnect: Type.String({
      description: "The interconnect's identifier.",
      examples: ["5d41402abc4b2a76b9719d911017c592"],
    }),
    provider: Type.String({ description: "The provider's end, as a prefix.", examples: ["192.0.2.4/31"] }),
    customer: Type.String({ description: "The customer's end, as a prefix.", examples: ["192.0.2.5/31"] }),
  },
  { title: "LinkBelow", ...closed },
);
export type LinkBelow = Static<typeof LinkBelow>;

export const StateAnswer = success(
  Type.Object(
    {
      account_id: Type.String({ examples: ["023e105f4ecef8ad9ca31a8372d0c353"] }),
      epoch: Type.String({
        description: "A random word that is new whenever history is: after a reset or a restore.",
        examples: ["8f14e45fceea167a"],
      }),
      revision: Type.Integer({
        minimum: 0,
        description: "Grows by one with every change of the account.",
        examples: [2],
      }),
      pending_change: Type.Union([PendingChange, Type.Null()]),
      settings: AccountSettings,
      cni_settings: CniSettings,
      interconnects: Type.Array(Interconnect),
      routes: Type.Array(StaticRoute),
      slots: Type.Array(AdministeredSlot),
      ports: Type.Array(ListedPort),
      /** The other view of those interconnects that CNIs made. */
      cnis: Type.Array(Cni),
      links: Type.Array(LinkBelow, { description: "The links below interconnects that have one." }),
    },
    closed,
  ),
);

const own = "/patchbay/v1/accounts/:account_id";

/** Of a list, and of one change. */
const logRefusals = [
  "history_moved",
  "history_pruned",
  "too_many_followers",
  "store_unavailable",
  "store_unreadable",
] as const;
const changeRefusals = ["change_pruned", "store_unreadable"] as const;

/** Where the log is the directory's. */
const directoryParameters: Readonly<Record<string, Parameter>> = {
  revision: {
    schema: Type.Integer({ minimum: 1 }),
    description: "The revision that the change brought the directory to.",
    example: 1,
    refusals: ["change_not_found"],
  },
  epoch: {
    schema: Type.String(),
    description:
      "With `after`: the epoch that the revision is of. If the directory has another by now, the answer is 410.",
  },
};

/** What may be asked of the log and the state. */
export const logOperations = {
  listChanges: {
    method: "GET",
    path: `${own}/changes`,
    summary: "List or follow the account's changes",
    description:
      "Without `after`: newest first, in pages. With `after`: what came after that revision, oldest first, as soon as there is some or `wait` seconds are over. `result_info` tells `count`, `epoch` and `revision` of the account, and the `cursor` of the next page if there is one.",
    refusals: logRefusals,
    groups: accepted.readLog,
    query: ["limit", "cursor", "after", "wait", "epoch"],
    answer: ChangeListAnswer,
    origin: "patchbay",
  },
  getChange: {
    method: "GET",
    path: `${own}/changes/:revision`,
    summary: "One change",
    refusals: changeRefusals,
    groups: accepted.readLog,
    query: [],
    answer: ChangeAnswer,
    origin: "patchbay",
  },
  getState: {
    method: "GET",
    path: `${own}/state`,
    summary: "All objects of the account, with epoch and revision",
    description:
      "One consistent answer, in which secrets are masked. Follow `changes` from its `revision` on.",
    conditional: true,
    groups: accepted.readLog,
    query: [],
    answer: StateAnswer,
    origin: "patchbay",
  },
  listDirectoryChanges: {
    method: "GET",
    path: "/patchbay/v1/changes",
    summary: "List or follow the changes to accounts, users and tokens",
    description:
      "As `listChanges`, of the directory: the accounts there are, users and tokens. Secrets are masked.",
    parameters: directoryParameters,
    refusals: logRefusals,
    groups: accepted.administer,
    query: ["limit", "cursor", "after", "wait", "epoch"],
    answer: ChangeListAnswer,
    origin: "patchbay",
  },
  getDirectoryChange: {
    method: "GET",
    path: "/patchbay/v1/changes/:revision",
    summary: "One change to accounts, users or tokens",
    parameters: directoryParameters,
    refusals: changeRefusals,
    groups: accepted.administer,
    query: [],
    answer: ChangeAnswer,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
