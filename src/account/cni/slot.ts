/** The slot: a port of the edge, free or taken. How it is kept and shown, and what administrators do to it. */

import { Checker, show } from "../../contract/check.ts";
import { explainForm } from "../../contract/cni/forms.ts";
import { type AdministeredSlot, NewSlot, type SlotInfo, SlotUpdate } from "../../contract/cni/slot.ts";
import { type Problem, type Problems, problem } from "../../contract/errors.ts";
import { digitsOf, randomUuidDigits, uuidOf } from "../../contract/uuid.ts";
import type { Circumstances, Command } from "../decide.ts";
import type { Condition } from "../elements.ts";
import type { Version } from "../interconnect.ts";
import type { Doc, Entry, Kind, State } from "../state.ts";

/** A slot in store and log. Its identifier, a UUID, is the state's. */
export type SlotDoc = {
  readonly site: string;
  readonly speed: string;
  readonly facility: { readonly name: string; readonly address: readonly string[] };
  /** Of the interconnects that CNIs make on it. */
  readonly version: Version;
  readonly ccr_device_name?: string;
  /** The port that has taken it. A port's making and unmaking write it, nobody else. */
  readonly port?: string;
};

export const slotKind: Kind = {
  name: "slot",
  claims: {},
  conflict: (_field, _wanted, holder) => ({ name: "id_taken", values: { kind: "slot", id: holder } }),
  stamped: false,
  nameOf: (doc) => `${String(doc["site"])} ${String(doc["speed"])}`,
  masked: [],
};

const KIND = slotKind.name;

/** The document of a slot's entry. Only this kind's rules write it, so its form is known. */
export function slotDocOf(entry: Entry): SlotDoc {
  return entry.doc as SlotDoc;
}

/** The identifier as it is kept; of what is none, itself. */
export function slotId(text: string): string {
  const digits = digitsOf(text);
  return digits === undefined ? text : uuidOf(digits);
}

/** A slot as the vendor shows it. */
export function slotView(id: string, doc: SlotDoc, account: string) {
  const { ccr_device_name, facility, port, site, speed } = doc;
  return { id, account, ccr_device_name, facility, occupied: port !== undefined, site, speed } satisfies {
    [Field in keyof SlotInfo]-?: unknown;
  };
}

/** A slot as its administrator sees it. */
export function administeredSlotView(id: string, doc: Doc, account: string) {
  const slot = doc as SlotDoc;
  return { ...slotView(id, slot, account), port: slot.port, version: slot.version } satisfies {
    [Field in keyof AdministeredSlot]-?: unknown;
  };
}

/** The document of a new slot. */
export function makeSlot({ id: _id, ccr_device_name, version = "2", ...fields }: NewSlot): SlotDoc {
  return { ...fields, version, ...(ccr_device_name ? { ccr_device_name } : {}) };
}

const checkers = {
  create: new Checker(NewSlot, explainForm, "Slot"),
  update: new Checker(SlotUpdate, explainForm, "Slot"),
};

/** Makes a slot; `newId` gives it an identifier, unless it comes with one. */
export function createSlot(
  body: unknown,
  condition: Condition,
  newId: () => string,
  circumstances: Circumstances,
): Command {
  return {
    operation: "createSlot",
    circumstances,
    condition: (state) => condition(state, undefined),
    *propose(state, problems) {
      const fields = checkers.create.read(body, "", problems);
      if (!fields) return;
      const id = slotId(fields.id ?? uuidOf(randomUuidDigits(newId())));
      if (state.newest(KIND, id)) problems.add("id_taken", { kind: KIND, id }, "/id");
      yield { kind: slotKind, slot: state.slotFor(KIND, id), doc: makeSlot(fields), pointer: "" };
    },
  };
}

/** Updates a slot, taken or not. What was made on it keeps its version. */
export function updateSlot(
  id: string,
  body: unknown,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation: "updateSlot",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems) {
      const slot = state.newest(KIND, id);
      const fields = checkers.update.read(body, "", problems);
      if (!slot?.entry || !fields) return;
      const stored = slotDocOf(slot.entry);
      yield { kind: slotKind, slot, doc: mergeSlot(state.id, id, stored, fields, problems), pointer: "" };
    },
  };
}

function mergeSlot(
  account: string,
  id: string,
  stored: SlotDoc,
  update: SlotUpdate,
  problems: Problems,
): SlotDoc {
  const { id: givenId, account: givenAccount, occupied, port, facility, ccr_device_name, ...rest } = update;
  const given = { id: givenId && slotId(givenId), account: givenAccount, occupied, port };
  const shown = { id, account, occupied: stored.port !== undefined, port: stored.port };
  for (const field of ["id", "account", "occupied", "port"] as const) {
    if (given[field] === undefined || given[field] === shown[field]) continue;
    const is = shown[field];
    const told = is === undefined ? "not set" : show(is);
    problems.add("read_only_field", { field, stored: told }, `/${field}`);
  }
  const { ccr_device_name: device = undefined, ...kept } = stored;
  const name = ccr_device_name === undefined ? device : ccr_device_name;
  return {
    ...kept,
    ...rest,
    facility: { ...stored.facility, ...facility },
    ...(name ? { ccr_device_name: name } : {}),
  };
}

/** Removes a slot that nobody has taken. */
export function deleteSlot(id: string, condition: Condition, circumstances: Circumstances): Command {
  return {
    operation: "deleteSlot",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems) {
      const slot = state.newest(KIND, id);
      if (!slot?.entry) return;
      const { port } = slotDocOf(slot.entry);
      if (port !== undefined) problems.add("slot_occupied", { id, holder: port });
      yield { kind: slotKind, slot, doc: undefined, pointer: "" };
    },
  };
}

function judgeOne(state: State, id: string, condition: Condition): Problem | undefined {
  const slot = state.newest(KIND, id);
  return slot ? condition(state, slot) : problem("slot_not_found", { id });
}
