/** Probes over a GRE tunnel, to a customer's router that is scapy, and each kind as tshark reads it off the wire. */

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EdgeInterconnect } from "../../../src/edge/account.ts";
import { type ProbeTarget, probeTargets } from "../../../src/edge/probe/targets.ts";
import { Capture, type Fields, noDissection, noScapy, PYTHON } from "../../harness/dissecting.ts";
import { greEnd } from "../../harness/gre-end.ts";
import { type Host, Network, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { Watching } from "../../harness/watching.ts";

const ROUTER = fileURLToPath(new URL("../../harness/scapy-router.py", import.meta.url));
/** The ends of the tunnel; the customer's is also where unidirectional checks go. */
const [OUTER_PROVIDER, OUTER_CUSTOMER] = ["203.0.113.1", "203.0.113.2"] as const;
/** The interface subnet. */
const [PROVIDER, CUSTOMER] = ["10.88.0.0", "10.88.0.1"] as const;

const FIELDS = [
  "ip.src",
  "ip.dst",
  "ip.proto",
  "ip.len",
  "ip.ttl",
  "ip.flags.df",
  "ip.id",
  "ip.dsfield",
  "ip.checksum.status",
  "gre.flags_and_version",
  "gre.proto",
  "icmp.type",
  "icmp.code",
  "icmp.seq",
  "icmp.ident",
  "icmp.checksum.status",
  "data.len",
  "data.data",
] as const;

type Packet = Fields<(typeof FIELDS)[number]>;

/** An interconnect with one kind of check; its id says which. */
function interconnect(
  direction: "bidirectional" | "unidirectional",
  type: "request" | "reply",
): EdgeInterconnect {
  return {
    id: `${direction} ${type}`,
    name: direction,
    version: "1",
    interfaceAddress: `${PROVIDER}/31`,
    interfaceAddress6: undefined,
    mtu: 1476,
    returnRouting: false,
    greEndpoint: OUTER_PROVIDER,
    link: { provider: "192.0.2.0/31", customer: `${OUTER_CUSTOMER}/31` },
    port: undefined,
    slot: undefined,
    healthCheck: {
      enabled: true,
      rate: "high",
      type,
      direction,
      target: direction === "bidirectional" ? CUSTOMER : OUTER_CUSTOMER,
      source: undefined,
    },
    bgp: undefined,
  };
}

const interconnects = [
  interconnect("bidirectional", "request"),
  interconnect("bidirectional", "reply"),
  interconnect("unidirectional", "request"),
  interconnect("unidirectional", "reply"),
];

/** The inner addresses that the vendor's documents give each kind, and the ICMP type. */
const expected: Readonly<Record<string, readonly [source: string, destination: string, type: string]>> = {
  "bidirectional request": [PROVIDER, CUSTOMER, "8"],
  "bidirectional reply": [CUSTOMER, PROVIDER, "0"],
  "unidirectional request": [OUTER_PROVIDER, OUTER_CUSTOMER, "8"],
  "unidirectional reply": [OUTER_CUSTOMER, OUTER_PROVIDER, "0"],
};

describe("probes over GRE, to a router that is scapy", needs(noNetworks, noDissection, noScapy), () => {
  const network = new Network();
  let provider: Host;
  let customer: Host;
  let packets: Packet[] = [];
  let look: Awaited<ReturnType<Watching["look"]>>;

  beforeAll(async () => {
    provider = await network.host("provider");
    customer = await network.host("customer");
    await network.connect(provider, "wire", customer, "wire");
    await provider.run(`ip addr add ${OUTER_PROVIDER}/24 dev wire`);
    await customer.run(`ip addr add ${OUTER_CUSTOMER}/24 dev wire`);
    // The kernel there is not to answer that it knows no GRE; scapy sees what comes in before this does.
    await customer.run(
      "nft -f -",
      "table ip quiet { chain in { type filter hook prerouting priority -300; ip protocol gre drop; }; }",
    );
    const router = customer.spawn(PYTHON, [ROUTER, "wire", OUTER_CUSTOMER, OUTER_PROVIDER]);
    if (router.stdout === null) throw new TypeError("the router has no output");
    const listens = once(router.stdout, "data");
    await greEnd(provider, "pb-tunnel", OUTER_PROVIDER, OUTER_CUSTOMER);
    await provider.run(`ip addr add ${PROVIDER}/31 dev pb-tunnel`);
    await listens;

    const config = {
      role: "provider",
      rates: { low: 400, mid: 400, high: 400 },
      map: new Map(),
      probeSource: undefined,
    } as const;
    const targets = probeTargets({ interconnects }, config).map(
      (target): ProbeTarget => ({ ...target, device: "pb-tunnel" }),
    );
    const watching = await Watching.start(provider);
    using capture = await Capture.start(customer, "wire", "ip proto 47 or icmp");
    await watching.set(targets);
    // Scapy is slow, and slower where the machine is emulated: each kind often enough, and no word of what it missed.
    look = await watching.until(
      ({ roundTrips, figures }) => Object.keys(roundTrips).length === 4 && figures.answered >= 16,
    );
    await watching.set([]);
    packets = await capture.decode(FIELDS);
  });

  afterAll(() => network[Symbol.asyncDispose]());

  test("all four kinds are answered", () => {
    for (const { id } of interconnects) expect(look.roundTrips[id]).toBeGreaterThan(0);
  });

  /** Those that the provider sent, by their inner addresses and type. */
  const probesOf = (kind: string) => {
    const [source, destination, type] = expected[kind] ?? [];
    return packets.filter(
      (packet) =>
        packet["ip.src"][0] === OUTER_PROVIDER &&
        packet["ip.src"][1] === source &&
        packet["ip.dst"][1] === destination &&
        packet["icmp.type"][0] === type,
    );
  };

  test.each(Object.keys(expected))("%s: every field of the probe", (kind) => {
    const probes = probesOf(kind);
    expect(probes.length).toBeGreaterThanOrEqual(2);
    const [source = "", destination = "", type = ""] = expected[kind] ?? [];
    for (const probe of probes) {
      // 20 of outer IPv4, 4 of GRE, 84 of inner IPv4; the outer identification and service class are the tunnel's.
      expect(probe).toMatchObject({
        "ip.src": [OUTER_PROVIDER, source],
        "ip.dst": [OUTER_CUSTOMER, destination],
        "ip.proto": ["47", "1"],
        "ip.len": ["108", "84"],
        "ip.checksum.status": ["1", "1"],
        "gre.flags_and_version": ["0x0000"],
        "gre.proto": ["0x0800"],
        "icmp.type": [type],
        "icmp.code": ["0"],
        "icmp.seq": ["0"],
        "icmp.checksum.status": ["1"],
        "data.len": ["56"],
      });
      expect([probe["ip.ttl"][1], probe["ip.id"][1], probe["ip.dsfield"][1]]).toEqual([
        "64",
        "0x0000",
        "0x00",
      ]);
      expect(probe["ip.flags.df"][1]).toMatch(/^(1|True)$/);
      expect(
        Buffer.from(probe["data.data"][0] ?? "", "hex")
          .subarray(0, 8)
          .toString(),
      ).toBe("patchbay");
    }
    // One prober, whose every probe is another.
    expect(new Set(probes.map((probe) => probe["icmp.ident"][0])).size).toBe(1);
    expect(new Set(probes.map((probe) => probe["data.data"][0])).size).toBe(probes.length);
  });

  test.each(Object.keys(expected))("%s: the answer comes back the way that it should", (kind) => {
    const sent = new Set(probesOf(kind).map((probe) => probe["data.data"][0]));
    const answers = packets.filter(
      (packet) => sent.has(packet["data.data"][0]) && packet["ip.src"][0] === OUTER_CUSTOMER,
    );
    expect(answers.length).toBeGreaterThanOrEqual(2);
    for (const answer of answers) {
      expect(answer["icmp.type"]).toEqual(["0"]);
      expect(answer["gre.proto"]).toEqual(kind.startsWith("bidirectional") ? ["0x0800"] : []);
    }
  });
});
