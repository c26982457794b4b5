import { afterAll, beforeEach, expect, test } from "vitest";
import type { HealthReport, HealthState } from "../../src/contract/health.ts";
import { currentOf, report } from "../harness/edge-report.ts";
import { ACCOUNT, CNI, one, SIN, startTestServer } from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";

const NOON = "2026-03-01T12:00:00.000Z";
const clock = new SetClock(NOON);
const server = await startTestServer({}, { clock });
afterAll(() => server.close());
beforeEach(async () => {
  clock.set(NOON);
  await server.reset();
});

/** The demonstration's ports: one on a slot, with one interconnect on it, and a partner's without any. */
const DIRECT = "sin-c1d7e5a24b98";
const PARTNER = "gcp-us-central1-6b0c2f4e8d17";
const SLOT = "9d4b6c1e-2f83-4a70-9e15-c7b8a6d5e4f3";

const status = async (port = DIRECT) => (await server.ask("GET", `${CNI}/interconnects/${port}/status`)).body;
/** What an edge tells of the slot's port and of the interconnect on it. */
const tell = (up: boolean, state?: HealthState, said: Partial<HealthReport> = {}) =>
  report(server, {
    ports: [{ slot: SLOT, device: "eth1", up }],
    states: state ? [currentOf(state, NOON, SIN)] : [],
    ...said,
  });

test("a port is pending until an edge has told that it is up", async () => {
  expect(await status()).toEqual({ state: "Pending" });
  await tell(false, "down");
  expect(await status()).toEqual({ state: "Pending" });
  await tell(true, "healthy");
  expect(await status()).toEqual({ state: "Healthy" });
});

test("the customer's edge does not tell of the provider's ports", async () => {
  await tell(true, "healthy", { role: "customer" });
  expect(await status()).toEqual({ state: "Pending" });
});

test.each([
  [false, "healthy", { state: "Down", reason: "eth1 at edge ord-1 has no signal" }],
  [true, "down", { state: "Down", reason: "pni_sin is down: it is down" }],
  [true, "degraded", { state: "Unhealthy", reason: "pni_sin is degraded: it is degraded" }],
  [true, undefined, { state: "Unhealthy", reason: "pni_sin is unknown: no provider edge reports it" }],
] as const)("once up: %s with an interconnect that is %s", async (up, state, expected) => {
  await tell(true, "healthy");
  await tell(up, state);
  expect(await status()).toEqual(expected);
});

test("of two interconnects one that is down makes it unhealthy, both make it down, and none that is not checked", async () => {
  const magic = { conduit_name: "second", description: "", mtu: 1400 };
  const body = { account: ACCOUNT, interconnect: DIRECT, magic };
  const made = (await server.ask("POST", `${CNI}/cnis`, { body })).body;
  const second = made.id.replaceAll("-", "");
  const both = (first: HealthState, other: HealthState) => ({
    states: [currentOf(first, NOON, SIN), currentOf(other, NOON, second)],
  });
  await tell(true, undefined, both("healthy", "healthy"));
  expect(await status()).toEqual({ state: "Healthy" });
  await tell(true, undefined, both("healthy", "down"));
  expect(await status()).toEqual({ state: "Unhealthy", reason: "second is down: it is down" });
  await tell(true, undefined, both("down", "down"));
  expect(await status()).toMatchObject({
    state: "Down",
    reason: expect.stringContaining("all 2 interconnects"),
  });
  for (const id of [SIN, second])
    await server.ask("PUT", one(id), { body: { health_check: { enabled: false } } });
  expect(await status()).toEqual({ state: "Healthy" });
});

test("an edge that says nothing any more says nothing good", async () => {
  await server.ask("PUT", one(SIN), { body: { health_check: { enabled: false } } });
  await tell(true);
  expect(await status()).toEqual({ state: "Healthy" });
  clock.pass(21);
  expect(await status()).toEqual({ state: "Unhealthy", reason: "edge ord-1 has not reported for 21 s" });
});

test("a partner's port, which no edge has, goes by the interconnects on it", async () => {
  expect(await status(PARTNER)).toEqual({ state: "Pending" });
  const magic = { conduit_name: "cloud", description: "", mtu: 1400 };
  const body = { account: ACCOUNT, interconnect: PARTNER, magic };
  const id = (await server.ask("POST", `${CNI}/cnis`, { body })).body.id.replaceAll("-", "");
  expect(await status(PARTNER)).toEqual({ state: "Pending" });
  await report(server, { states: [currentOf("healthy", NOON, id)] });
  expect(await status(PARTNER)).toEqual({ state: "Healthy" });
  clock.pass(21);
  expect(await status(PARTNER)).toEqual({
    state: "Unhealthy",
    reason: "cloud is unknown: edge ord-1 has not reported for 21 s",
  });
});
