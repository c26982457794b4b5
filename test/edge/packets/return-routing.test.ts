import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, deviceOfNumber, ends, interconnect, Lab, route } from "../../harness/edge-lab.ts";
import { type Host, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { Counters, TcpClient, tcpEcho, Udp } from "../../harness/sockets.ts";

const CLIENT = "10.0.1.10";
const CLIENT6 = "fd00:c::10";
const ORIGIN = "192.168.9.2";
const ORIGIN6 = "fd00:9::2";
const [A, B] = [deviceOfNumber(1), deviceOfNumber(2)];

const settings = account(
  [1, 2].map((number) =>
    interconnect(number, { returnRouting: true, interfaceAddress6: `fd00:${number}::/127` }),
  ),
  // The routes say B.
  [route("10.0.1.0/24", 2, 100), route("fd00:c::/64", 2, 100, { nexthop: "fd00:2::1" })],
);

/** A host behind the provider, with an MTU of 1300 on the way. */
async function originOf(lab: Lab): Promise<Host> {
  const origin = await lab.network.host("origin");
  // Neighbours are asked for from an address of the link, which may be used at once then.
  for (const host of [origin, lab.provider.host])
    await host.run("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
  await lab.network.connect(lab.provider.host, "lan", origin, "eth0");
  await lab.provider.host.batch([
    "link set lan mtu 1300",
    "addr add 192.168.9.1/24 dev lan",
    "addr add fd00:9::1/64 dev lan nodad",
  ]);
  await origin.batch([
    `addr add ${ORIGIN}/24 dev eth0`,
    `addr add ${ORIGIN6}/64 dev eth0 nodad`,
    "route add default via 192.168.9.1",
    "route add ::/0 via fd00:9::1",
  ]);
  return origin;
}

/** A site's packets leave by one of its tunnels. */
async function leaveBy(site: Host, number: number): Promise<void> {
  await site.batch([
    `route replace default via ${ends(number).provider} dev ${deviceOfNumber(number)} src ${CLIENT}`,
    `route replace ::/0 via fd00:${number}:: dev ${deviceOfNumber(number)} src ${CLIENT6}`,
  ]);
}

describe("return routing of one site with two interconnects", needs(noNetworks), () => {
  let lab: Lab;
  let origin: Host;
  let edge: Host;
  let site: Host;
  let counters: Counters;

  beforeAll(async () => {
    lab = await Lab.open([1, 1], { sameSite: [["ic-1", "ic-2"]] });
    edge = lab.provider.host;
    site = lab.customer(1).host;
    origin = await originOf(lab);
    expect((await lab.apply(settings)).problems).toEqual([]);
    await site.batch([`addr add ${CLIENT}/32 dev lo`, `addr add ${CLIENT6}/128 dev lo nodad`]);
    await leaveBy(site, 1);
    counters = await Counters.open(site, { a: `iifname "${A}"`, b: `iifname "${B}"` });
  });

  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  /** Asserts that what comes back comes by one tunnel alone. */
  async function comesBackBy(way: "a" | "b", act: () => Promise<unknown>): Promise<void> {
    const counts = await counters.during(act, (found) => (found[way] ?? 0) > 0);
    expect(counts[way === "a" ? "b" : "a"]).toBe(0);
  }

  test.each([
    ["the origin", CLIENT, ORIGIN],
    ["the origin in IPv6", CLIENT6, ORIGIN6],
    ["the edge itself", CLIENT, "192.168.9.1"],
    ["the edge itself in IPv6", CLIENT6, "fd00:9::1"],
  ])("answers of %s leave by the interconnect that was asked by", async (_, client, server) => {
    const host = server === ORIGIN || server === ORIGIN6 ? origin : edge;
    await using _tcp = await tcpEcho(host, { address: server, port: 7000 });
    using udp = Udp.open(host, { address: server, port: 7001 }).echo();
    expect(udp).toBeDefined();
    using asking = Udp.open(site, { address: client, port: 7002 });
    await comesBackBy("a", async () => {
      expect(await site.reaches(server, "-I", client)).toBe(true);
      using connection = new TcpClient(site, { address: client, port: 0 }, { address: server, port: 7000 });
      expect(await connection.says()).toBe(true);
      expect(await asking.says({ address: server, port: 7001 })).toBe(true);
    });
  });

  test("so do refusals and errors that the edge makes", async () => {
    await comesBackBy("a", async () => {
      using refused = new TcpClient(
        site,
        { address: CLIENT, port: 0 },
        { address: "192.168.9.1", port: 7999 },
      );
      expect(await refused.says()).toBe(false);
      expect(refused.error).toMatch(/ECONNREFUSED|ECONNRESET/);
    });
    using asking = Udp.open(site, { address: CLIENT, port: 7003 });
    await comesBackBy("a", () => asking.says({ address: "192.168.9.1", port: 7998 }, 1));
    await comesBackBy("a", () => site.reachesAtOnce(ORIGIN, "-I", CLIENT, "-t", "1"));
    await comesBackBy("a", () => site.reachesAtOnce(ORIGIN, "-I", CLIENT, "-M", "do", "-s", "1400"));
  });

  test("what the edge or the origin begins follows the routes", async () => {
    // Their answers are none of this: what is counted is what comes to the site.
    await comesBackBy("b", () => edge.reaches(CLIENT));
    await comesBackBy("b", () => origin.reaches(CLIENT));
  });

  test("a service that answers UDP from any address follows the routes: bind it to one", async () => {
    using any = Udp.open(edge, { address: "0.0.0.0", port: 7004 }).echo();
    expect(any).toBeDefined();
    using asking = Udp.open(site, { address: CLIENT, port: 7005 });
    await comesBackBy("b", () => asking.says({ address: "192.168.9.1", port: 7004 }));
  });

  test("a flow that the far side moves to another interconnect of the site is followed at once, and back", async () => {
    await using _tcp = await tcpEcho(origin, { address: ORIGIN, port: 7000 });
    using connection = new TcpClient(site, { address: CLIENT, port: 0 }, { address: ORIGIN, port: 7000 });
    expect(await connection.says()).toBe(true);
    for (const [number, way] of [
      [2, "b"],
      [1, "a"],
      [2, "b"],
      [1, "a"],
    ] as const) {
      await leaveBy(site, number);
      await comesBackBy(way, async () => {
        expect(await connection.says()).toBe(true);
      });
    }
  });

  test("a flow does not take another way when its interconnect's device is down", async () => {
    await using _tcp = await tcpEcho(origin, { address: ORIGIN, port: 7000 });
    using connection = new TcpClient(site, { address: CLIENT, port: 0 }, { address: ORIGIN, port: 7000 });
    expect(await connection.says()).toBe(true);
    await edge.run(`ip link set ${A} down`);
    await counters.reset();
    expect(await connection.says(1_000)).toBe(false);
    expect(await counters.until(() => true)).toMatchObject({ b: 0 });
    expect(await edge.run(`ip route get ${CLIENT} mark 1`).catch(String)).toMatch(/unreachable|No route/);
    await lab.provider.apply(settings);
    await comesBackBy("a", async () => {
      expect(await connection.says()).toBe(true);
    });
  });
});

describe("return routing of two sites with the same private addresses", needs(noNetworks), () => {
  test("each gets its own answers, also of flows that are alike to the port", async () => {
    await using lab = await Lab.open([1, 2]);
    const edge = lab.provider.host;
    const origin = await originOf(lab);
    await lab.apply({ ...settings, routes: [] });
    await edge.run(
      "nft -f -",
      'table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "lan" masquerade; }; }',
    );
    const sites = [lab.customer(1).host, lab.customer(2).host];
    await Promise.all(
      sites.map((site, index) =>
        site.batch([
          `addr add ${CLIENT}/32 dev lo`,
          `route replace default via ${ends(index + 1).provider} dev ${deviceOfNumber(index + 1)} src ${CLIENT}`,
        ]),
      ),
    );
    await using _tcp = await tcpEcho(origin, { address: ORIGIN, port: 7000 });
    for (const site of sites) expect(await site.reaches(ORIGIN)).toBe(true);
    const [one, two] = sites.map(
      (site) => new TcpClient(site, { address: CLIENT, port: 5000 }, { address: ORIGIN, port: 7000 }),
    );
    using first = one;
    using second = two;
    expect(await Promise.all([first?.says(), second?.says()])).toEqual([true, true]);
    expect(await Promise.all([first?.says(), second?.says()])).toEqual([true, true]);
  });
});
