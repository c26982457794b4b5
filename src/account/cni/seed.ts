/** The part of a seed that speaks of CNIs: slots, ports on them, and which interconnects came from one. */

import type { Problems } from "../../contract/errors.ts";
import type { SeedAccount, SeedInterconnect, SeedPort } from "../../contract/seed.ts";
import { digitsOf } from "../../contract/uuid.ts";
import type { CniPart } from "../interconnect.ts";
import { type PortDoc, regionOf } from "./port.ts";
import { makeSlot, type SlotDoc, slotId } from "./slot.ts";

/** One object of the seed, and where it stands. */
interface Seeded<Document> {
  readonly id: string;
  readonly doc: Document;
  readonly pointer: string;
}

export interface SeededCnis {
  readonly slots: readonly Seeded<SlotDoc>[];
  readonly ports: readonly Seeded<PortDoc>[];
  /** What an interconnect has from its port; nothing of one that came from no CNI. */
  readonly partOf: (
    interconnect: SeedInterconnect,
    pointer: string,
  ) => { readonly virtual_port_reservation_id?: string; readonly cni?: CniPart };
}

/** `first` refuses the second of an id. */
type First = (what: string) => (id: string, pointer: string) => boolean;

export function seedCnis(
  { slots = [], ports = [] }: SeedAccount,
  pointer: string,
  hash: (secret: string) => string,
  first: First,
  problems: Problems,
): SeededCnis {
  const madePorts = new Map<string, Seeded<PortDoc>>();
  const takenBy = new Map<string, string>();
  const firstPort = first("ports");
  for (const [index, seed] of ports.entries()) {
    const at = `${pointer}/ports/${index}`;
    const doc = makePort(seed, hash, at, problems);
    if (!firstPort(seed.id, at) || !doc) continue;
    madePorts.set(seed.id, { id: seed.id, doc, pointer: at });
    if (doc.type === "direct" && !takenBy.has(doc.slot_id)) takenBy.set(doc.slot_id, seed.id);
  }
  const firstSlot = first("slots");
  const madeSlots = slots.flatMap((seed, index): Seeded<SlotDoc>[] => {
    const at = `${pointer}/slots/${index}`;
    const id = slotId(seed.id);
    const port = takenBy.get(id);
    if (!firstSlot(id, at)) return [];
    return [{ id, doc: { ...makeSlot(seed), ...(port === undefined ? {} : { port }) }, pointer: at }];
  });
  const known = new Set(madeSlots.map(({ id }) => id));
  for (const { doc, pointer: at } of madePorts.values()) {
    if (doc.type === "direct" && !known.has(doc.slot_id))
      problems.add("unknown_slot", { id: doc.slot_id }, `${at}/slot_id`);
  }
  const partOf: SeededCnis["partOf"] = ({ cni, link, virtual_port_reservation_id }, at) => {
    if (!cni) return {};
    if (!link) problems.add("missing_field", { field: "link", hint: " A CNI has one." }, at);
    const port = madePorts.get(cni.port);
    if (!port) {
      problems.add("unknown_port", { id: cni.port }, `${at}/cni/port`);
      return {};
    }
    const reservation = digitsOf(port.doc.virtual_port_reservation_id) ?? "";
    if (virtual_port_reservation_id !== undefined && virtual_port_reservation_id !== reservation) {
      const stored = `${reservation}, which is that of ${cni.port}`;
      problems.add(
        "read_only_field",
        { field: "virtual_port_reservation_id", stored },
        `${at}/virtual_port_reservation_id`,
      );
    }
    return { virtual_port_reservation_id: reservation, cni };
  };
  return { slots: madeSlots, ports: [...madePorts.values()], partOf };
}

/** What a port of each type is made of, and what it cannot have. */
const members = {
  direct: { needs: ["slot_id"], not: ["pairing_key", "bandwidth"] },
  gcp_partner: { needs: ["pairing_key", "bandwidth"], not: ["slot_id"] },
} as const;

function makePort(
  seed: SeedPort,
  hash: (secret: string) => string,
  pointer: string,
  problems: Problems,
): PortDoc | undefined {
  const { type, slot_id, pairing_key, bandwidth } = seed;
  for (const field of members[type].needs) {
    if (seed[field] === undefined)
      problems.add("missing_field", { field, hint: ` A port of the type ${type} has one.` }, pointer);
  }
  for (const field of members[type].not) {
    if (seed[field] === undefined) continue;
    const hint = ` A port of the type ${type} has none.`;
    problems.add("unknown_field", { field, hint }, `${pointer}/${field}`);
  }
  const virtual_port_reservation_id = seed.virtual_port_reservation_id.toLowerCase();
  if (type === "direct")
    return slot_id === undefined
      ? undefined
      : { type, slot_id: slotId(slot_id), virtual_port_reservation_id };
  if (pairing_key === undefined || bandwidth === undefined) return undefined;
  return {
    type,
    region: regionOf(pairing_key),
    speed: bandwidth,
    pairing_key_hash: hash(pairing_key.toLowerCase()),
    virtual_port_reservation_id,
  };
}
