import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { clientOf } from "../harness/client.ts";
import { edgeSeed, interconnectId, makeEdgeWorld, OPERATOR_TOKEN } from "../harness/edge-world.ts";
import { labDriver } from "../harness/lab-driver.ts";
import { Network, noNetworks } from "../harness/namespaces.ts";
import { needs } from "../harness/needs.ts";
import { ACCOUNT, LIST, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectoryForAll } from "../harness/temporary.ts";

const COUNT = 50;
const ids = Array.from({ length: COUNT }, (_, number) => interconnectId(number));

describe("a change of fifty interconnects, and one that breaks", needs(noNetworks), () => {
  const directory = temporaryDirectoryForAll();
  const network = new Network();
  afterAll(() => network[Symbol.asyncDispose]());

  test("devices follow the bulk update; what breaks is seen, undone and told", {
    timeout: 120_000,
  }, async () => {
    const seed = { name: "edges", text: edgeSeed({ interconnects: COUNT }) };
    await using server = await startTestServer({ healthSettle: 1 }, { seed });
    const ask = (method: string, path: string, asked: Parameters<typeof server.ask>[2] = {}) =>
      server.ask(method, path, { token: OPERATOR_TOKEN, ...asked });
    const health = async () => (await ask("GET", `${OWN}/health`)).body.result;
    const newest = async () => (await ask("GET", `${OWN}/changes?limit=1`)).body.result[0];
    const untilHealth = async (holds: (states: string[]) => boolean, seconds = 30) => {
      const deadline = performance.now() + seconds * 1000;
      for (;;) {
        const { interconnects } = await health();
        const states = interconnects.map(({ state }: { state: string }) => state);
        if (holds(states)) return;
        if (performance.now() > deadline) throw new Error(`not so: ${JSON.stringify(interconnects)}`);
        await setTimeout(50);
      }
    };

    const { provider, customer, door } = await makeEdgeWorld(network, directory, {
      url: server.url,
      driver: labDriver,
      interconnects: COUNT,
    });
    await using _ = door;
    // A customer's router, set up once, that follows nobody.
    await customer.run("--once");
    provider.start();
    await provider.until(({ configuration }) => configuration.status === "applied");
    await untilHealth((states) => states.length === COUNT && states.every((state) => state === "healthy"));

    const client = clientOf(server, { apiToken: OPERATOR_TOKEN });
    await client.magicTransit.cfInterconnects.bulkUpdate({
      account_id: ACCOUNT,
      body: { interconnects: ids.map((id) => ({ id, mtu: 1400 })) },
    });
    await provider.until(
      ({ configuration }) => configuration.status === "applied" && configuration.revision === 2,
    );
    const links: { ifname: string; mtu: number }[] = JSON.parse(await provider.host.run("ip -j link show"));
    const tunnels = links.filter(({ ifname }) => ifname.startsWith("pb-"));
    expect(tunnels.map(({ mtu }) => mtu)).toEqual(ids.map(() => 1400));

    // The endpoint is one that the customer's router knows nothing of.
    const broken = await ask("PUT", `${LIST}/${ids[7]}`, {
      body: { gre: { cloudflare_endpoint: "203.0.113.99" } },
      headers: {
        "x-patchbay-confirm-within": "60",
        "x-patchbay-revert-on": "down",
        "x-patchbay-reason": "the new endpoint",
      },
    });
    expect(broken.status).toBe(200);
    const followed = (await ask("GET", `${OWN}/changes?after=3&wait=30`)).body.result;
    expect(followed).toMatchObject([
      {
        revision: 4,
        reverts: 3,
        actor: { type: "system", id: "health", name: expect.stringContaining("pni_7") },
      },
    ]);
    await provider.until(
      ({ configuration }) => configuration.status === "applied" && configuration.revision === 4,
    );
    await untilHealth((states) => states.every((state) => state === "healthy"), 60);
    expect(await newest()).toMatchObject({ revision: 4 });

    // What happened to it, in order, and that nothing happened to any other.
    const { transitions } = (await ask("GET", `${OWN}/health/${ids[7]}`)).body.result;
    expect(transitions.map(({ to }: { to: string }) => to)).toEqual([
      "healthy",
      "down",
      "degraded",
      "healthy",
    ]);
    for (const id of ids.filter((_, number) => number !== 7)) {
      const { result } = (await ask("GET", `${OWN}/health/${id}`)).body;
      expect([id, result.transitions.map(({ to }: { to: string }) => to)]).toEqual([id, ["healthy"]]);
    }
    await provider.stop();
    expect(readFileSync(`${provider.state}/account.json`, "utf8")).toContain('"revision":4');
    await Promise.all([provider.run("clean"), customer.run("clean")]);
    for (const { host } of [provider, customer]) {
      const left: { ifname: string }[] = JSON.parse(await host.run("ip -j link show"));
      expect(left.filter(({ ifname }) => ifname.startsWith("pb-"))).toEqual([]);
    }
  });
});
