import { expect, onTestFinished, test } from "vitest";
import {
  healthStoreContract,
  heard,
  minute,
  NOON,
  transition,
} from "../../../test/harness/health-store-contract.ts";
import { freshDatabase } from "../../../test/harness/postgres.ts";
import { administer } from "../../../test/harness/postgres-server.ts";
import { migrate } from "../postgres/postgres-store.ts";
import { PostgresHealth } from "./postgres-health.ts";

const places = new Map<string, Promise<string>>();

async function madeDatabase(): Promise<string> {
  const url = await freshDatabase();
  await migrate(url);
  return url;
}

healthStoreContract("PostgreSQL", async (place) => {
  const url = places.get(place) ?? madeDatabase();
  places.set(place, url);
  return new PostgresHealth(await url);
});

test("what one server is told is seen at another, and both may be told of one edge", async () => {
  const url = await madeDatabase();
  const [one, other] = [new PostgresHealth(url), new PostgresHealth(url)];
  onTestFinished(async () => {
    await Promise.all([one.close(), other.close()]);
  });
  const reports = Array.from({ length: 10 }, (_, index) =>
    heard({ minutes: [minute(NOON + index * 60_000)], transitions: [transition(NOON + index, "down")] }),
  );
  await Promise.all(
    reports.map((report, index) => (index % 2 === 0 ? one : other).note("account", report, NOON + index)),
  );
  expect(await one.minutes("account", "one", 0, 100)).toHaveLength(10);
  expect(await other.edges("account")).toEqual(await one.edges("account"));
});

test("what schema 2 kept in one text is known, and split with the first report that changes it", async () => {
  const url = await madeDatabase();
  const health = new PostgresHealth(url);
  onTestFinished(() => health.close());
  await health.note("account", heard(), NOON);
  const current = { state: "down", since: "2026-03-01T11:00:00.000Z", reason: "no answer", noted: NOON };
  const whole = JSON.stringify({ one: { current }, two: { current } });
  await administer(url, [`UPDATE health_edge SET watched = '${whole}'`]);
  const watched = async () => Object.fromEntries((await health.edges("account"))[0]?.watched ?? []);
  expect(await watched()).toEqual({ one: { current }, two: { current } });
  await health.note("account", heard(), NOON + 1);
  expect(await watched()).toEqual({ one: { current }, two: { current } });
  await health.note("account", heard({ states: [] }), NOON + 2);
  const last = { ...current, until: NOON + 2 };
  expect(await watched()).toEqual({ one: { last }, two: { last } });
  const again = new PostgresHealth(url);
  onTestFinished(() => again.close());
  expect(await again.edges("account")).toEqual(await health.edges("account"));
});
