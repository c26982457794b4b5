import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, deviceOfNumber, ends, interconnect, Lab, route } from "../../harness/edge-lab.ts";
import { type Host, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { lostPings } from "../../harness/pings.ts";
import { Counters, TcpClient, tcpEcho, Udp } from "../../harness/sockets.ts";

const [A, B] = [deviceOfNumber(1), deviceOfNumber(2)];
const SITE = "10.9.0.1";
const SITE6 = "fd00:e::1";

const packets = ({ a = 0, b = 0 }: Readonly<Record<string, number>>) => a + b;

describe("routes over interconnects", needs(noNetworks), () => {
  let lab: Lab;
  let edge: Host;
  let site: Host;
  let counters: Counters;
  const interconnects = [1, 2].map((number) =>
    interconnect(number, { interfaceAddress6: `fd00:${number}::/127`, mtu: number === 1 ? 1476 : 1400 }),
  );

  beforeAll(async () => {
    lab = await Lab.open([1, 1]);
    edge = lab.provider.host;
    site = lab.customer(1).host;
    await lab.apply(account(interconnects));
    await site.batch([
      `addr add ${SITE}/32 dev lo`,
      `addr add ${SITE6}/128 dev lo nodad`,
      `route add default via ${ends(1).provider} dev ${A}`,
      `route add ::/0 via fd00:1:: dev ${A}`,
    ]);
    // Not of an interconnect, of which the kernel would prefer the next hop.
    await edge.batch(["addr add 10.250.0.1/32 dev lo", "addr add fd00:250::1/128 dev lo nodad"]);
    counters = await Counters.open(site, { a: `iifname "${A}"`, b: `iifname "${B}"` });
  });

  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test.each([
    ["10.9.0.0/16", SITE, "10.250.0.1", [ends(1).customer, ends(2).customer]],
    ["fd00:e::/64", SITE6, "fd00:250::1", ["fd00:1::1", "fd00:2::1"]],
  ])("of equal priority share the flows to %s by their weights", async (prefix, to, from, hops) => {
    const outcome = await lab.provider.apply(
      account(interconnects, [
        route(prefix, 1, 100, { weight: 1, nexthop: hops[0] ?? "" }),
        route(prefix, 2, 100, { weight: 3, nexthop: hops[1] ?? "" }),
      ]),
    );
    expect(outcome.problems).toEqual([]);
    using sender = Udp.open(edge, { address: from, port: 0 });
    await counters.reset();
    let [a, b] = [0, 0];
    // Fewer at a time than any queue on their path holds.
    for (let port = 20_000; port < 20_400; ) {
      for (const end = port + 50; port < end; port++) await sender.send({ address: to, port });
      ({ a = 0, b = 0 } = await counters.until((counts) => packets(counts) >= port - 20_000));
    }
    expect(a + b).toBe(400);
    expect(b / 400).toBeGreaterThan(0.62);
    expect(b / 400).toBeLessThan(0.88);
  });

  test("leave an interconnect that is down for another, and come back; traffic goes on", async () => {
    const settings = account(interconnects, [route("10.9.0.0/16", 1, 100), route("10.9.0.0/16", 2, 200)]);
    const to = async () => {
      const { a = 0, b = 0 } = await counters.during(
        () => edge.reaches(SITE),
        (counts) => packets(counts) > 0,
      );
      return { a: a > 0, b: b > 0 };
    };
    // Of what goes on, packets that left before a change arrive after it.
    const goesBy = (path: { a: boolean; b: boolean }) => expect.poll(to, { timeout: 20_000 }).toEqual(path);
    await lab.provider.apply(settings);
    await goesBy({ a: true, b: false });
    const flood = edge.run(`ping -i 0.01 -c 100 -w 20 ${SITE}`);
    await lab.provider.apply(settings, new Map([[interconnects[0]?.id ?? "", "down"]]));
    expect(await edge.run("ip -4 route show proto 190")).toContain("metric 1000100");
    await goesBy({ a: false, b: true });
    await lab.provider.apply(settings, new Map([[interconnects[0]?.id ?? "", "degraded"]]));
    await goesBy({ a: false, b: true });
    await lab.provider.apply(settings, new Map([[interconnects[0]?.id ?? "", "healthy"]]));
    await goesBy({ a: true, b: false });
    expect(lostPings(await flood)).toEqual([]);
  });

  test("count only where their scope says", async () => {
    const scoped = (changes: Partial<ReturnType<typeof route>>) => [route("10.9.0.0/16", 1, 100, changes)];
    const routes = async () => (await edge.run("ip -4 route show proto 190")).trim();
    await lab.provider.apply(account(interconnects, scoped({ colos: ["lhr"], regions: ["WEUR"] })));
    expect(await routes()).toBe("");
    await lab.provider.apply(account(interconnects, scoped({ colos: ["ord"] })));
    expect(await routes()).toContain("10.9.0.0/16");
    await lab.provider.apply(account(interconnects, scoped({ regions: ["ENAM"] })));
    expect(await routes()).toContain("10.9.0.0/16");
  });

  test.each([
    [SITE, "192.168.9.2", 40],
    [SITE6, "fd00:9::2", 60],
  ])("lower the MSS of connections of %s both ways", async (client, server, headers) => {
    const origin = await lab.network.host(`origin${headers}`);
    await lab.network.connect(edge, `lan${headers}`, origin, "eth0");
    for (const host of [edge, origin])
      await host.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
    const six = server.includes(":");
    const router = six ? "fd00:9::1" : "192.168.9.1";
    const length = six ? "64 nodad" : "24";
    await edge.run(`ip addr add ${router}/${length} dev lan${headers}`);
    await origin.run(`ip addr add ${server}/${length} dev eth0`);
    await origin.run(`ip route add ${six ? "::/0" : "0.0.0.0/0"} via ${router}`);
    await lab.provider.apply(
      account(interconnects, [
        route(six ? "fd00:e::/64" : "10.9.0.0/16", 1, 100, {
          nexthop: six ? "fd00:1::1" : ends(1).customer,
        }),
      ]),
    );
    const syn = (flags: string) =>
      `tcp flags & (syn|ack) == ${flags} tcp option maxseg size ${1476 - headers}`;
    const arriving = await Counters.open(origin, { mss: syn("syn") });
    await site.run("nft add counter inet test mss");
    await site.run(`nft add rule inet test in ${syn("(syn|ack)")} counter name mss`);
    await using _tcp = await tcpEcho(origin, { address: server, port: 7000 });
    await site.run(`ip link set ${A} mtu 1500`);
    using connection = new TcpClient(site, { address: client, port: 0 }, { address: server, port: 7000 });
    expect(await connection.says()).toBe(true);
    await arriving.until(({ mss = 0 }) => mss > 0);
    await counters.until(({ mss = 0 }) => mss > 0);
    await site.run("nft flush chain inet test in");
    await site.run("nft delete counter inet test mss");
  });

  test("follow a new MTU in place: nothing of the interconnect or its neighbour is lost", async () => {
    await lab.provider.apply(account(interconnects));
    const floods = [1, 2].map((number) => edge.run(`ping -i 0.005 -c 200 -w 20 ${ends(number).customer}`));
    for (const mtu of [1300, 1450, 1476]) {
      const changed = interconnects.map((one, index) => (index === 0 ? { ...one, mtu } : one));
      const planned = await lab.provider.reconciler.plan(account(changed), new Map());
      const outcome = await lab.provider.apply(account(changed));
      if (mtu === 1476) continue;
      expect(outcome.problems).toEqual([]);
      expect(planned.steps.flatMap(({ interrupts }) => interrupts)).toEqual([]);
      expect(await edge.run(`ip -o link show ${A}`)).toContain(`mtu ${mtu} `);
    }
    for (const flood of floods) expect(lostPings(await flood)).toEqual([]);
  });
});
