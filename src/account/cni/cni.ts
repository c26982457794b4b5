/**
 * The CNI: what makes a Magic interconnect on a port, and from then on another view of it. Both are one
 * stored document; a CNI's identifier is the UUID of the interconnect's digits.
 */

import { parsePrefix4 } from "../../contract/addresses.ts";
import { Checker, show } from "../../contract/check.ts";
import { type Cni, CniUpdate, NewCni } from "../../contract/cni/cni.ts";
import { explainForm } from "../../contract/cni/forms.ts";
import { type Problem, type Problems, problem } from "../../contract/errors.ts";
import { digitsOf, randomUuidDigits, uuidOf } from "../../contract/uuid.ts";
import type { Circumstances, Command, Wish } from "../decide.ts";
import type { Condition } from "../elements.ts";
import {
  type Bgp,
  type CniPart,
  type InterconnectDoc,
  interconnectKind,
  interconnectOf,
  type Link,
} from "../interconnect.ts";
import { judgeUnmaking, newInterconnect } from "../interconnect-making.ts";
import { mergeInterconnect } from "../interconnect-merge.ts";
import { judgeMtu, judgeName } from "../interconnect-rules.ts";
import { settingsOf } from "../settings.ts";
import type { Doc, Entry, Slot, State } from "../state.ts";
import { freeInterfaceAddress, freeLink } from "./pools.ts";
import { judgeAccount, portDocOf, portKind, versionOn } from "./port.ts";

/** An interconnect that came from a CNI. */
export type CniDoc = InterconnectDoc & { readonly cni: CniPart; readonly link: Link };

const KIND = interconnectKind.name;

export function isCni(doc: Doc): doc is CniDoc {
  return doc["cni"] !== undefined;
}

/** The interconnect of a CNI, as durable. */
export function cniEntry(state: State, id: string): Entry | undefined {
  const entry = state.get(KIND, digitsOf(id) ?? "");
  return entry && isCni(entry.doc) ? entry : undefined;
}

/** The BGP session as a CNI has it: without an ASN there is none. */
function bgpView({ customer_asn, extra_prefixes = [], md5_key }: Bgp) {
  return customer_asn === undefined
    ? undefined
    : { customer_asn, extra_prefixes: [...extra_prefixes], md5_key };
}

/** A CNI as the vendor shows it, for `JSON.stringify`. */
export function cniView(id: string, doc: CniDoc, account: string) {
  return {
    id: uuidOf(id),
    account,
    bgp: bgpView(doc.bgp ?? {}),
    bgp_mode: doc.cni.bgp_mode,
    cust_ip: doc.link.cust_ip,
    interconnect: doc.cni.port,
    magic: { conduit_name: doc.name, description: doc.description ?? "", mtu: doc.mtu },
    p2p_ip: doc.link.p2p_ip,
  } satisfies { [Field in keyof Cni]-?: unknown };
}

const checkers = {
  create: new Checker(NewCni, explainForm, "CNI"),
  update: new Checker(CniUpdate, explainForm, "CNI"),
};

/** What a CNI calls the interconnect's name. */
const fieldNames = { name: "magic/conduit_name" };

/** Makes a CNI on a port, and with it the Magic interconnect of its name. */
export function createCni(
  body: unknown,
  condition: Condition,
  newId: () => string,
  circumstances: Circumstances,
): Command {
  return {
    operation: "createCni",
    circumstances,
    condition: (state) => condition(state, undefined),
    *propose(state, problems) {
      const fields = checkers.create.read(body, "", problems);
      const id = randomUuidDigits(newId());
      const doc = fields && makeCni(state, id, fields, circumstances.time, problems);
      if (!doc) return;
      yield {
        kind: interconnectKind,
        slot: state.slotFor(KIND, id),
        doc,
        pointer: "",
        fieldNames,
        conflict: (field, wanted, holder) =>
          field === "name"
            ? { name: "cni_name_taken", values: { name: String(wanted["name"]), holder } }
            : interconnectKind.conflict(field, wanted, holder),
      };
    },
  };
}

function makeCni(
  state: State,
  id: string,
  fields: NewCni,
  time: string,
  problems: Problems,
): InterconnectDoc | undefined {
  judgeAccount(fields.account, state, problems);
  const port = state.newest(portKind.name, fields.interconnect);
  if (!port?.entry) {
    problems.add("unknown_port", { id: fields.interconnect }, "/interconnect");
    return undefined;
  }
  const { virtual_port_reservation_id } = portDocOf(port.entry);
  const settings = settingsOf(state);
  const link = freeLink(state, settings, problems);
  const address = freeInterfaceAddress(state, settings, problems);
  const base: InterconnectDoc = {
    ...newInterconnect(versionOn(state, portDocOf(port.entry)), { created_on: time, modified_on: time }),
    colo_name: fields.magic.conduit_name,
    interface_address: address ?? "",
    virtual_port_reservation_id: digitsOf(virtual_port_reservation_id) ?? "",
    ...(link ? { link } : {}),
    cni: { port: port.id },
  };
  return mergeCni(state, id, base, fields, problems);
}

