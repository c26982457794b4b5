/** BGP over an interconnect that edges made real, with BIRD at both ends and what the edges wrote for it. */

import { once } from "node:events";
import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { afterAll, describe, expect, test, vi } from "vitest";
import { Commands } from "../../../src/edge/kernel/commands.ts";
import { Bird } from "../../harness/bird.ts";
import { account, edgeConfig, interconnect, LabEdge } from "../../harness/edge-lab.ts";
import {
  customerEnd,
  edgeSeed,
  interconnectId,
  makeEdgeWorld,
  OPERATOR_TOKEN,
  providerEnd,
} from "../../harness/edge-world.ts";
import { labDriver } from "../../harness/lab-driver.ts";
import { type Host, Network, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { missing } from "../../harness/programs.ts";
import { LIST, startTestServer } from "../../harness/server.ts";
import { temporaryDirectoryForAll } from "../../harness/temporary.ts";

const obstacle = missing("bird", "birdc", "tcpdump");
const title = "BGP between two BIRDs over an interconnect";
const KEY = "correct horse battery staple";
const SITE = "10.55.0.0/16";
const [EXTRA, MORE] = ["10.20.0.0/16", "10.21.0.0/16"] as const;
const DEVICE = `pb-${interconnectId(0).slice(0, 12)}`;

/** The operator's part: BFD for every session by the template, and all routes in the kernel. */
const about = (id: string, own = "") => `router id ${id};
protocol bfd { interface "pb-*" { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; }; }
protocol kernel { ipv4 { export where source = RTS_BGP; }; }
template bgp watched { bfd on; connect delay time 1; connect retry time 1; error wait time 1, 2; }
${own}`;

const routesOf = (host: Host) => host.run("ip route show proto bird");
/** When the kernel lets go of a route, by `performance.now()`. */
async function deletionOf(host: Host, prefix: string): Promise<number> {
  const { stdout } = host.spawn("ip", ["monitor", "route"]);
  if (stdout === null) throw new TypeError("it has no output");
  let text = "";
  for await (const chunk of stdout) {
    text += String(chunk);
    if (text.includes(`Deleted ${prefix}`)) break;
  }
  return performance.now();
}

const soon = (assert: () => Promise<void>, seconds = 15) =>
  vi.waitFor(assert, { timeout: seconds * 1000, interval: 20 });

describe(title, needs(noNetworks, obstacle), () => {
  const directory = temporaryDirectoryForAll();
  const network = new Network();
  afterAll(() => network[Symbol.asyncDispose]());

  test("with a key, prefixes of the settings, and BFD", { timeout: 180_000 }, async () => {
    const bgp = { customer_asn: 64512, extra_prefixes: [EXTRA], md5_key: KEY };
    const seed = { name: "edges", text: edgeSeed({ interconnects: 1, each: { bgp } }) };
    await using server = await startTestServer({}, { seed });
    const change = async (bgp: Readonly<Record<string, unknown>>) => {
      const body = [{ id: interconnectId(0), bgp }];
      expect(await server.ask("PUT", LIST, { token: OPERATOR_TOKEN, body })).toMatchObject({ status: 200 });
    };
    const settings = (name: string) => ({
      bird: {
        include: `${directory}/${name}-sessions.conf`,
        control: `${directory}/${name}.ctl`,
        reload: true,
        template: "watched",
      },
      bgp_keys: { pni_0: KEY },
    });
    const { provider, customer, door } = await makeEdgeWorld(
      network,
      directory,
      { url: server.url, driver: labDriver, interconnects: 1 },
      { provider: settings("provider"), customer: settings("customer") },
    );
    await using _ = door;
    const near = new Bird(provider.host, directory, "provider", about("192.0.2.1"));
    const site = `protocol static { ipv4; route ${SITE} blackhole; }`;
    const far = new Bird(customer.host, directory, "customer", about("192.0.2.2", site));
    await Promise.all([near.start(), far.start()]);
    const wire = provider.host.spawn("tcpdump", ["-l", "-n", "-i", "any", "-c", "3", "tcp port 179"]);
    let packets = "";
    wire.stdout?.on("data", (chunk: Buffer) => {
      packets += chunk.toString();
    });
    await once(wire.stderr ?? wire, "data");

    // The edges write, BIRD is told, and what each side has is in the other's kernel.
    provider.start();
    customer.start();
    await provider.until(({ configuration }) => configuration.status === "applied");
    await customer.until(({ configuration }) => configuration.status === "applied");
    const bothWays = async () => {
      expect(await routesOf(customer.host)).toContain(`${EXTRA} via ${providerEnd(0)} dev ${DEVICE}`);
      expect(await routesOf(provider.host)).toContain(`${SITE} via ${customerEnd(0)} dev ${DEVICE}`);
    };
    await soon(bothWays);
    expect(packets).toContain("md5");
    const [session] = await near.sessions();
    expect(session).toMatchObject({ info: "Established" });
    expect(await near.ask("show", "bfd", "sessions")).toMatch(/ Up /);

    // Changes of the prefixes reach the other side, and the session does not notice.
    for (const [prefixes, there, gone] of [
      [[EXTRA, MORE], [EXTRA, MORE], []],
      [[MORE], [MORE], [EXTRA]],
      [[], [], [EXTRA, MORE]],
      [[EXTRA], [EXTRA], [MORE]],
    ]) {
      await change({ extra_prefixes: prefixes });
      await soon(async () => {
        const routes = await routesOf(customer.host);
        for (const prefix of there ?? []) expect(routes).toContain(prefix);
        for (const prefix of gone ?? []) expect(routes).not.toContain(prefix);
      });
    }
    const [still] = await near.sessions();
    expect(still?.info).toBe("Established");
    // BIRD reckons it anew each time, from a clock that knows no dates.
    expect(still?.since).toBeCloseTo(session?.since ?? 0, 1);

    // A cable that is cut where neither end notices: BFD does, within a second, and the route is back with it.
    const cut = async (isCut: boolean) => {
      for (const [host, device] of [
        [provider.host, "port0"],
        [customer.host, "up0"],
      ] as const)
        await host.run(
          "nft -f -",
          isCut
            ? `table netdev cut { chain in { type filter hook ingress device ${device} priority -600; policy drop; }; }`
            : "delete table netdev cut",
        );
    };
    const gone = [deletionOf(customer.host, EXTRA), deletionOf(provider.host, SITE)];
    await setImmediate();
    await cut(true);
    const began = performance.now();
    for (const at of await Promise.all(gone)) expect(at - began).toBeLessThan(1_000);
    await cut(false);
    await soon(bothWays, 30);

    // What the edges wrote goes with them, and BIRD is told that too.
    await provider.stop();
    await customer.stop();
    for (const edge of [provider, customer]) await edge.run("clean");
    await soon(async () => expect(await near.sessions()).toEqual([]));
    expect(await routesOf(customer.host)).toBe("");
  });

  test("is told by the next agent what one that was killed could not tell", { timeout: 60_000 }, async () => {
    const host = await network.host("alone");
    await network.connect(host, "port1", await network.host("nobody"), "up1");
    const daemon = new Bird(host, directory, "alone", about("192.0.2.3"));
    const { include, control } = daemon;
    const bird = { include, control, reload: true, template: "watched" };
    const bgp = {
      ...{ customerAsn: 64512, extraPrefixes: [EXTRA], hasKey: false },
      ...{ providerEndpoint: undefined, customerEndpoint: undefined },
    };
    const wanted = account([interconnect(1, { bgp })]);
    const config = edgeConfig("provider", `${directory}/alone.state`, { "slot-1": "port1" }, { bird });
    await using edge = await LabEdge.open(host, config);

    // One that does not run is a problem until it does.
    for (let time = 0; time < 2; time++)
      expect((await edge.apply(wanted)).problems.map(({ reason }) => reason).join()).toContain("birdc");
    await daemon.start();
    expect((await edge.apply(wanted)).problems).toEqual([]);
    expect((await edge.apply(wanted)).steps).toEqual([]);

    // Killed when the file was there and BIRD had not heard.
    const before = await daemon.ask("show", "route", "all");
    expect(before).toContain(EXTRA);
    const more = account([interconnect(1, { bgp: { ...bgp, extraPrefixes: [MORE] } })]);
    await edge.restart(new Mute(host.name));
    await expect(edge.apply(more)).rejects.toThrow("killed");
    expect(await daemon.ask("show", "route", "all")).toBe(before);
    await edge.restart();
    expect((await edge.apply(more)).problems).toEqual([]);
    expect(await daemon.ask("show", "route", "all")).toContain(MORE);
    expect((await edge.apply(more)).steps).toEqual([]);

    // One that does not run has nothing to forget.
    await daemon.stop();
    expect((await edge.reconciler.clean()).problems).toEqual([]);
    expect(readdirSync(`${directory}/alone.state`)).toEqual([]);
  });
});

/** Ends its agent instead of telling BIRD. */
class Mute extends Commands {
  override async run(program: string, args: readonly string[], input = ""): Promise<string> {
    if (program === "birdc") throw new Error("killed");
    return super.run(program, args, input);
  }
}
