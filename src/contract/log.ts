/** Patchbay's own answers: the log of changes and the state of an account. */

import Type, { type Static } from "typebox";
import { AccountSettings } from "./account-administration.ts";
import { Cni, CniSettings } from "./cni/cni.ts";
import { ListedPort } from "./cni/port.ts";
import { AdministeredSlot } from "./cni/slot.ts";
import { success } from "./envelope.ts";
import { Interconnect } from "./interconnect.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";
import { StaticRoute } from "./static-route.ts";

const closed = { additionalProperties: false } as const;

/** Who made a change: a token, a user by key, or Patchbay itself. */
export const Actor = Type.Object(
  {
    type: Type.Enum(["token", "user", "system"]),
    id: Type.String(),
    /** The token's name, the user's e-mail address, or what Patchbay was doing. */
    name: Type.String(),
  },
  closed,
);
export type Actor = Static<typeof Actor>;

/** A field's value before and after. A side that is absent had, or has, no value. */
const FieldChange = Type.Object(
  { before: Type.Optional(Type.Unknown()), after: Type.Optional(Type.Unknown()) },
  closed,
);

const change = {
  kind: Type.String(),
  id: Type.String(),
  name: Type.Optional(Type.String()),
  action: Type.Enum(["create", "update", "delete"]),
  /** By dotted path, e.g. `health_check.rate`. `modified_on` is not listed: it is the change's time. */
  fields: Type.Record(Type.String(), FieldChange),
};

/** What happened to one object. */
export const OneChange = Type.Object(change, closed);

const ObjectChange = Type.Object(
  {
    ...change,
    /** In the directory: the accounts the object concerns or concerned; `*` is all of them. */
    accounts: Type.Optional(Type.Array(Type.String())),
  },
  closed,
);

export const ChangeRecord = Type.Object(
  {
    revision: Type.Integer({ minimum: 1 }),
    time: Type.String({ format: "date-time" }),
    actor: Actor,
    /** The `cf-ray` of the request that made the change. */
    request_id: Type.String(),
    /** The address it came from. */
    address: Type.Optional(Type.String()),
    operation: Type.String(),
    objects: Type.Array(ObjectChange),
  },
  closed,
);
export type ChangeRecord = Static<typeof ChangeRecord>;

export const ChangeListAnswer = success(Type.Array(ChangeRecord));
export const ChangeAnswer = success(ChangeRecord);

export const StateAnswer = success(
  Type.Object(
    {
      account_id: Type.String(),
      epoch: Type.String(),
      revision: Type.Integer({ minimum: 0 }),
      settings: AccountSettings,
      cni_settings: CniSettings,
      interconnects: Type.Array(Interconnect),
      routes: Type.Array(StaticRoute),
      slots: Type.Array(AdministeredSlot),
      ports: Type.Array(ListedPort),
      /** The other view of those interconnects that CNIs made. */
      cnis: Type.Array(Cni),
    },
    closed,
  ),
);

const own = "/patchbay/v1/accounts/:account_id";

/** What may be asked of the log and the state. */
export const logOperations = {
  listChanges: {
    method: "GET",
    path: `${own}/changes`,
    summary: "List or follow the account's changes",
    groups: accepted.readLog,
    query: ["limit", "cursor", "after", "wait", "epoch"],
    answer: ChangeListAnswer,
    origin: "patchbay",
  },
  getChange: {
    method: "GET",
    path: `${own}/changes/:revision`,
    summary: "One change",
    groups: accepted.readLog,
    query: [],
    answer: ChangeAnswer,
    origin: "patchbay",
  },
  getState: {
    method: "GET",
    path: `${own}/state`,
    summary: "All objects of the account, with epoch and revision",
    groups: accepted.readLog,
    query: [],
    answer: StateAnswer,
    origin: "patchbay",
  },
  listDirectoryChanges: {
    method: "GET",
    path: "/patchbay/v1/changes",
    summary: "List or follow the changes to accounts, users and tokens",
    groups: accepted.administer,
    query: ["limit", "cursor", "after", "wait", "epoch"],
    answer: ChangeListAnswer,
    origin: "patchbay",
  },
  getDirectoryChange: {
    method: "GET",
    path: "/patchbay/v1/changes/:revision",
    summary: "One change to accounts, users or tokens",
    groups: accepted.administer,
    query: [],
    answer: ChangeAnswer,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
