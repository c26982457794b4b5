/** Does a port work? By what edges tell of the device that its slot is mapped to, and of the interconnects on it. */

import type { PortStatus } from "../../contract/cni/port.ts";
import type { InterconnectHealth } from "../../contract/health.ts";
import { digitsOf } from "../../contract/uuid.ts";
import { portDocOf } from "../cni/port.ts";
import { interconnectKind, interconnectOf } from "../interconnect.ts";
import type { Entry, State } from "../state.ts";
import type { KnownEdge } from "./known-edge.ts";
import { healthOf, isStale, silenceOf } from "./standing.ts";

const PENDING: PortStatus = { state: "Pending" };

/** The status in the vendor's words, where `Pending` is what was never told to be up. */
export function portStatus(state: State, port: Entry, edges: readonly KnownEdge[], now: number): PortStatus {
  const providers = edges.filter(({ role }) => role === "provider");
  const doc = portDocOf(port);
  const slot = doc.type === "direct" ? doc.slot_id : undefined;
  const carriers = providers.flatMap((edge) => {
    const own = slot === undefined ? undefined : edge.ports.find((one) => one.slot === slot);
    return own ? [{ edge, own }] : [];
  });
  const wasUp = slot !== undefined && providers.some(({ lit }) => lit.includes(slot));
  const lives = interconnectsOn(state, port)
    .filter((entry) => interconnectOf(entry).health_check.enabled)
    .map((entry) => healthOf(entry, providers, now));
  const isTold = lives.some(({ edges }) => edges.some(({ since }) => since !== null));
  if (!wasUp && !(slot === undefined && isTold)) return PENDING;
  const fresh = carriers.filter(({ edge }) => !isStale(edge, now));
  const dark = fresh.find(({ own }) => !own.up);
  if (dark) {
    const { edge, own } = dark;
    return { state: "Down", reason: `${own.device} at edge ${edge.edge} has no signal` };
  }
  return judgeInterconnects(lives) ?? judgeSilence(slot, carriers, fresh.length, now) ?? { state: "Healthy" };
}

function judgeInterconnects(lives: readonly InterconnectHealth[]): PortStatus | undefined {
  const tell = ({ name, state, reason }: InterconnectHealth) => `${name} is ${state}: ${reason}`;
  const down = lives.filter(({ state }) => state === "down");
  const [first] = down;
  if (first && down.length === lives.length) {
    const reason =
      down.length === 1 ? tell(first) : `all ${down.length} interconnects on it are down; ${tell(first)}`;
    return { state: "Down", reason };
  }
  const unwell =
    first ??
    lives.find(({ state }) => state === "degraded") ??
    lives.find(({ state }) => state === "unknown");
  return unwell && { state: "Unhealthy", reason: tell(unwell) };
}

/** Whoever could tell of the port says nothing: that is never healthy. */
function judgeSilence(
  slot: string | undefined,
  carriers: readonly { readonly edge: KnownEdge }[],
  fresh: number,
  now: number,
): PortStatus | undefined {
  if (slot === undefined || fresh > 0) return undefined;
  const [last] = carriers.toSorted((one, other) => other.edge.seen - one.edge.seen);
  return { state: "Unhealthy", reason: last ? silenceOf(last.edge, now) : "no provider edge reports it" };
}

function interconnectsOn(state: State, port: Entry): Entry[] {
  const reservation = digitsOf(portDocOf(port).virtual_port_reservation_id);
  return state.list(interconnectKind.name).filter((entry) => {
    const { cni, virtual_port_reservation_id } = interconnectOf(entry);
    return cni ? cni.port === port.id : virtual_port_reservation_id === reservation;
  });
}
