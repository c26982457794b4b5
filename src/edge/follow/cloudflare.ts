/**
 * Follows an account of Cloudflare's own API, or of any that speaks it, by asking again and again: there is no log to
 * follow. For a customer's router.
 */

import { setTimeout } from "node:timers/promises";
import type { InterconnectDoc } from "../../account/interconnect.ts";
import type { EdgeAccount, EdgeInterconnect } from "../account.ts";
import { type Client, Refused } from "./client.ts";
import { interconnectOf, storedInterconnect } from "./objects.ts";
import type { Follower } from "./patchbay.ts";
import { Pauses } from "./pauses.ts";

/** The epoch of an account that tells none. Its revision counts what was found to be different. */
export const POLLED = "polled";

type Members = Readonly<Record<string, unknown>>;

/** Asks every so many milliseconds until the signal is given. */
export async function followByPolling(
  client: Client,
  interval: number,
  follower: Follower,
  signal: AbortSignal,
): Promise<void> {
  const pauses = new Pauses();
  let revision = 0;
  let seen = "";
  while (!signal.aborted) {
    try {
      const found = await read(client, signal);
      const text = JSON.stringify(found);
      if (text !== seen) follower.account({ epoch: POLLED, revision: ++revision, ...found });
      seen = text;
      follower.reached(undefined);
      pauses.reset();
      await setTimeout(interval, undefined, { signal }).catch(() => undefined);
    } catch (error) {
      if (signal.aborted) return;
      follower.reached(error instanceof Error ? error.message : String(error));
      await pauses.after(error, signal);
    }
  }
}

async function read(
  client: Client,
  signal: AbortSignal,
): Promise<Pick<EdgeAccount, "interconnects" | "routes">> {
  const headers = { "x-magic-new-hc-target": "true" };
  const interconnects = await client.vendor("/magic/cf_interconnects", { signal, headers });
  // Without leave to see them, links and ports are those of the edge's own file.
  const cnis = await listed(client, "/cni/cnis", signal);
  const ports = await listed(client, "/cni/interconnects", signal);
  const slots = new Map(ports.map(({ name, slot_id }) => [name, slot_id]));
  const byName = new Map(cnis.map((cni) => [Object(cni["magic"]).conduit_name, cni]));
  return {
    interconnects: listIn(interconnects.result, "interconnects").map((shown) =>
      edgeInterconnect(shown, byName.get(shown["name"]), slots),
    ),
    // What a customer's router sends where is its own business.
    routes: [],
  };
}

function edgeInterconnect(
  { id, ...shown }: Members,
  cni: Members | undefined,
  slots: ReadonlyMap<unknown, unknown>,
): EdgeInterconnect {
  const link = cni && { p2p_ip: String(cni["p2p_ip"]), cust_ip: String(cni["cust_ip"]) };
  const stored = storedInterconnect(withUsual(shown));
  const doc = { ...stored, ...(link && { link }) } as unknown as InterconnectDoc;
  const port = cni && String(cni["interconnect"]);
  const slot = slots.get(port);
  return interconnectOf(String(id), doc, { port, slot: typeof slot === "string" ? slot : undefined });
}

/** The vendor's schema requires none of these fields; its defaults stand for those that are not told. */
function withUsual(shown: Members): Members {
  const usual = { enabled: true, rate: "mid", type: "reply", direction: "unidirectional", target: "" };
  const version = shown["gre"] === undefined ? "2" : "1";
  return {
    version,
    mtu: 1476,
    automatic_return_routing: false,
    ...shown,
    health_check: { ...usual, ...Object(shown["health_check"]) },
  };
}

/** All pages of a list of the CNI API, which answers without an envelope; none of what may not be seen. */
async function listed(client: Client, path: string, signal: AbortSignal): Promise<Members[]> {
  const found: Members[] = [];
  let cursor = 0;
  try {
    for (;;) {
      const { result } = await client.vendor(`${path}?limit=100&cursor=${cursor}`, { signal });
      found.push(...listIn(result, "items"));
      const next: unknown = Object(result).next;
      if (typeof next !== "number") return found;
      cursor = next;
    }
  } catch (error) {
    if (error instanceof Refused) return [];
    throw error;
  }
}

function listIn(result: unknown, member: string): Members[] {
  const list: unknown = Object(result)[member];
  return Array.isArray(list) ? list.map((one) => Object(one)) : [];
}
