import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { AgentStatus } from "../../src/edge/status.ts";
import {
  customerEnd,
  edgeSeed,
  interconnectId,
  makeEdgeWorld,
  OPERATOR_TOKEN,
  providerEnd,
} from "../harness/edge-world.ts";
import { labDriver } from "../harness/lab-driver.ts";
import { type Host, Network, noNetworks } from "../harness/namespaces.ts";
import { needs } from "../harness/needs.ts";
import { ACCOUNT, LIST, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectoryForAll } from "../harness/temporary.ts";

const COUNT = 3;
const ids = Array.from({ length: COUNT }, (_, number) => interconnectId(number));
const SITE = "10.77.0.1";

interface Shown {
  readonly ifname: string;
  readonly mtu: number;
}

const tunnels = async (host: Host): Promise<Shown[]> =>
  JSON.parse(await host.run("ip -j link show")).filter(({ ifname }: Shown) => ifname.startsWith("pb-"));
const mtus = async (host: Host) => (await tunnels(host)).map(({ mtu }) => mtu);

const allDown = ({ interconnects }: AgentStatus) =>
  interconnects.length === COUNT && interconnects.every(({ state }) => state === "down");
const allHealthy = ({ interconnects }: AgentStatus) =>
  interconnects.length === COUNT && interconnects.every(({ state }) => state === "healthy");

/** Addresses by device. */
async function addressesOf(host: Host): Promise<Readonly<Record<string, readonly string[]>>> {
  const all: { ifname: string; addr_info: { local: string }[] }[] = JSON.parse(
    await host.run("ip -j addr show"),
  );
  return Object.fromEntries(
    all.map(({ ifname, addr_info }) => [ifname, addr_info.map(({ local }) => local)]),
  );
}

