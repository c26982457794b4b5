/**
 * A real agent, killed at random moments while its account changes: the one that is left alone at last makes the kernel
 * exactly what a first one would in a namespace where nothing ever was.
 *
 * `PATCHBAY_TEST_CHANCE` gives a course again; when exactly a process dies within a millisecond is the machine's.
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, test, vi } from "vitest";
import { Client } from "../../../src/edge/follow/client.ts";
import { FollowedAccount } from "../../../src/edge/follow/objects.ts";
import { NOTHING_MADE } from "../../../src/edge/plan/made.ts";
import { Reconciler } from "../../../src/edge/reconciler.ts";
import { Door } from "../../harness/door.ts";
import { edgeConfig } from "../../harness/edge-lab.ts";
import {
  customerEnd,
  EDGE_TOKEN,
  EdgeProcess,
  edgeSeed,
  interconnectId,
  OPERATOR_TOKEN,
  providerEnd,
} from "../../harness/edge-world.ts";
import { kernelPicture } from "../../harness/kernel-picture.ts";
import { labDriver } from "../../harness/lab-driver.ts";
import { type Host, Network, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { Chance } from "../../harness/random.ts";
import { ACCOUNT, LIST, ROUTES, startTestServer, type TestServer } from "../../harness/server.ts";
import { temporaryDirectoryForAll } from "../../harness/temporary.ts";

const ROUNDS = Number(process.env["PATCHBAY_TEST_ROUNDS"] ?? 100);
const COUNT = 6;
/** After so many rounds everything is taken away once. */
const CLEANED_EVERY = 5;
const numbers = Array.from({ length: COUNT }, (_, number) => number);
/** Milliseconds in which an agent is up and has made everything on this machine, and some. */
const LIFE = 2_000;

/** Addresses by the interconnect that has them now. */
type Holders = number[];

/** Random changes of the account, of what becomes packets and what does not. */
class Changes {
  readonly #chance: Chance;
  readonly #server: TestServer;
  readonly #holders: Holders = [...numbers];
  #made = 0;

  constructor(chance: Chance, server: TestServer) {
    this.#chance = chance;
    this.#server = server;
  }

