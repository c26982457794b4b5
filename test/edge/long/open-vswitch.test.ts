/** An interconnect that an edge made real, whose other end is Open vSwitch. */

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { probeTargets } from "../../../src/edge/probe/targets.ts";
import { account, deviceOfNumber, edgeConfig, ends, interconnect, LabEdge } from "../../harness/edge-lab.ts";
import { type Host, Network, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { startSwitch, switchCounts } from "../../harness/open-vswitch.ts";
import { lostPings } from "../../harness/pings.ts";
import { missing } from "../../harness/programs.ts";
import { temporaryDirectoryForAll } from "../../harness/temporary.ts";
import { Watching } from "../../harness/watching.ts";

const obstacle = missing("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl");
const title = "an interconnect with Open vSwitch at its other end";

describe(title, needs(noNetworks, obstacle), () => {
  const directory = temporaryDirectoryForAll();
  const network = new Network();
  const one = interconnect(1);
  const request = { ...one.healthCheck, rate: "high", type: "request" } as const;
  const config = edgeConfig("provider", `${directory}/state`, { "slot-1": "port1" });
  let edge: LabEdge;
  let peer: Host;

  beforeAll(async () => {
    const host = await network.host("edge");
    peer = await network.host("switch");
    await network.connect(host, "port1", peer, "wire");
    edge = await LabEdge.open(host, config);
    expect((await edge.apply(account([one]))).problems).toEqual([]);
    await startSwitch(peer, directory, {
      port: "wire",
      link: "198.18.1.1/31",
      gateway: "198.18.1.0",
      remote: one.greEndpoint ?? "",
      inner: `${ends(1).customer}/31`,
      innerPeer: ends(1).provider,
      mtu: one.mtu,
    });
    // The first packet to the switch's own address has to find its neighbour.
    expect(await edge.host.reaches(ends(1).customer, "-w", "5")).toBe(true);
  });

  afterAll(async () => {
    await edge?.[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
  });

  test("answers pings both ways, and loses none of a thousand", async () => {
    expect(await peer.reaches(ends(1).provider)).toBe(true);
    const before = await switchCounts(peer, directory);
    const flood = `ping -i 0.002 -c 1000 -w 20 ${ends(1).customer}`;
    expect(lostPings(await edge.host.run(flood))).toEqual([]);
    // The switch sums up what its flows carried once a second.
    await vi.waitFor(
      async () => {
        const { received, sent } = await switchCounts(peer, directory);
        expect(received - before.received).toBeGreaterThanOrEqual(1000);
        expect(sent - before.sent).toBeGreaterThanOrEqual(1000);
      },
      { timeout: 10_000, interval: 100 },
    );
  });

  test("carries what is as large as its MTU, and nothing larger that may not be cut", async () => {
    const whole = (size: number) => ["-M", "do", "-s", String(size)];
    for (const [host, address] of [
      [edge.host, ends(1).customer],
      [peer, ends(1).provider],
    ] as const) {
      // 20 bytes of IPv4 and 8 of ICMP make 1476.
      expect(await host.reaches(address, ...whole(1448))).toBe(true);
      expect(await host.reachesAtOnce(address, ...whole(1449))).toBe(false);
      expect(await host.reaches(address, "-s", "4000")).toBe(true);
    }
  });

  test.each(["request", "reply"] as const)("brings probes of the %s kind back", async (type) => {
    const watching = await Watching.start(edge.host);
    const often = { ...config, rates: { low: 100, mid: 100, high: 100 } };
    const watched = { ...one, healthCheck: { ...request, type } };
    const targets = probeTargets(account([watched]), often);
    expect(targets).toMatchObject([{ device: deviceOfNumber(1), type }]);
    await watching.set(targets);
    expect(await watching.transition(one.id)).toMatchObject({ from: null, to: "healthy" });
    const { figures } = await watching.until((look) => look.figures.answered >= 10);
    expect(figures.lost).toBe(0);
    await watching.stop();
  });
});
