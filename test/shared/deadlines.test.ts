/**
 * Changes that wait to be confirmed, on three servers and one PostgreSQL: whoever dies, one of those that live undoes
 * what was not confirmed, once and on time, and nobody undoes what was.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ChangeRecord } from "../../src/account/change.ts";
import { type Cut, CuttingProxy } from "../harness/cutting-proxy.ts";
import { Fleet } from "../harness/fleet.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { administer } from "../harness/postgres-server.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { ask } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const SERVERS = [0, 1, 2];
const AT_FIRST = 1476;
const CHANGED = 1300;
/** Seconds: the least there is. */
const WITHIN = 5;
/** Milliseconds after its time within which an undo must be seen in the log, both by the database's clock. */
const LATEST = 3_000;

const account = (number: number) => String(number).padStart(32, "a");
const interconnect = (number: number) => String(number).padStart(32, "b");

/** A world of so many accounts, each with one interconnect. */
function seed(accounts: number): string {
  const file = join(temporaryDirectory(), "seed.yaml");
  const world = {
    accounts: Array.from({ length: accounts }, (_, number) => ({
      id: account(number),
      name: `account ${number}`,
      interconnects: [
        {
          id: interconnect(number),
          name: "pni",
          version: "1",
          interface_address: "10.0.0.0/31",
          mtu: AT_FIRST,
        },
      ],
    })),
    tokens: [
      {
        id: "c".repeat(32),
        name: "everything",
        value: OWN_TOKEN,
        policies: [
          {
            effect: "allow",
            accounts: ["*"],
            permission_groups: ["Magic WAN Write", "Patchbay Admin", "Patchbay Read"],
          },
        ],
      },
    ],
  };
  writeFileSync(file, JSON.stringify(world));
  return file;
}

interface Pending {
  readonly number: number;
  readonly confirmBy: string;
}

class World {
  readonly #database: string;
  readonly fleet: Fleet;
  readonly proxies: readonly CuttingProxy[];

  static async begin(accounts: number): Promise<World> {
    const database = await freshDatabase();
    const proxies = await Promise.all(SERVERS.map(() => CuttingProxy.to(database)));
    onTestFinished(async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))));
    const args = ["--seed", seed(accounts)];
    return new World(
      database,
      proxies,
      await Fleet.start(
        proxies.map(({ url }) => url),
        args,
      ),
    );
  }

  private constructor(database: string, proxies: readonly CuttingProxy[], fleet: Fleet) {
    this.#database = database;
    this.proxies = proxies;
    this.fleet = fleet;
  }

  ask(server: number, method: string, path: string, headers: Record<string, string> = {}, body?: unknown) {
    return ask(this.fleet.url(server), method, path, {
      token: OWN_TOKEN,
      headers,
      ...(body !== undefined && { body }),
    });
  }

  /** Makes a change of an account that waits to be confirmed. */
  async change(server: number, number: number): Promise<Pending> {
    const path = `/client/v4/accounts/${account(number)}/magic/cf_interconnects/${interconnect(number)}`;
    const headers = { "x-patchbay-confirm-within": String(WITHIN) };
    const reply = await this.ask(server, "PUT", path, headers, { mtu: CHANGED });
    expect(verdict(reply)).toBe("200");
    return { number, confirmBy: reply.headers.get("x-patchbay-confirm-by") ?? "" };
  }

  /** Confirms a change. The verdict. */
  async confirm(server: number, { number }: Pick<Pending, "number">): Promise<string> {
    const path = `/patchbay/v1/accounts/${account(number)}/changes/2/confirm`;
    return verdict(await this.ask(server, "POST", path));
  }

  async log(server: number, number: number, after: number, wait = 0): Promise<readonly ChangeRecord[]> {
    const path = `/patchbay/v1/accounts/${account(number)}/changes?after=${after}&wait=${wait}`;
    return (await this.ask(server, "GET", path)).body.result;
  }

  async mtu(server: number, number: number): Promise<number> {
    const path = `/client/v4/accounts/${account(number)}/magic/cf_interconnects/${interconnect(number)}`;
    return (await this.ask(server, "GET", path)).body.result.interconnect.mtu;
  }

  /** The database's time, in milliseconds since 1970. */
  async now(): Promise<number> {
    const [rows] = await administer(this.#database, [
      "SELECT extract(epoch FROM clock_timestamp())::float8 AS now",
    ]);
    const [row] = rows as readonly { now: number }[];
    return (row?.now ?? Number.NaN) * 1000;
  }

  /** Resolves so many milliseconds after a time by the database's clock. */
  async until(time: string, after: number): Promise<void> {
    const left = `extract(epoch FROM timestamptz '${time}' - clock_timestamp())::float8 + ${after / 1000}`;
    await administer(this.#database, [`SELECT pg_sleep(greatest(0, ${left}))`]);
  }

  /** Fails unless a change is undone once, and was by the time it must be. Milliseconds that passed since its own. */
  async undone({ number, confirmBy }: Pending, server: number, revision = 2): Promise<void> {
    const [record] = await this.log(server, number, revision, 30);
    const late = (await this.now()) - Date.parse(confirmBy);
    expect(record).toMatchObject({ revision: revision + 1, operation: "expireChange", reverts: revision });
    expect(Date.parse(record?.time ?? "")).toBeGreaterThanOrEqual(Date.parse(confirmBy));
    expect(late).toBeLessThan(LATEST);
    expect(await this.mtu(server, number)).toBe(AT_FIRST);
  }

  /** Fails if anything stands in the log after this. */
  async nothingAfter({ number }: Pending, server: number, revision: number): Promise<void> {
    expect(await this.log(server, number, revision)).toEqual([]);
  }
}