  async make(): Promise<void> {
    const chance = this.#chance;
    const one = chance.below(COUNT);
    const kinds = ["mtu", "name", "endpoint", "swap", "return", "check", "route"] as const;
    const kind = chance.pick(kinds);
    if (kind === "route") return this.#route();
    const bodies = {
      mtu: () => [{ mtu: chance.between(1280, 1476) }],
      name: () => [{ name: `pni_${one}${chance.pick(["", "_away"])}` }],
      endpoint: () => [{ gre: { cloudflare_endpoint: `203.0.113.${chance.between(1, 3)}` } }],
      swap: () => this.#swap(one, (one + chance.between(1, COUNT - 1)) % COUNT),
      return: () => [{ automatic_return_routing: chance.below(2) === 1 }],
      check: () => [
        { health_check: { enabled: chance.below(4) > 0, type: chance.pick(["request", "reply"]) } },
      ],
    };
    await this.#ask(
      "PUT",
      LIST,
      bodies[kind]().map((fields) => ({ id: interconnectId(one), ...fields })),
    );
  }

  /** Two exchange their addresses in one change. */
  #swap(one: number, other: number): Readonly<Record<string, unknown>>[] {
    const holders = this.#holders;
    const [first = one, second = other] = [holders[one], holders[other]];
    [holders[one], holders[other]] = [second, first];
    return [
      { interface_address: `${providerEnd(second)}/31` },
      { id: interconnectId(other), interface_address: `${providerEnd(first)}/31` },
    ];
  }

  async #route(): Promise<void> {
    const chance = this.#chance;
    const prefix = `10.77.${this.#made++ % 250}.0/24`;
    const nexthop = customerEnd(chance.below(COUNT));
    await this.#ask("POST", ROUTES, { prefix, nexthop, priority: chance.between(1, 5) * 100 });
  }

  async #ask(method: string, path: string, body: unknown): Promise<void> {
    const reply = await this.#server.ask(method, path, { token: OPERATOR_TOKEN, body });
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(reply.body)}`);
  }
}

/** A host with a port to nobody in particular. */
async function router(network: Network, name: string): Promise<Host> {
  const [host, peer] = [await network.host(name), await network.host(`${name}-peer`)];
  for (const one of [host, peer])
    await one.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1");
  await network.connect(host, "port0", peer, "up0");
  return host;
}

describe("an agent that is killed again and again while its account changes", needs(noNetworks), () => {
  const directory = temporaryDirectoryForAll();
  const network = new Network();
  afterAll(() => network[Symbol.asyncDispose]());

  test(`is at last as if nothing had happened, ${ROUNDS} times`, { timeout: 3_600_000 }, async () => {
    const given = process.env["PATCHBAY_TEST_CHANCE"];
    const chance = new Chance(given === undefined ? undefined : Number(given));
    console.log(`PATCHBAY_TEST_CHANCE=${chance.seed}`);
    const routes = numbers.map((number) => ({
      prefix: "10.78.0.0/16",
      nexthop: customerEnd(number),
      priority: 100 + (number >> 1),
    }));
    const seed = { name: "edges", text: edgeSeed({ interconnects: COUNT, routes }) };
    await using server = await startTestServer({}, { seed });
    const changes = new Changes(chance, server);
    const [host, clean] = [await router(network, "edge"), await router(network, "clean")];
    await using door = await Door.open(join(directory, "door"), server.url);
    await door.into(host);
    const before = await kernelPicture(host);
    expect(await kernelPicture(clean)).toEqual(before);
    const map = Object.fromEntries(numbers.map((number) => [`pni_${number}`, "port0"]));
    const edge = new EdgeProcess(host, directory, {
      ...{ driver: labDriver, rates: { high: 0.2 }, health_time_scale: 0.02 },
      ...{ role: "provider", name: "edge-1", site: "ord", map },
    });
    const client = new Client({ server: server.url, token: EDGE_TOKEN, account: ACCOUNT });

    /** What a first agent makes where nothing is, with the same numbers of flows and the same health. */
    const made = async () => {
      const state = join(directory, "clean.state");
      const config = edgeConfig("provider", state, map, { name: "edge-1", region: undefined });
      rmSync(state, { recursive: true, force: true });
      await using empty = await Reconciler.open(config, clean.commands);
      await empty[Symbol.asyncDispose]();
      const { numbers: known } = JSON.parse(readFileSync(join(edge.state, "made.json"), "utf8"));
      writeFileSync(join(state, "made.json"), JSON.stringify({ ...NOTHING_MADE, numbers: known }));
      await using first = await Reconciler.open(config, clean.commands);
      const followed = new FollowedAccount();
      const signal = AbortSignal.timeout(10_000);
      followed.begin((await client.own("/state", { signal })).result);
      const status = await edge.status();
      const states = new Map(
        (status?.interconnects ?? []).flatMap(({ id, state }) => (state ? [[id, state] as const] : [])),
      );
      const { problems } = await first.apply(followed.account, states);
      const picture = await kernelPicture(clean);
      expect((await first.clean()).problems).toEqual([]);
      expect(await kernelPicture(clean)).toEqual(before);
      return { picture, problems, revision: followed.revision };
    };

    let isRunning = false;
    for (let round = 1; round <= ROUNDS; round++) {
      // The one of the round before is there already; then others live for a moment, and the account waits for none.
      for (let lives = chance.between(1, 3); lives > 0; lives--) {
        if (!isRunning) edge.start();
        const death = setTimeout(chance.below(isRunning ? LIFE / 2 : LIFE));
        for (let left = chance.between(0, 4); left > 0; left--) {
          await setTimeout(chance.below(LIFE / 8));
          await changes.make();
        }
        await death;
        await edge.stop("SIGKILL");
        isRunning = false;
        if (chance.below(3) === 0) await changes.make();
      }
      edge.start();
      isRunning = true;
      const current = (await client.own("/state", { signal: AbortSignal.timeout(10_000) })).result;
      const { revision } = Object(current);
      await edge.until(
        ({ configuration, interconnects }) =>
          configuration.revision === revision &&
          configuration.status !== "modified" &&
          // Nobody answers: what is watched is down, and stays so.
          interconnects.every(({ state, reason }) => state === "down" || reason === "health checks are off"),
      );
      await vi.waitFor(
        async () => {
          const wanted = await made();
          // Settings of the machine that are needed no more stay until all is taken away.
          const { settings: _, ...picture } = wanted.picture;
          expect(await kernelPicture(host), `round ${round}, seed ${chance.seed}`).toMatchObject(picture);
          const { configuration } = (await edge.status()) ?? {};
          expect(configuration?.problems).toEqual(wanted.problems);
        },
        { timeout: 20_000, interval: 100 },
      );
      if (round % CLEANED_EVERY !== 0 && round !== ROUNDS) continue;
      await edge.stop(chance.pick(["SIGKILL", "SIGTERM"]));
      isRunning = false;
      await edge.run("clean");
      expect(await kernelPicture(host), `cleaned after round ${round}`).toEqual(before);
      console.log(`${round} rounds`);
    }
  });
});