describe("an agent", needs(noNetworks), () => {
  const directory = temporaryDirectoryForAll();
  const network = new Network();
  afterAll(() => network[Symbol.asyncDispose]());

  test("follows, repairs, outlives its server, and leaves nothing when it is told to", {
    timeout: 180_000,
  }, async () => {
    const routes = [0, 1].map((number) => ({
      prefix: `${SITE}/32`,
      nexthop: customerEnd(number),
      priority: 100 + number,
    }));
    const seed = { name: "edges", text: edgeSeed({ interconnects: COUNT, routes }) };
    await using server = await startTestServer({}, { seed });
    const ask = (method: string, path: string, body?: unknown) =>
      server.ask(method, path, { token: OPERATOR_TOKEN, ...(body === undefined ? {} : { body }) });
    const { provider, customer, door } = await makeEdgeWorld(network, directory, {
      url: server.url,
      driver: labDriver,
      interconnects: COUNT,
    });
    await using _ = door;
    const { host } = provider;
    const before = await addressesOf(host);
    await customer.host.run(`ip addr add ${SITE}/32 dev lo`);

    // What it would do, with nothing done.
    const plan = await provider.run("--dry-run");
    expect(plan).toMatch(/ip .*pb-/);
    expect(await addressesOf(host)).toEqual(before);

    // Both ends follow; packets pass, and each side knows the other's health.
    customer.start();
    provider.start();
    await provider.until(allHealthy);
    await customer.until(allHealthy);
    expect(await host.reaches(customerEnd(0))).toBe(true);
    expect(await customer.host.reaches(providerEnd(2))).toBe(true);
    expect(await host.reaches(SITE)).toBe(true);
    const { edges } = (await ask("GET", `${OWN}/health`)).body.result;
    expect(edges).toMatchObject([
      {
        edge: "customer-1",
        role: "customer",
        stale: false,
        configuration: { status: "applied", revision: 1 },
      },
      { edge: "edge-1", role: "provider", site: "ord", stale: false },
    ]);

    // A second one on the same state is refused in a sentence.
    await expect(provider.run()).rejects.toThrow("An agent runs already");

    // What somebody breaks is mended.
    const [first] = await tunnels(host);
    await host.run(`ip link del ${first?.ifname}`);
    await host.run(`ip route flush proto 190`);
    const mended = performance.now() + 30_000;
    while ((await tunnels(host)).length < COUNT || !(await host.reachesAtOnce(SITE))) {
      if (performance.now() > mended) throw new Error(provider.said.slice(-4000));
      await setTimeout(50);
    }

    // A change is followed on both sides.
    await ask("PUT", LIST, [{ id: ids[0], mtu: 1300 }]);
    await provider.until(
      ({ configuration }) => configuration.revision === 2 && configuration.status === "applied",
    );
    await customer.until(
      ({ configuration }) => configuration.revision === 2 && configuration.status === "applied",
    );
    expect(await mtus(host)).toContain(1300);
    expect(await mtus(customer.host)).toContain(1300);

    // A cable that is cut: seen, told, and the route's penalty moves what has another way. Here both go over one cable,
    // so only one tunnel is made silent.
    await customer.host.run(
      "nft -f -",
      `table netdev cut { chain in { type filter hook ingress device pb-${ids[0]?.slice(0, 12)} priority -600; policy drop; }; }`,
    );
    await provider.until(({ interconnects }) => interconnects.some(({ state }) => state === "down"));
    const moved = performance.now() + 30_000;
    while (!(await host.reachesAtOnce(SITE)))
      if (performance.now() > moved) throw new Error(await host.run("ip route"));
    expect(await host.run(`ip route get ${SITE}`)).toContain(`pb-${ids[1]?.slice(0, 12)}`);
    await customer.host.run("nft delete table netdev cut");

    // Without its server everything stays, also over kill -9 and a start anew; what is seen meanwhile is told later.
    await door.shut();
    await provider.until(({ server: { trouble } }) => trouble !== null);
    await provider.stop("SIGKILL");
    expect(await host.reaches(customerEnd(1))).toBe(true);
    await host.run("ip link set port0 down");
    provider.start();
    await provider.until(allDown);
    // A restart is no recovery.
    await provider.stop();
    provider.start();
    const ill = await provider.until(({ interconnects }) => interconnects.length === COUNT);
    expect(allDown(ill)).toBe(true);
    await host.run("ip link set port0 up");
    await provider.until(allHealthy, 60);
    expect((await provider.status())?.configuration).toMatchObject({ status: "applied", revision: 2 });
    await door.open();
    await ask("PUT", LIST, [{ id: ids[0], mtu: 1310 }]);
    await provider.until(
      ({ configuration }) => configuration.revision === 3 && configuration.status === "applied",
    );
    await provider.until(({ unreported }) => unreported.items === 0);
    const { transitions } = (await ask("GET", `${OWN}/health/${ids[1]}`)).body.result;
    const own = transitions.filter(({ edge }: { edge: string }) => edge === "edge-1");
    expect(own.map(({ to }: { to: string }) => to)).toEqual(["healthy", "down", "degraded", "healthy"]);

    // The figures.
    const shown = JSON.parse(await provider.run("status", "--json"));
    expect(shown).toMatchObject({ edge: "edge-1", account: ACCOUNT, server: { trouble: null } });
    expect(await provider.run("status")).toContain("pni_1");

    // It ends, and what it made stays; clean takes it all away.
    await provider.stop();
    expect(await host.reaches(customerEnd(1))).toBe(true);
    await expect(customer.run("clean")).rejects.toThrow("stop it first");
    await provider.run("clean");
    expect(await tunnels(host)).toEqual([]);
    expect(await addressesOf(host)).toEqual(before);
    expect(await host.run("ip rule show")).not.toMatch(/^2\d{4}:/m);
    expect(await host.run("nft list ruleset")).toBe("");
    await customer.stop();
  });

  test("refuses what it cannot do in a sentence, and leaves no trace", async () => {
    const bad = `${directory}/bad.yaml`;
    writeFileSync(bad, "role: provider\nserver: http://127.0.0.1:1\nmapp: {}\n");
    const host = await network.host("bad");
    const { BIN } = await import("../harness/command.ts");
    const run = (...args: string[]) => host.commands.run(process.execPath, [BIN, "edge", ...args]);
    await expect(run("--config", bad)).rejects.toThrow("there is no setting mapp. Did you mean map?");
    await expect(run("--role", "provider", "--server", "http://127.0.0.1:1")).rejects.toThrow("No token");
    await expect(
      run(
        "--role",
        "provider",
        "--server",
        "http://127.0.0.1:1",
        "--token",
        "t",
        "--dry-run",
        "--state",
        `${directory}/none`,
      ),
    ).rejects.toThrow("cannot be reached");
    await expect(run("status", "--state", `${directory}/none`)).rejects.toThrow("No agent runs");
    await expect(run("clean", "--state", `${directory}/none`)).resolves.toContain("nothing to remove");
  });
});