test("what was not confirmed is undone once and on time, though who made it died, and then all but one", async () => {
  const world = await World.begin(6);
  const { fleet } = world;
  /** One made by each server; then some die. */
  const story = async (numbers: readonly number[], makers: readonly number[], dying: readonly number[]) => {
    const made = await Promise.all(
      numbers.map((number, at) => world.change(makers[at % makers.length] ?? 0, number)),
    );
    await Promise.all(dying.map((server) => fleet.kill(server)));
    const [alive = 0] = SERVERS.filter((server) => fleet.isThere(server));
    await Promise.all(made.map((one) => world.undone(one, alive)));
    return made;
  };
  const first = await story([0, 1, 2], [0, 1, 2], [0]);
  await fleet.start(0);
  const second = await story([3, 4, 5], [0, 1, 2], [0, 1]);
  await Promise.all([...first, ...second].map((one) => world.nothingAfter(one, 2, 3)));
});

test("what is being undone when its server dies is undone by another, and once", async () => {
  const cuts: readonly Cut[] = ["before", "within", "late"];
  const world = await World.begin(cuts.length);
  const { fleet, proxies } = world;
  for (const [number, cut] of cuts.entries()) {
    const pending = await world.change(number, number);
    // In the middle of its commit, the first to undo it loses the database, and its life.
    const dying = await Promise.race(
      proxies.map((proxy, server) => proxy.cut("expireChange", cut).then(() => server)),
    );
    for (const proxy of proxies) proxy.forget();
    await fleet.kill(dying);
    const alive = (dying + 1) % SERVERS.length;
    await world.undone(pending, alive);
    await Promise.all(proxies.map((proxy) => proxy.deliver()));
    await fleet.start(dying);
    for (const server of SERVERS) await world.nothingAfter(pending, server, 3);
  }
});

test("a confirmation counts through any server, and against an undo one of them counts alone", async () => {
  const world = await World.begin(8);
  const { proxies } = world;
  const [early, ...others] = await Promise.all(
    [0, 1, 2, 3, 4, 5, 6, 7].map((number) => world.change(0, number)),
  );
  const [confirmed, overdue, both, ...racing] = others;
  if (!early || !confirmed || !overdue || !both) throw new Error("There are changes.");

  /** A confirmation that was decided in time, and an undo decided after it: both on their way to the database. */
  const meeting = async ({ number }: Pending) => {
    const confirming = proxies[1]?.hold("confirmChange", account(number));
    const undoing = Promise.race(proxies.map((proxy) => proxy.hold("expireChange", account(number))));
    const answer = world.confirm(1, { number });
    return { confirm: await confirming, undo: await undoing, answer };
  };
  const meetings = [confirmed, overdue, both].map(meeting);

  expect(await world.confirm(1, early)).toBe("200");
  // Around the deadline, through all servers at once.
  const races = racing.map(async (pending, at) => {
    await world.until(pending.confirmBy, [-200, -100, -50, 0][at] ?? 0);
    return Promise.all(SERVERS.map((server) => world.confirm(server, pending)));
  });

  const [one, two, three] = await Promise.all(meetings);
  one?.confirm?.();
  expect(await one?.answer).toBe("200");
  one?.undo();
  two?.undo();
  expect(await world.log(0, overdue.number, 2, 30)).toMatchObject([{ operation: "expireChange" }]);
  two?.confirm?.();
  expect(await two?.answer).toMatch(/^409/);
  three?.undo();
  three?.confirm?.();
  const told = await three?.answer;

  const answers = [["200"], ["200"], ["409"], [told ?? ""], ...(await Promise.all(races))];
  for (const [at, pending] of [early, confirmed, overdue, both, ...racing].entries()) {
    const [record] = await world.log(2, pending.number, 2, 30);
    const stays = answers[at]?.includes("200") ?? false;
    expect(answers[at]?.filter((answer) => answer === "200").length).toBe(stays ? 1 : 0);
    expect(record?.operation).toBe(stays ? "confirmChange" : "expireChange");
    for (const server of SERVERS) {
      expect(await world.mtu(server, pending.number)).toBe(stays ? CHANGED : AT_FIRST);
      await world.nothingAfter(pending, server, 3);
    }
  }
});
