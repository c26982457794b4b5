/**
 * The port, which the vendor's CNI API calls an interconnect: a slot that is taken, or a partner's
 * virtual port. CNIs are made on it. How it is kept and shown, and how it is made and unmade.
 */

import { Checker, show, showSome } from "../../contract/check.ts";
import { explainForm } from "../../contract/cni/forms.ts";
import {
  type DirectPort,
  type ListedPort,
  NewDirectPort,
  NewPartnerPort,
  type PartnerPort,
} from "../../contract/cni/port.ts";
import { type Problem, type Problems, problem } from "../../contract/errors.ts";
import { randomUuidDigits, uuidOf } from "../../contract/uuid.ts";
import type { Circumstances, Command, Wish } from "../decide.ts";
import type { Condition } from "../elements.ts";
import { interconnectKind, interconnectOf, type Version } from "../interconnect.ts";
import type { Doc, Entry, Kind, State } from "../state.ts";
import { type SlotDoc, slotDocOf, slotId, slotKind } from "./slot.ts";

type DirectDoc = {
  readonly type: "direct";
  readonly slot_id: string;
  /** A UUID; the interconnects made on the port carry its digits. */
  readonly virtual_port_reservation_id: string;
};

type PartnerDoc = {
  readonly type: "gcp_partner";
  readonly region: string;
  readonly speed: NewPartnerPort["bandwidth"];
  /** SHA-256, in hex: it tells a key that is used twice, and nothing else. */
  readonly pairing_key_hash: string;
  readonly virtual_port_reservation_id: string;
};

/** A port in store and log. Its identifier is its name. */
export type PortDoc = DirectDoc | PartnerDoc;

const claim = (form: string, field: string) => (doc: Doc) =>
  doc[field] === undefined ? [] : [`${form}:${String(doc[field])}`];

export const portKind: Kind = {
  name: "port",
  claims: {
    slot_id: claim("port-slot", "slot_id"),
    pairing_key_hash: claim("pairing-key", "pairing_key_hash"),
    virtual_port_reservation_id: claim("port-reservation", "virtual_port_reservation_id"),
  },
  conflict: (field, wanted, holder) => {
    if (field === "slot_id") return { name: "slot_occupied", values: { id: String(wanted[field]), holder } };
    if (field === "pairing_key_hash") return { name: "pairing_key_used", values: { holder } };
    return { name: "invalid_seed", values: { detail: `The ${field} is that of ${holder}.` } };
  },
  stamped: false,
  nameOf: () => undefined,
  masked: ["pairing_key_hash"],
  references: ({ slot_id }) => (slot_id === undefined ? [] : [{ kind: slotKind.name, id: String(slot_id) }]),
};

const KIND = portKind.name;

/** The document of a port's entry. Only this kind's rules write it, so its form is known. */
export function portDocOf(entry: Entry): PortDoc {
  return entry.doc as PortDoc;
}

/** A port as the vendor shows it. What is known of a direct one is that of its slot. */
export function portView(id: string, doc: PortDoc, slot: SlotDoc | undefined, account: string) {
  const common = { name: id, account };
  const { virtual_port_reservation_id } = doc;
  if (doc.type === "gcp_partner") {
    const { region, speed, type } = doc;
    return { ...common, region, speed, type, virtual_port_reservation_id } satisfies {
      [Field in keyof PartnerPort]-?: unknown;
    };
  }
  return {
    ...common,
    ccr_device_name: slot?.ccr_device_name,
    facility: slot?.facility,
    site: slot?.site,
    slot_id: doc.slot_id,
    speed: slot?.speed,
    type: doc.type,
    virtual_port_reservation_id,
  } satisfies { [Field in keyof DirectPort]-?: unknown };
}

/** A port as `/state` tells it. */
export function listedPortView(id: string, doc: Doc) {
  const { region, slot_id, speed, type, virtual_port_reservation_id } = doc;
  return { id, region, slot_id, speed, type, virtual_port_reservation_id } satisfies {
    [Field in keyof ListedPort]-?: unknown;
  };
}

/** The version of the interconnects that are made on a port: that of its slot; over a partner, the newest. */
export function versionOn(state: State, port: PortDoc): Version {
  if (port.type === "gcp_partner") return "2";
  const slot = state.newest(slotKind.name, port.slot_id);
  return slot?.entry ? slotDocOf(slot.entry).version : "2";
}

/** The region that a pairing key is for. */
export function regionOf(pairingKey: string): string {
  return pairingKey.split("/")[1] ?? "";
}

const checkers = {
  direct: new Checker(NewDirectPort, explainForm),
  gcp_partner: new Checker(NewPartnerPort, explainForm),
};

/** What the making of a port needs from outside. */
export interface PortSources {
  /** 32 random hexadecimal digits. */
  readonly newId: () => string;
  readonly hash: (secret: string) => string;
}

