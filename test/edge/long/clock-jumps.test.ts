/** An edge whose wall clock jumps, while the one that measures goes on: what it sees, and what the server makes of it. */

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Minute } from "../../../src/contract/health.ts";
import { Client } from "../../../src/edge/follow/client.ts";
import type { ProbeTarget } from "../../../src/edge/probe/targets.ts";
import { Reporter } from "../../../src/edge/report/reporter.ts";
import { Spool } from "../../../src/edge/report/spool.ts";
import { EDGE_TOKEN, edgeSeed, interconnectId, OPERATOR_TOKEN } from "../../harness/edge-world.ts";
import { type Host, Network, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { Chance } from "../../harness/random.ts";
import { ACCOUNT, OWN, startTestServer, type TestServer } from "../../harness/server.ts";
import { temporaryDirectoryForAll } from "../../harness/temporary.ts";
import { type Look, Watching } from "../../harness/watching.ts";

const HOUR = 3_600_000;
const JUMPS = 30;
const ID = interconnectId(0);
const [PROVIDER, CUSTOMER] = ["10.88.0.0", "10.88.0.1"] as const;
const target: ProbeTarget = {
  interconnect: ID,
  device: "wire",
  source: PROVIDER,
  destination: CUSTOMER,
  neighbour: CUSTOMER,
  type: "request",
  interval: 20,
};

describe("an edge whose wall clock jumps", needs(noNetworks), () => {
  const directory = temporaryDirectoryForAll();
  const network = new Network();
  let customer: Host;
  let watching: Watching;
  let server: TestServer;
  let reporter: Reporter;
  /** All that were over. */
  const minutes: Minute[] = [];

  /** Looks until it is so, and keeps the minutes that a look takes. */
  const until = (wanted: (look: Look) => boolean) =>
    watching.until((look) => {
      minutes.push(...look.minutes);
      return wanted(look);
    });

  const look = () => until(() => true);

  const ask = async (path: string) =>
    (await server.ask("GET", `${OWN}/health${path}`, { token: OPERATOR_TOKEN })).body.result;
  const shown = async () => (await ask("")).interconnects[0];
  const history = (since: number) => ask(`/${ID}?since=${new Date(since).toISOString()}`);

  beforeAll(async () => {
    const provider = await network.host("provider");
    customer = await network.host("customer");
    await network.connect(provider, "wire", customer, "wire");
    await provider.run(`ip addr add ${PROVIDER}/31 dev wire`);
    await customer.run(`ip addr add ${CUSTOMER}/31 dev wire`);
    await customer.run("nft add table inet silence");
    server = await startTestServer({}, { seed: { name: "edges", text: edgeSeed({ interconnects: 1 }) } });
    watching = await Watching.start(provider, 0.01);
    await watching.set([target]);
    await watching.transition(ID);
  });

  afterAll(async () => {
    await reporter?.[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
    await server.close();
  });

  test("sees no change, and counts each probe once", async () => {
    const chance = new Chance();
    console.log(`PATCHBAY_TEST_CHANCE=${chance.seed}`);
    const before = await look();
    let away = 0;
    for (let jump = 0; jump < JUMPS; jump++) {
      const wall = chance.pick([-HOUR, -61_000, -500, 500, 61_000, HOUR]);
      away += wall;
      await watching.jump({ wall });
      const { answered } = (await look()).figures;
      await until(({ figures }) => figures.answered >= answered + 10);
    }
    await watching.jump({ wall: -away });
    const after = await look();
    expect(after.states).toEqual(before.states);
    expect(after.figures.lost).toBe(0);

    // With an end to it, every probe of which something is known is in one of the minutes.
    await watching.set([]);
    await watching.jump({ wall: 10 * HOUR });
    const { figures } = await until(({ figures }) => figures.outstanding === 0);
    await watching.jump({ wall: -10 * HOUR });
    for (const { sent, lost, latency, jitter } of minutes) {
      expect(sent).toBeGreaterThan(0);
      expect(lost).toBe(0);
      expect(latency?.min).toBeGreaterThan(0);
      expect(latency?.p99).toBeLessThan(1_000);
      expect(jitter ?? 0).toBeGreaterThanOrEqual(0);
    }
    const total = minutes.reduce((sum, { sent }) => sum + sent, 0);
    expect(total).toBe(figures.answered);
    await watching.set([target]);
    await watching.transition(ID);
  });

  test("is shown as it is, whatever it takes the time for", async () => {
    let states: Look["states"] = (await look()).states;
    reporter = new Reporter({
      client: new Client({ server: server.url, account: ACCOUNT, token: EDGE_TOKEN }),
      spool: new Spool(directory, () => undefined),
      heard: () => undefined,
      standing: () => ({
        ...{ edge: "edge-1", site: "ord", role: "provider", driver: "userspace", version: "0" },
        configuration: { status: "applied", epoch: "e", revision: 1, problems: [] },
        ports: [],
        states: Object.entries(states).map(([interconnect, state]) => ({ interconnect, ...state })),
      }),
    });
    const isShown = (state: string) =>
      vi.waitFor(async () => expect((await shown()).state).toBe(state), { timeout: 3_000, interval: 20 });
    /** What happens next is told, and shown at once though all states are told again in a minute only. */
    const follow = async (state: string) => {
      const transition = await watching.transition(ID);
      expect(transition.to).toBe(state);
      ({ states } = await watching.look());
      reporter.transition(transition);
      await isShown(state);
      return transition;
    };
    const silence = (rules: string) =>
      customer.run(
        "nft -f -",
        `flush table inet silence; table inet silence { chain in { type filter hook input priority 0; ${rules} }; }`,
      );
    await isShown("healthy");

    await watching.jump({ wall: HOUR });
    await silence("icmp type echo-request drop;");
    const ahead = await follow("down");
    expect(Date.parse(ahead.time)).toBeGreaterThan(Date.now() + HOUR / 2);

    await watching.jump({ wall: -HOUR });
    await silence("");
    await follow("degraded");
    await follow("healthy");

    await watching.jump({ wall: -HOUR });
    await silence("icmp type echo-request drop;");
    const behind = await follow("down");
    expect(Date.parse(behind.time)).toBeLessThan(Date.now() - HOUR / 2);

    // The history has what could have been by the server's clock.
    const { transitions } = await history(Date.now() - 2 * HOUR);
    expect(transitions.map(({ to }: { to: string }) => to)).toEqual(["down", "degraded", "healthy"]);
    expect(transitions[0].time).toBe(behind.time);
  });

  test("tells minutes of which the server keeps what can have been, each once", async () => {
    const began = Date.now();
    reporter.minutes(minutes);
    const timely = minutes.filter(({ minute }) => Date.parse(minute) < began + 5 * 60_000);
    const named = new Set(timely.map(({ minute }) => minute));
    const kept = await vi.waitFor(
      async () => {
        const { minutes: told } = await history(began - 40 * HOUR);
        expect(told.length).toBe(named.size);
        return told;
      },
      { timeout: 3_000, interval: 50 },
    );
    // Of one that the clock went through twice, what was told first counts.
    for (const { minute, sent } of kept)
      expect(timely.find((one) => one.minute === minute)?.sent, minute).toBe(sent);
  });
});
