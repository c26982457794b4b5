/**
 * A standby that took over may lack what was seen of the one before it, and another change may stand in its place by
 * the time anybody looks: the same epoch, the same revision, and not the same state.
 */

import { beforeEach, expect, onTestFinished, test } from "vitest";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { Conflict, type Position } from "../../src/store/store.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { administer } from "../harness/postgres-server.ts";
import { ACCOUNT, AMS, ORD, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

let url: string;
/** Has seen what is lost; and has not. */
let witness: TestServer;
let other: TestServer;

async function start(): Promise<TestServer> {
  const server = await startTestServer({}, { store: await PostgresStore.open(url) });
  onTestFinished(() => server.close());
  return server;
}

const put = async (server: TestServer, id: string, body: unknown) =>
  expect(verdict(await server.ask("PUT", one(id), { body }))).toBe("200");
const get = async (server: TestServer, id: string) =>
  (await server.ask("GET", one(id))).body.result.interconnect;

/** The database's memory of its newest change goes. */
async function lose(): Promise<void> {
  await administer(url, [
    `DELETE FROM change WHERE state = '${ACCOUNT}' AND revision = 2`,
    `UPDATE state SET revision = 1, unfolded = 0 WHERE id = '${ACCOUNT}'`,
  ]);
}

beforeEach(async () => {
  url = await freshDatabase();
  witness = await start();
  await put(witness, ORD, { mtu: 1300, description: "lost" });
  expect(await get(witness, ORD)).toMatchObject({ mtu: 1300 });
  await lose();
  other = await start();
});

test("who saw what is lost tells what stands in its place", async () => {
  await put(other, AMS, { description: "kept" });
  expect(await get(witness, AMS)).toMatchObject({ description: "kept" });
  expect(await get(witness, ORD)).toMatchObject({ mtu: 1476 });
});

test("who saw what is lost tells what stands in its place, and what came after it", async () => {
  await put(other, AMS, { description: "kept" });
  await put(other, AMS, { mtu: 1400 });
  expect(await get(witness, AMS)).toMatchObject({ description: "kept", mtu: 1400 });
  expect(await get(witness, ORD)).toMatchObject({ mtu: 1476 });
});

test("who saw what is lost decides on what stands in its place", async () => {
  await put(other, AMS, { description: "kept" });
  await put(witness, ORD, { description: "after it" });
  const { body } = await other.ask("GET", `${OWN}/changes/3`);
  expect(body.result.objects[0].fields.description.before).not.toBe("lost");
});

test("a commit on what is lost is a conflict, whatever stands in its place", async () => {
  const store = await PostgresStore.open(url);
  onTestFinished(() => store.close());
  const position = async (): Promise<Position> => {
    const found = (await store.check([ACCOUNT])).positions.get(ACCOUNT);
    if (!found) throw new Error("There is no such state.");
    return found;
  };
  await put(other, ORD, { description: "lost as well" });
  const { epoch, head } = await position();
  const record = await store.change(ACCOUNT, 2);
  if (!record) throw new Error("There is no such change.");
  await lose();
  await put(await start(), AMS, { description: "kept" });
  const next = { edits: [], record: { ...record, revision: 3 } };
  const batch = { state: ACCOUNT, epoch, base: 2, changes: [next], deadline: null };
  await expect(store.commit({ ...batch, head })).rejects.toBeInstanceOf(Conflict);
  await store.commit({ ...batch, head: (await position()).head });
  expect(await position()).toMatchObject({ revision: 3 });
});
