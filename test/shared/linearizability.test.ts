/**
 * Three servers on one PostgreSQL, and clients that read and write the same few interconnects through any of them,
 * while servers, connections and databases go and come. In the end the log tells in which order everything happened,
 * and everything that was told must have been true in that order: nothing acknowledged is lost, nothing is there
 * twice, nothing told is older than what was known before it was asked for.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ChangeRecord } from "../../src/account/change.ts";
import { CuttingProxy } from "../harness/cutting-proxy.ts";
import { Fleet } from "../harness/fleet.ts";
import { type Account, type Exchange, judgeHistory } from "../harness/history.ts";
import { nemeses, type World } from "../harness/nemeses.ts";
import { PostgresServer } from "../harness/postgres-server.ts";
import { Chance } from "../harness/random.ts";
import { isLong } from "../harness/runs.ts";
import { makeSeed, OWN_TOKEN } from "../harness/seeds.ts";
import { ask, OWN, one } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { Traffic } from "../harness/traffic.ts";
import { idOf } from "../harness/worlds.ts";

const ROUNDS = isLong ? 200 : 1;
const SERVERS = 3;
const CLIENTS = 9;
const INTERCONNECTS = 4;

const ids = Array.from({ length: INTERCONNECTS }, (_, number) => idOf(number));
const get = async (url: string, path: string) => {
  const reply = await ask(url, "GET", path, { token: OWN_TOKEN });
  expect(reply.status, path).toBe(200);
  return reply;
};

type Standing = Omit<Account, "log" | "first"> & { readonly revision: number };

async function standing(url: string): Promise<Standing> {
  const { epoch, revision, interconnects } = (await get(url, `${OWN}/state`)).body.result;
  const revisions = new Map<string, number>();
  for (const id of ids) {
    const { headers } = await get(url, one(id));
    revisions.set(id, Number(headers.get("etag")?.slice(1, -1).split("-").at(-1)));
  }
  return { epoch, revision, objects: interconnects, revisions, newest: Math.max(...revisions.values()) };
}

/** The log from one revision to another. */
async function logBetween(url: string, after: number, to: number): Promise<ChangeRecord[]> {
  const records: ChangeRecord[] = [];
  while (after + records.length < to) {
    const { body } = await get(url, `${OWN}/changes?after=${after + records.length}&limit=100`);
    expect(body.result.length).toBeGreaterThan(0);
    records.push(...body.result);
  }
  return records.slice(0, to - after);
}

async function round(world: World, chance: Chance, number: number): Promise<readonly Exchange[]> {
  const traffic = new Traffic(world.fleet, chance, ids, `round ${number}`);
  traffic.begin(CLIENTS);
  try {
    await traffic.after(50, "made");
    for (const name of chance.shuffled(Object.keys(nemeses))) {
      await Promise.all([traffic.comeAndGo(20), nemeses[name]?.(world, traffic, chance)]);
      await traffic.after(50, "made");
    }
  } finally {
    await traffic.end();
  }
  return traffic.exchanges;
}

test(
  `what three servers told was true, one after the other, in ${ROUNDS} rounds`,
  async () => {
    const chance = new Chance();
    const seed = join(temporaryDirectory(), "seed.yaml");
    writeFileSync(seed, makeSeed(INTERCONNECTS));
    const database = await PostgresServer.start({ fsync: false });
    const proxy = await CuttingProxy.to(database.url());
    const fleet = await Fleet.start(Array(SERVERS).fill(proxy.url), ["--seed", seed]);
    const world: World = { fleet, proxy, database };
    onTestFinished(async () => {
      await proxy.close();
      await world.database.remove();
    });
    let before = await standing(fleet.url(0));
    let open: readonly Exchange[] = [];
    const counts = new Map<string, number>();
    for (let number = 1; number <= ROUNDS; number++) {
      const exchanges = await round(world, chance, number);
      const [found, ...others] = await Promise.all(
        fleet.numbers.map((server) => standing(fleet.url(server))),
      );
      if (!found) throw new Error("There is no server.");
      const log = await logBetween(fleet.url(0), before.revision, found.revision);
      const { revision: first, ...base } = before;
      const verdict = judgeHistory({ ...base, first, log }, [...open, ...exchanges]);
      expect(verdict.faults, `chance ${chance.seed}, round ${number}`).toEqual([]);
      expect(found.epoch).toBe(before.epoch);
      for (const other of others) if (other.revision === found.revision) expect(other).toEqual(found);
      for (const { outcome } of exchanges) counts.set(outcome.kind, (counts.get(outcome.kind) ?? 0) + 1);
      before = found;
      open = verdict.open;
    }
    // Of a cut connection it is chance whether an update was made by then.
    const certain = ["made", "told", "unchanged", "refused", "forbidden", "away"];
    for (const kind of ROUNDS > 1 ? [...certain, "unknown"] : certain) {
      expect(counts.get(kind), kind).toBeGreaterThan(0);
    }
  },
  ROUNDS * 180_000,
);
