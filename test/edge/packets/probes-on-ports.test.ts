/** Probes over a bare port, to a customer's router that is the kernel's. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ProbeTarget } from "../../../src/edge/probe/targets.ts";
import { type Host, Network, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { Watching } from "../../harness/watching.ts";

/** The interface subnet on the port. */
const [PROVIDER, CUSTOMER] = ["10.77.0.0", "10.77.0.1"] as const;
/** Public addresses, over which the answers of unidirectional checks come. */
const [OFFICE, SITE] = ["198.51.100.1", "198.51.100.2"] as const;

const request = { source: PROVIDER, destination: CUSTOMER, type: "request" } as const;
const kinds = {
  "bidirectional request": request,
  "bidirectional reply": { source: CUSTOMER, destination: PROVIDER, type: "reply" },
  "unidirectional request": { source: OFFICE, destination: SITE, type: "request" },
  "unidirectional reply": { source: SITE, destination: OFFICE, type: "reply" },
} as const;

let nextInterconnect = 0;

function target(more: Partial<ProbeTarget> = {}): ProbeTarget {
  const interconnect = `ic${nextInterconnect++}`;
  return { interconnect, device: "port", neighbour: CUSTOMER, interval: 50, ...request, ...more };
}

describe("probes over a bare port", needs(noNetworks), () => {
  const network = new Network();
  let provider: Host;
  let customer: Host;
  let watching: Watching;

  beforeAll(async () => {
    provider = await network.host("provider");
    customer = await network.host("customer");
    for (const [cable, near, far] of [
      ["port", PROVIDER, CUSTOMER],
      ["internet", OFFICE, SITE],
    ] as const) {
      await network.connect(provider, cable, customer, cable);
      await provider.run(`ip addr add ${near}/31 dev ${cable}`.replace(`${OFFICE}/31`, `${OFFICE}/24`));
      await customer.run(`ip addr add ${far}/31 dev ${cable}`.replace(`${SITE}/31`, `${SITE}/24`));
    }
    // What a router needs that is to send back what comes with an address of its own.
    await customer.run(
      "sysctl -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.port.rp_filter=0 net.ipv4.conf.port.accept_local=1",
    );
    await customer.run(
      "nft -f -",
      "table inet lab { chain in { type filter hook prerouting priority -350; }; }",
    );
    // Windows of 3 seconds.
    watching = await Watching.start(provider, 0.01);
  });

  afterAll(() => network[Symbol.asyncDispose]());

  /** What the customer's firewall does before all else. */
  const firewall = (rule: string) =>
    customer.run("nft -f -", `flush chain inet lab in\n${rule && `add rule inet lab in ${rule}`}`);

  beforeEach(async () => {
    await firewall("");
    await watching.set([]);
  });

  test("both styles come back in both directions", async () => {
    const targets = Object.values(kinds).map((kind) => target(kind));
    await watching.set(targets);
    for (const { interconnect } of targets)
      expect(await watching.transition(interconnect)).toMatchObject({
        from: null,
        to: "healthy",
        reason: "a probe was answered",
      });
    const before = await watching.look();
    const after = await watching.until(({ figures }) => figures.answered >= before.figures.answered + 40);
    expect(after.figures.lost).toBe(before.figures.lost);
    for (const { interconnect } of targets) expect(after.roundTrips[interconnect]).toBeGreaterThan(0);
  });

  test("a firewall that knows nothing of them takes nothing away", async () => {
    await provider.run(
      "nft -f -",
      `table inet strict {
         chain pre { type filter hook prerouting priority -100; policy accept; ct state invalid counter drop; icmp type { echo-reply, echo-request } drop; }
         chain out { type filter hook output priority 0; policy drop; }
       }`,
    );
    try {
      const targets = [target(kinds["bidirectional request"]), target(kinds["bidirectional reply"])];
      await watching.set(targets);
      for (const { interconnect } of targets)
        expect(await watching.transition(interconnect)).toMatchObject({ to: "healthy" });
    } finally {
      await provider.run("nft delete table inet strict");
    }
  });

  test("a dead link is seen at the first probe without an answer and its two retries", async () => {
    const watched = target({ interval: 1_000 });
    await watching.set([watched]);
    await watching.transition(watched.interconnect);
    const { figures } = await watching.until(({ figures: { outstanding } }) => outstanding === 0);
    await firewall("icmp type echo-request drop");
    const seen = await watching.transition(watched.interconnect);
    expect(seen).toMatchObject({
      from: "healthy",
      to: "down",
      reason: "3 probes in a row without an answer",
    });
    expect((await watching.look()).figures.lost).toBe(figures.lost + 3);
  });

  test("down, degraded, healthy: as the link comes back", async () => {
    const watched = target();
    await watching.set([watched]);
    await watching.transition(watched.interconnect);
    await firewall("icmp type echo-request drop");
    expect(await watching.transition(watched.interconnect)).toMatchObject({ to: "down" });
    await firewall("");
    expect(await watching.transition(watched.interconnect)).toMatchObject({
      from: "down",
      to: "degraded",
      reason: "3 probes in a row were answered",
    });
    expect(await watching.transition(watched.interconnect)).toMatchObject({
      from: "degraded",
      to: "healthy",
      reason: "the last 30 probes were answered",
    });
  });

  test("every second probe lost is degraded, not down", async () => {
    const watched = target();
    await watching.set([watched]);
    await watching.transition(watched.interconnect);
    await firewall("icmp type echo-request numgen inc mod 2 == 0 drop");
    expect(await watching.transition(watched.interconnect)).toMatchObject({
      from: "healthy",
      to: "degraded",
    });
  });

  test("a device that is down, gone, and there again under the same name", async () => {
    await network.connect(provider, "spare", customer, "spare");
    const watched = target({
      device: "spare",
      source: "10.77.1.0",
      destination: "10.77.1.1",
      neighbour: "10.77.1.1",
    });
    const address = async () => {
      await provider.run("ip addr add 10.77.1.0/31 dev spare");
      await customer.run("ip addr add 10.77.1.1/31 dev spare");
    };
    await address();
    await watching.set([watched]);
    await watching.transition(watched.interconnect);
    await provider.run("ip link set spare down");
    expect(await watching.transition(watched.interconnect)).toMatchObject({
      to: "down",
      reason: expect.stringMatching(
        /^3 probes in a row without an answer: (spare is down|10.77.1.1 does not answer on spare)$/,
      ),
    });
    await provider.run("ip link set spare up");
    expect(await watching.transition(watched.interconnect)).toMatchObject({ to: "degraded" });
    await provider.run("ip link del spare");
    expect(await watching.transition(watched.interconnect)).toMatchObject({
      to: "down",
      reason: "3 probes in a row without an answer: there is no device spare",
    });
    await network.connect(provider, "spare", customer, "spare");
    await address();
    expect(await watching.transition(watched.interconnect)).toMatchObject({ to: "degraded" });
  });

  test("a device that is not there at all is down, and says so; it has time to be made anew", async () => {
    // By this id the first probe is almost at once.
    const watched = target({ interconnect: "absent", device: "pb-nowhere", interval: 60_000 });
    const began = Date.now();
    await watching.set([watched]);
    const seen = await watching.transition(watched.interconnect);
    expect(seen).toMatchObject({
      from: null,
      to: "down",
      reason: "3 probes in a row without an answer: there is no device pb-nowhere",
    });
    expect(Date.parse(seen.time) - began).toBeGreaterThanOrEqual(399);
  });

  test("a neighbour that nobody is has no hardware address, and says so", async () => {
    const watched = target({ destination: "198.51.100.77", neighbour: "198.51.100.77", device: "internet" });
    await watching.set([watched]);
    expect(await watching.transition(watched.interconnect)).toMatchObject({
      to: "down",
      reason: "3 probes in a row without an answer: 198.51.100.77 does not answer on internet",
    });
  });

  test("a hardware address that somebody has set is left as it is", async () => {
    await provider.run("ip neigh add 198.51.100.78 lladdr 02:00:00:00:00:07 dev internet");
    const watched = target({ destination: "198.51.100.78", neighbour: "198.51.100.78", device: "internet" });
    await watching.set([watched]);
    expect(await watching.transition(watched.interconnect)).toMatchObject({ to: "down" });
    expect(await provider.run("ip neigh show 198.51.100.78")).toContain("02:00:00:00:00:07 PERMANENT");
  });

  test("another target keeps the state, and what was on its way to the old one is forgotten", async () => {
    const watched = target({ interval: 60_000 });
    await watching.set([watched]);
    await watching.transition(watched.interconnect);
    await firewall("icmp type echo-request drop");
    const silent = target({ interval: 60_000, interconnect: "silent" });
    await watching.set([watched, silent]);
    const before = await watching.until(({ figures }) => figures.outstanding === 1);
    await firewall("");
    await watching.set([watched, { ...silent, ...kinds["bidirectional reply"] }]);
    expect(await watching.transition("silent")).toMatchObject({ to: "healthy" });
    const after = await watching.look();
    expect(after.figures.forgotten).toBe(before.figures.forgotten + 1);
    expect(after.figures.lost).toBe(before.figures.lost);
    await watching.set([{ ...watched, type: "reply", source: CUSTOMER, destination: PROVIDER }]);
    expect((await watching.look()).states).toEqual({
      [watched.interconnect]: before.states[watched.interconnect],
    });
  });

  test("when the process stood still, probes on their way are forgotten and not lost", async () => {
    await firewall("icmp type echo-request drop");
    await watching.set([target({ interval: 60_000 })]);
    const before = await watching.until(({ figures }) => figures.outstanding === 1);
    await watching.jump({ monotonic: 5_000 });
    const after = await watching.until(({ figures }) => figures.outstanding === 0);
    expect(after.figures.forgotten).toBe(before.figures.forgotten + 1);
    expect(after.figures.lost).toBe(before.figures.lost);
  });

  test("a wall clock that jumps changes nothing but dates", async () => {
    const watched = target();
    await watching.set([watched]);
    await watching.transition(watched.interconnect);
    const before = await watching.look();
    await watching.jump({ wall: -3_600_000 });
    const after = await watching.until(({ figures }) => figures.answered >= before.figures.answered + 20);
    expect(after.figures.lost).toBe(before.figures.lost);
    expect(after.states).toEqual(before.states);
    await watching.jump({ wall: 3_600_000 });
  });
});