/** Takes a slot, or makes a partner's virtual port. */
export function createPort(
  body: unknown,
  condition: Condition,
  sources: PortSources,
  circumstances: Circumstances,
): Command {
  return {
    operation: "createCniInterconnect",
    circumstances,
    condition: (state) => condition(state, undefined),
    propose: (state, problems) => proposePort(state, body, sources, problems),
  };
}

function* proposePort(
  state: State,
  body: unknown,
  { newId, hash }: PortSources,
  problems: Problems,
): Iterable<Wish> {
  const type = readType(body, problems);
  if (!type) return;
  const fields = checkers[type].read(body, "", problems);
  if (!fields) return;
  judgeAccount(fields.account, state, problems);
  const reservation = uuidOf(randomUuidDigits(newId()));
  const wish = (place: string, doc: PortDoc): Wish => {
    const id = `${place.toLowerCase()}-${reservation.slice(0, 8)}${reservation.slice(9, 13)}`;
    const fieldNames = { pairing_key_hash: "pairing_key" };
    return { kind: portKind, slot: state.slotFor(KIND, id), doc, pointer: "", fieldNames };
  };
  if (fields.type === "gcp_partner") {
    const region = regionOf(fields.pairing_key);
    yield wish(`gcp-${region}`, {
      type: fields.type,
      region,
      speed: fields.bandwidth,
      pairing_key_hash: hash(fields.pairing_key.toLowerCase()),
      virtual_port_reservation_id: reservation,
    });
    return;
  }
  const slot = state.newest(slotKind.name, slotId(fields.slot_id));
  if (!slot?.entry) {
    problems.add("unknown_slot", { id: fields.slot_id }, "/slot_id");
    return;
  }
  const stored = slotDocOf(slot.entry);
  if (fields.speed && fields.speed !== stored.speed) {
    const expected = `${show(stored.speed)}, which is the slot's`;
    problems.add("invalid_value", () => ({ field: "speed", given: show(fields.speed), expected }), "/speed");
  }
  const port = wish(stored.site, {
    type: fields.type,
    slot_id: slot.id,
    virtual_port_reservation_id: reservation,
  });
  yield port;
  // Who loses a slot is told by the claim on it.
  if (stored.port === undefined)
    yield { kind: slotKind, slot, doc: { ...stored, port: port.slot.id }, pointer: "" };
}

function readType(body: unknown, problems: Problems): keyof typeof checkers | undefined {
  const type: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "type") : undefined;
  if (type === "direct" || type === "gcp_partner") return type;
  const expected = 'one of "direct", "gcp_partner"';
  if (typeof type === "string")
    problems.add("invalid_value", () => ({ field: "type", given: show(type), expected }), "/type");
  else if (type === undefined && typeof body === "object" && body !== null && !Array.isArray(body))
    problems.add("missing_field", { field: "type", hint: ` It is ${expected}.` }, "");
  else checkers.direct.read(body, "", problems);
  return undefined;
}

/** The account that a body names must be that of the path. */
export function judgeAccount(account: string, state: State, problems: Problems): void {
  if (account === state.id) return;
  const expected = `${show(state.id)}, the account of the path`;
  problems.add("invalid_value", () => ({ field: "account", given: show(account), expected }), "/account");
}

/** Gives back a port on which there are no CNIs. Its slot is free again. */
export function deletePort(id: string, condition: Condition, circumstances: Circumstances): Command {
  return {
    operation: "deleteCniInterconnect",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems) {
      const port = state.newest(KIND, id);
      if (!port?.entry) return;
      const holders = cnisOn(state, id);
      if (holders.length > 0) problems.add("port_in_use", () => ({ id, holders: showSome(holders) }));
      yield { kind: portKind, slot: port, doc: undefined, pointer: "" };
      const doc = portDocOf(port.entry);
      const slot = doc.type === "direct" ? state.newest(slotKind.name, doc.slot_id) : undefined;
      if (!slot?.entry) return;
      const { port: _port, ...free } = slotDocOf(slot.entry);
      yield { kind: slotKind, slot, doc: free, pointer: "" };
    },
  };
}

/** The CNIs on a port, in words. */
function cnisOn(state: State, port: string): string[] {
  return state.ids(interconnectKind.name).flatMap((id) => {
    const entry = state.newest(interconnectKind.name, id)?.entry;
    const doc = entry && interconnectOf(entry);
    return doc?.cni?.port === port ? [`${uuidOf(id)} (${doc.name})`] : [];
  });
}

function judgeOne(state: State, id: string, condition: Condition): Problem | undefined {
  const port = state.newest(KIND, id);
  return port ? condition(state, port) : problem("port_not_found", { id });
}
