import { afterAll, expect, test } from "vitest";
import { Away } from "../../src/store/store.ts";
import { currentOf, report } from "../harness/edge-report.ts";
import { FaultyHealth } from "../harness/faulty-health.ts";
import { ACCOUNT, AMS, ORD, OTHER_ACCOUNT, SIN, startTestServer } from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";

const NOON = "2026-03-01T12:00:00.000Z";
const clock = new SetClock(NOON);
const health = new FaultyHealth();
const server = await startTestServer({ metricsPort: 0, metricsAccounts: true }, { clock, health });
afterAll(() => server.close());

/** The figures of health of the demonstration's account, by name and the labels besides the account's. */
async function figures(): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.metricsUrl}/metrics`)).text();
  const own = [...text.matchAll(/^patchbay_((?:interconnect|edge)\w*)\{account="(\w+)",?(.*)\} (\S+)$/gm)];
  return Object.fromEntries(
    own
      .filter(([, , account]) => account === ACCOUNT)
      .map(([, name, , labels, value]) => [`${name} ${labels}`, Number(value)]),
  );
}

test("health is counted by state, edges by what they made, and what is unwell is named", async () => {
  expect(await figures()).toEqual({
    'interconnects state="healthy"': 0,
    'interconnects state="degraded"': 0,
    'interconnects state="down"': 0,
    'interconnects state="unknown"': 3,
  });
  const { epoch, revision } = (await server.ask("GET", `/patchbay/v1/accounts/${ACCOUNT}/state`)).body.result;
  const configuration = { status: "error", epoch, revision, problems: [] } as const;
  const states = [currentOf("healthy", NOON), currentOf("degraded", NOON, AMS), currentOf("down", NOON, SIN)];
  await report(server, { states, configuration: { ...configuration, problems: [] } });
  clock.pass(7);
  const told = await figures();
  expect(told).toMatchObject({
    'interconnects state="healthy"': 1,
    'interconnects state="unknown"': 0,
    [`interconnect_unwell interconnect="${AMS}",name="pni_ams",state="degraded"`]: 1,
    [`interconnect_unwell interconnect="${SIN}",name="pni_sin",state="down"`]: 1,
    'edge_silence_seconds edge="ord-1"': 7,
    'edge_configuration edge="ord-1",status="error"': 1,
    'edge_configuration edge="ord-1",status="applied"': 0,
    'edge_interconnects edge="ord-1",state="down"': 1,
  });
  expect(Object.keys(told).filter((name) => name.includes(ORD))).toEqual([]);
  clock.pass(20);
  expect(await figures()).toMatchObject({
    'interconnects state="unknown"': 3,
    'edge_interconnects edge="ord-1",state="unknown"': 3,
    'edge_interconnects edge="ord-1",state="down"': 0,
  });
});

test("without --metrics-accounts each figure is one of all accounts, and no series names anything of one", async () => {
  await using quiet = await startTestServer({ metricsPort: 0 }, { clock });
  const { epoch, revision } = (await quiet.ask("GET", `/patchbay/v1/accounts/${ACCOUNT}/state`)).body.result;
  const configuration = { status: "applied", epoch, revision, problems: [] } as const;
  const now = new Date(clock.now()).toISOString();
  const states = [currentOf("healthy", now), currentOf("down", now, AMS), currentOf("down", now, SIN)];
  await report(quiet, { states, configuration: { ...configuration, problems: [] } });
  clock.pass(3);
  const text = await (await fetch(`${quiet.metricsUrl}/metrics`)).text();
  const found = text.split("\n").filter((line) => /^patchbay_(?:interconnect|edge|revision)/.test(line));
  expect(found).toEqual(
    expect.arrayContaining([
      'patchbay_interconnects{state="healthy"} 1',
      'patchbay_interconnects{state="down"} 2',
      'patchbay_interconnect_unwell{state="down"} 2',
      "patchbay_edge_silence_seconds 3",
      'patchbay_edge_configuration{status="applied"} 1',
      'patchbay_edge_interconnects{state="down"} 2',
    ]),
  );
  for (const name of [ACCOUNT, OTHER_ACCOUNT, AMS, "pni_ams", "ord-1"]) expect(text).not.toContain(name);
  expect(text).not.toContain("account=");
});

test("what cannot be read keeps the other figures from nobody", async () => {
  health.onRead = () => Promise.reject(new Away("connection refused"));
  const answer = await fetch(`${server.metricsUrl}/metrics`);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  expect(text).toContain(`patchbay_revision{account="${OTHER_ACCOUNT}"}`);
  expect(text).not.toContain("patchbay_interconnects{");
  health.onRead = async () => undefined;
  expect(await figures()).not.toEqual({});
});
