/**
 * An account as an edge follows it: begun from `/state`, carried on by the records of the log. What the two tell is
 * brought into one form, that of the log's fields, so that a record says what became of an object.
 */

import { type ChangeRecord, patch } from "../../account/change.ts";
import {
  type Bgp,
  customerEnd,
  effectiveTarget,
  type InterconnectDoc,
  providerEnd,
} from "../../account/interconnect.ts";
import type { Doc } from "../../account/state.ts";
import type { EdgeAccount, EdgeBgp, EdgeInterconnect, EdgeRoute } from "../account.ts";

/** The kinds that become packets; the members of `/state` that they stand in. */
const FOLLOWED = { interconnect: "interconnects", route: "routes", port: "ports" } as const;
type Followed = keyof typeof FOLLOWED;

/** What was answered is nothing that an edge can follow. */
export class Unfollowable extends Error {}

type Members = Readonly<Record<string, unknown>>;

export class FollowedAccount {
  #epoch = "";
  #revision = 0;
  readonly #objects: Record<Followed, Map<string, Doc>> = {
    interconnect: new Map(),
    route: new Map(),
    port: new Map(),
  };
  // A version that stays is told by the same object again.
  readonly #told = new WeakMap<Doc, EdgeInterconnect>();
  #slots = new Map<string, string>();

  get epoch(): string {
    return this.#epoch;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Begins anew with what `/state` answered. Throws `Unfollowable`. */
  begin(state: unknown): void {
    const { epoch, revision, links, cnis, ...lists } = membersOf(state);
    if (typeof epoch !== "string" || typeof revision !== "number")
      throw new Unfollowable(
        "The server's answer has no epoch and revision: is it a Patchbay of this version?",
      );
    this.#epoch = epoch;
    this.#revision = revision;
    for (const [kind, member] of Object.entries(FOLLOWED))
      this.#objects[kind as Followed] = new Map(
        listOf(lists[member]).map((shown) => [idOf(shown), stored(kind, shown)]),
      );
    for (const { interconnect, provider, customer } of listOf(links))
      this.#amend(interconnect, { link: { p2p_ip: String(provider), cust_ip: String(customer) } });
    for (const { id, interconnect: port } of listOf(cnis))
      this.#amend(String(id).replaceAll("-", ""), { cni: { port: String(port) } });
    this.#mapSlots();
  }

  #amend(id: unknown, members: Doc): void {
    const doc = this.#objects.interconnect.get(String(id));
    if (doc) this.#objects.interconnect.set(String(id), { ...doc, ...members });
  }

  /** Goes on with the next record of the log. Throws `Unfollowable` if it does not follow. */
  apply(record: ChangeRecord): void {
    if (record.revision !== this.#revision + 1)
      throw new Unfollowable(`Change ${record.revision} does not follow revision ${this.#revision}.`);
    for (const { kind, id, action, fields } of record.objects) {
      if (!isFollowed(kind)) continue;
      const objects = this.#objects[kind];
      if (action === "delete") objects.delete(id);
      else objects.set(id, patch(objects.get(id) ?? {}, fields, "after"));
      if (kind === "port") this.#mapSlots();
    }
    this.#revision = record.revision;
  }

  #mapSlots(): void {
    this.#slots = new Map();
    for (const [id, { slot_id }] of this.#objects.port)
      if (typeof slot_id === "string") this.#slots.set(id, slot_id);
  }

  /** The account as it stands. */
  get account(): EdgeAccount {
    const interconnects = [...this.#objects.interconnect].map(([id, doc]) => this.#interconnect(id, doc));
    const routes = [...this.#objects.route].map(([id, doc]) => routeOf(id, doc));
    return { epoch: this.#epoch, revision: this.#revision, interconnects, routes };
  }

  #interconnect(id: string, doc: Doc): EdgeInterconnect {
    const known = this.#told.get(doc);
    const port = portOf(doc);
    const slot = port === undefined ? undefined : this.#slots.get(port);
    if (known?.slot === slot && known) return known;
    const made = interconnectOf(id, doc as InterconnectDoc, { port, slot });
    this.#told.set(doc, made);
    return made;
  }
}

function isFollowed(kind: string): kind is Followed {
  return kind in FOLLOWED;
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? (value as Members) : {};
}

function listOf(value: unknown): Members[] {
  return Array.isArray(value) ? value.map(membersOf) : [];
}

function idOf({ id }: Members): string {
  if (typeof id === "string") return id;
  throw new Unfollowable("The server's answer has an object without an id.");
}

/** An object as the log tells it, from how `/state` shows it. */
function stored(kind: string, shown: Members): Doc {
  const { id: _, ...doc } = shown;
  return (kind === "interconnect" ? storedInterconnect(doc) : doc) as Doc;
}

/** An interconnect as it is stored, from how the vendor's API shows it with its target as an object. */
export function storedInterconnect(shown: Members): Doc {
  const check = membersOf(shown["health_check"]);
  const target = check["target"];
  const saved = typeof target === "string" ? target : String(membersOf(target)["saved"] ?? "");
  return { ...shown, health_check: { ...check, target: saved } } as Doc;
}

function portOf(doc: Doc): string | undefined {
  const port = membersOf(doc["cni"])["port"];
  return typeof port === "string" ? port : undefined;
}

/** What becomes packets, of an interconnect as it is stored. */
export function interconnectOf(
  id: string,
  doc: InterconnectDoc,
  { port, slot }: Pick<EdgeInterconnect, "port" | "slot">,
): EdgeInterconnect {
  const { enabled, rate, type, direction, source } = doc.health_check;
  return {
    id,
    name: doc.name,
    version: doc.version,
    interfaceAddress: doc.interface_address,
    interfaceAddress6: doc.interface_address6,
    mtu: doc.mtu,
    returnRouting: doc.automatic_return_routing,
    greEndpoint: doc.gre?.cloudflare_endpoint,
    link: doc.link && { provider: doc.link.p2p_ip, customer: doc.link.cust_ip },
    port,
    slot,
    healthCheck: { enabled, rate, type, direction, target: effectiveTarget(doc), source },
    bgp: doc.bgp && bgpOf(doc, doc.bgp),
  };
}

function bgpOf(doc: InterconnectDoc, bgp: Bgp): EdgeBgp {
  // Over version 1.5 they are the ends of the interface; elsewhere unless said.
  const derived = doc.version === "1.5";
  return {
    customerAsn: bgp.customer_asn,
    extraPrefixes: bgp.extra_prefixes ?? [],
    hasKey: bgp.md5_key !== undefined && bgp.md5_key !== "",
    providerEndpoint: derived ? providerEnd(doc) : (bgp.cloudflare_endpoint ?? providerEnd(doc)),
    customerEndpoint: derived ? customerEnd(doc) : (bgp.customer_endpoint ?? customerEnd(doc)),
  };
}

/** What becomes packets, of a route as it is stored. */
export function routeOf(id: string, doc: Doc): EdgeRoute {
  const { prefix, nexthop, priority, weight } = doc;
  const scope = membersOf(doc["scope"]);
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  return {
    id,
    prefix: String(prefix),
    nexthop: String(nexthop),
    priority: Number(priority),
    weight: typeof weight === "number" ? weight : undefined,
    colos: texts(scope["colo_names"]),
    regions: texts(scope["colo_regions"]),
  };
}
