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
/** One server has the lost change in memory; the other does not. */
let witness: TestServer;
let other: TestServer;

/** What a client knows of the history before the loss, `tag` of the interconnect that was changed last. */
let before: { readonly epoch: string; readonly revision: number; readonly tag: string };

/** What servers log as errors. */
const errors: string[] = [];

async function start(): Promise<TestServer> {
  const logTo = { write: (line: string) => void errors.push(line) };
  const store = await PostgresStore.open(url);
  const server = await startTestServer({ logLevel: "error", metricsPort: 0 }, { store, logTo });
  onTestFinished(() => server.close());
  return server;
}

const put = async (server: TestServer, id: string, body: unknown) =>
  expect(verdict(await server.ask("PUT", one(id), { body }))).toBe("200");
const get = async (server: TestServer, id: string) =>
  (await server.ask("GET", one(id))).body.result.interconnect;

/** Removes the newest change from the database. */
async function lose(): Promise<void> {
  await administer(url, [
    `DELETE FROM change WHERE state = '${ACCOUNT}' AND revision = 2`,
    `UPDATE state SET revision = 1, unfolded = 0 WHERE id = '${ACCOUNT}'`,
  ]);
}

beforeEach(async () => {
  errors.length = 0;
  url = await freshDatabase();
  witness = await start();
  await put(witness, ORD, { mtu: 1300, description: "lost" });
  expect(await get(witness, ORD)).toMatchObject({ mtu: 1300 });
  const { epoch, revision } = (await witness.ask("GET", `${OWN}/state`)).body.result;
  const tag = (await witness.ask("GET", one(ORD))).headers.get("etag") ?? "";
  before = { epoch, revision, tag };
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

const losses = async (server: TestServer) =>
  /^patchbay_database_losses_total (\d+)$/m.exec(
    await (await fetch(`${server.metricsUrl}/metrics`)).text(),
  )?.[1];

test.each([
  ["lower than what it knew", 0, 1],
  ["at the same revision with another change", 1, 2],
  ["beyond it in another history", 2, 3],
])("a database that is found %s is logged and counted, once", async (_, changes, found) => {
  for (let change = 1; change <= changes; change++) await put(other, AMS, { description: `kept ${change}` });
  await get(witness, ORD);
  await get(witness, AMS);
  expect(errors.map((line) => JSON.parse(line))).toMatchObject([
    {
      account: ACCOUNT,
      known: 2,
      found,
      msg: expect.stringContaining("lost acknowledged changes"),
    },
  ]);
  expect([await losses(witness), await losses(other)]).toEqual(["1", "0"]);
});

test("a tag from before the loss is refused even if another change of the object has its revision", async () => {
  await put(other, ORD, { description: "kept" });
  for (const server of [witness, other]) {
    const headers = { "if-match": before.tag };
    const reply = await server.ask("PUT", one(ORD), { body: { description: "on what was lost" }, headers });
    expect(verdict(reply)).toMatch(/^412/);
  }
  expect(await get(other, ORD)).toMatchObject({ description: "kept" });
});

test("a cursor from before the loss is refused even if another change has its revision", async () => {
  await put(other, AMS, { description: "kept" });
  for (const server of [witness, other])
    expect(
      verdict(await server.ask("GET", `${OWN}/changes?after=${before.revision}&epoch=${before.epoch}`)),
    ).toBe("410 990037");
  const { epoch, revision } = (await other.ask("GET", `${OWN}/state`)).body.result;
  expect(revision).toBe(before.revision);
  expect(epoch).not.toBe(before.epoch);
  expect((await witness.ask("GET", `${OWN}/state`)).body.result.epoch).toBe(epoch);
});

test("a change that is under way while the epoch is renewed is applied once", async () => {
  await put(other, AMS, { description: "kept" });
  const answers = await Promise.all([
    witness.ask("PUT", one(ORD), { body: { description: "by the witness" } }),
    other.ask("PUT", one(ORD), { body: { mtu: 1400 } }),
  ]);
  expect(answers.map(verdict)).toEqual(["200", "200"]);
  expect(await get(other, ORD)).toMatchObject({ description: "by the witness", mtu: 1400 });
  expect((await witness.ask("GET", `${OWN}/state`)).body.result.revision).toBe(4);
});

test("a reset is not reported as a loss", async () => {
  await get(witness, ORD);
  await other.reset();
  expect((await get(witness, ORD)).mtu).toBe(1476);
  expect(await losses(witness)).toBe("1");
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