/** Updates a CNI, of which the request says the whole. */
export function updateCni(
  id: string,
  body: unknown,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation: "updateCni",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems) {
      const slot = newestCni(state, id);
      const fields = checkers.update.read(body, "", problems);
      if (!slot?.entry || !fields) return;
      const stored = slot.entry.doc;
      if (!isCni(stored)) return;
      refuseReadOnly(state.id, slot.id, stored, fields, problems);
      const { bgp_mode: _mode, ...cni } = stored.cni;
      const mode = fields.bgp_mode;
      const sameMode = mode === stored.cni.bgp_mode;
      const base = sameMode
        ? stored
        : { ...stored, cni: mode === undefined ? cni : { ...cni, bgp_mode: mode } };
      const doc = mergeCni(state, slot.id, base, fields, problems);
      yield { kind: interconnectKind, slot, doc, pointer: "", fieldNames };
    },
  };
}

function refuseReadOnly(
  account: string,
  id: string,
  stored: CniDoc,
  fields: CniUpdate,
  problems: Problems,
): void {
  const shown = cniView(id, stored, account);
  const given = { ...fields, id: fields.id.toLowerCase() };
  for (const field of ["id", "account", "interconnect", "p2p_ip", "cust_ip"] as const) {
    if (given[field] === shown[field]) continue;
    problems.add("read_only_field", () => ({ field, stored: show(shown[field]) }), `/${field}`);
  }
}

/** Lays what a CNI says over an interconnect. Its session is said whole; what Magic alone knows stays. */
function mergeCni(
  state: State,
  id: string,
  stored: InterconnectDoc,
  { magic, bgp }: Pick<NewCni, "magic" | "bgp">,
  problems: Problems,
): InterconnectDoc {
  const { conduit_name: name, description, mtu } = magic;
  if (name !== stored.name || name === "") judgeName(name, "/magic/conduit_name", problems, "conduit_name");
  if (mtu !== stored.mtu) judgeMtu(mtu, stored.version, "/magic/mtu", problems);
  const said = description === (stored.description ?? "") ? {} : { description };
  const doc = { ...stored, ...said, name, mtu };
  if (!bgp) return withoutSession(doc);
  judgeSession(bgp, stored.bgp?.extra_prefixes ?? [], problems);
  const session = { ...bgp, md5_key: bgp.md5_key ?? "" };
  return mergeInterconnect(id, doc, { bgp: session }, { settings: settingsOf(state), problems, pointer: "" });
}

/** An interconnect whose session, as far as a CNI knows it, is gone. */
function withoutSession(doc: InterconnectDoc): InterconnectDoc {
  if (doc.bgp?.customer_asn === undefined) return doc;
  const { customer_asn: _asn, extra_prefixes: _prefixes, md5_key: _key, ...rest } = doc.bgp;
  const { bgp: _bgp, ...without } = doc;
  return Object.keys(rest).length > 0 ? { ...without, bgp: rest } : without;
}

/** What a CNI does not take although Magic does: IPv6 prefixes that are new, and an MD5 key without length. */
function judgeSession(bgp: NonNullable<NewCni["bgp"]>, stored: readonly string[], problems: Problems): void {
  for (const [index, text] of bgp.extra_prefixes.entries()) {
    if (stored.includes(text) || parsePrefix4(text) || !text.includes(":")) continue;
    const values = () => ({ field: "bgp.extra_prefixes", given: show(text), expected: "an IPv4 prefix" });
    problems.add("invalid_value", values, `/bgp/extra_prefixes/${index}`);
  }
  if (bgp.md5_key !== "") return;
  const expected = "null, or a key of at least one character";
  problems.add("invalid_value", { field: "bgp.md5_key", given: '""', expected }, "/bgp/md5_key");
}

/** Unmakes a CNI and its interconnect, if nothing hangs on them. */
export function deleteCni(id: string, condition: Condition, circumstances: Circumstances): Command {
  return {
    operation: "deleteCni",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems): Iterable<Wish> {
      const slot = newestCni(state, id);
      if (!slot?.entry) return;
      judgeUnmaking(state, uuidOf(slot.id), interconnectOf(slot.entry), problems);
      yield { kind: interconnectKind, slot, doc: undefined, pointer: "" };
    },
  };
}

function newestCni(state: State, id: string): Slot | undefined {
  const slot = state.newest(KIND, digitsOf(id) ?? "");
  return slot?.entry && isCni(slot.entry.doc) ? slot : undefined;
}

function judgeOne(state: State, id: string, condition: Condition): Problem | undefined {
  const slot = newestCni(state, id);
  return slot ? condition(state, slot) : cniNotFound(state, id);
}

/** The refusal of a CNI that is not there, with what may help to find it. */
export function cniNotFound(state: State, id: string): Problem {
  const named = state.holder(`tunnel-name:${id}`) ?? state.newest(KIND, digitsOf(id) ?? id);
  const cni = named?.entry && isCni(named.entry.doc);
  const hint = named && cni ? ` The interconnect ${named.id} has the CNI ${uuidOf(named.id)}.` : "";
  const none = named && !cni ? " The interconnect of that name or id was not made by a CNI." : "";
  return problem("cni_not_found", { id, hint: hint + none });
}
