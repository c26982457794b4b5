import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChangeRecord } from "../src/account/change.ts";
import { Chance } from "./harness/random.ts";
import { type Plain, type Replay, replay } from "./harness/replay.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { type Ask, LIST, OWN, one, type Reply, startTestServer, type TestServer } from "./harness/server.ts";
import { temporaryDirectoryForAll } from "./harness/temporary.ts";
import { idOf } from "./harness/worlds.ts";

const PORTS = 60;
const CLIENTS = 24;
const STEPS = 40;

const token = OWN_TOKEN;

/** The revision that an entity tag tells. */
function revisionOf(reply: Reply): number {
  const revision = /^"[0-9a-f]{16}-(\d+)"$/.exec(reply.headers.get("etag") ?? "")?.[1];
  if (revision === undefined) throw new Error(`No revision in the etag ${reply.headers.get("etag")}.`);
  return Number(revision);
}

async function startWith(interconnects: number, data?: string): Promise<TestServer> {
  return startTestServer({ data }, { seed: { name: "seed.yaml", text: makeSeed(interconnects) } });
}

async function readLog(server: TestServer): Promise<ChangeRecord[]> {
  const records: ChangeRecord[] = [];
  for (;;) {
    const after = records.at(-1)?.revision ?? 0;
    const { body } = await server.ask("GET", `${OWN}/changes?after=${after}&limit=100`, { token });
    if (body.result.length === 0) return records;
    records.push(...body.result);
  }
}

/** Objects of the account as `/state` tells them. */
async function readState(server: TestServer): Promise<{ revision: number; objects: Replay }> {
  const { body } = await server.ask("GET", `${OWN}/state`, { token });
  const { revision, interconnects } = body.result;
  return { revision, objects: new Map(interconnects.map((it: Plain) => [`interconnect/${it["id"]}`, it])) };
}

describe.each(["in memory", "on disk"])("many clients on one account, kept %s,", (kept) => {
  const data = kept === "on disk" ? temporaryDirectoryForAll() : undefined;
  let server: TestServer;
  beforeAll(async () => {
    server = await startWith(PORTS, data);
  });
  afterAll(() => server.close());

  test("see every acknowledged update, never go back, and leave a log that tells all of it once", async () => {
    const chance = new Chance();
    const begin = await readState(server);
    /** By object, the newest revision that anybody was told of. */
    const told = new Map<string, number>();
    /** The newest revision of all. */
    let newest = 1;
    const acknowledged = new Map<string, readonly string[]>();
    const clients = Array.from({ length: CLIENTS }, (_, client) => run(`client ${client}`));
    await Promise.all(clients);

    const log = await readLog(server);
    expect(log.map(({ revision }) => revision)).toEqual(log.map((_, index) => index + 1));
    const changes = log.filter(({ operation }) => operation !== "seed");
    const inLog = changes.map(
      ({ request_id, objects }) => [request_id, objects.map(({ id }) => id)] as const,
    );
    expect(new Map(inLog)).toEqual(acknowledged);
    expect(changes).toHaveLength(acknowledged.size);
    for (const record of changes) replay(begin.objects, record);
    const end = await readState(server);
    expect(end.revision).toBe(log.length);
    expect([...end.objects]).toEqual([...begin.objects]);

    /** One client. What it has seen of each thing only grows. */
    async function run(name: string): Promise<void> {
      const seen = new Map<string, number>();
      const see = (what: string, least: number, reply: Reply) => {
        const revision = revisionOf(reply);
        expect(revision, `${name} sees ${what}`).toBeGreaterThanOrEqual(Math.max(least, seen.get(what) ?? 0));
        seen.set(what, revision);
      };
      for (let step = 0; step < STEPS; step++) {
        const ids = chance.some([...Array(PORTS).keys()], chance.between(1, 8)).map(idOf);
        const [id = ""] = ids;
        const description = `${name}, step ${step}`;
        const kind = chance.below(6);
        if (kind < 2) await write([id], one(id), { body: { description } }, see);
        else if (kind < 3) {
          const body = { interconnects: ids.map((each) => ({ id: each, description })) };
          await write(ids, LIST, { body }, see);
        } else if (kind < 5) {
          const least = told.get(id) ?? 1;
          see(id, least, await server.ask("GET", one(id), { token }));
        } else {
          const least = newest;
          see("the list", least, await server.ask("GET", LIST, { token }));
        }
      }
    }

    /** An update. From the moment of its answer, everybody must see it. */
    async function write(
      ids: readonly string[],
      path: string,
      asked: Ask,
      see: (what: string, least: number, reply: Reply) => void,
    ): Promise<void> {
      const least = newest + 1;
      const reply = await server.ask("PUT", path, { token, ...asked });
      expect(reply.status).toBe(200);
      const revision = revisionOf(reply);
      for (const id of ids) see(id, least, reply);
      for (const id of ids) told.set(id, Math.max(told.get(id) ?? 0, revision));
      newest = Math.max(newest, revision);
      acknowledged.set(reply.headers.get("cf-ray") ?? "", ids);
    }
  });

  test("lose no update to another when each says which version it has read", async () => {
    const id = idOf(0);
    await server.ask("PUT", one(id), { token, body: { description: "0" } });
    let refused = 0;
    /** Adds one to the number in the description, however often somebody else is faster. */
    const increment = async () => {
      for (;;) {
        const { headers, body } = await server.ask("GET", one(id), { token });
        const description = String(Number(body.result.interconnect.description) + 1);
        const condition = { "if-match": headers.get("etag") ?? "" };
        const reply = await server.ask("PUT", one(id), { token, headers: condition, body: { description } });
        if (reply.status === 200) return;
        expect(reply.status).toBe(412);
        refused++;
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    const { body } = await server.ask("GET", one(id), { token });
    expect(body.result.interconnect.description).toBe("20");
    expect(refused).toBeGreaterThan(0);
  });

  test("may all want one name, which one of them gets", async () => {
    const wanting = Array.from({ length: 20 }, (_, number) =>
      server.ask("PUT", one(idOf(number)), { token, body: { name: "wanted" } }),
    );
    const statuses = (await Promise.all(wanting)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 400)).toHaveLength(19);
    const { objects } = await readState(server);
    expect([...objects.values()].filter((object) => object["name"] === "wanted")).toHaveLength(1);
  });
});

describe("while a bulk of 5,000 is under way", () => {
  const MANY = 5_000;
  let server: TestServer;
  beforeAll(async () => {
    server = await startWith(MANY);
  });
  afterAll(() => server.close());

  const everything = (description: string) => ({
    interconnects: Array.from({ length: MANY }, (_, number) => ({ id: idOf(number), description })),
  });

  test("one and the list are answered, as they were or as they will be, never a mix", async () => {
    await server.ask("PUT", LIST, { token, body: everything("round 0") });
    const lists = new Set<string>();
    let reads = 0;
    for (let round = 1; round <= 4; round++) {
      let over = false;
      const updating = server.ask("PUT", LIST, { token, body: everything(`round ${round}`) }).finally(() => {
        over = true;
      });
      const allowed = [`round ${round - 1}`, `round ${round}`];
      const readOnes = async () => {
        const seen: string[] = [];
        while (!over) {
          for (const number of [0, MANY / 2, MANY - 1]) {
            const { body } = await server.ask("GET", one(idOf(number)), { token });
            seen.push(body.result.interconnect.description);
          }
        }
        expect(allowed).toEqual(expect.arrayContaining(seen));
        // Once one of them shows the new, all later answers do.
        expect(seen).toEqual(seen.toSorted());
        reads += seen.length;
      };
      const readLists = async () => {
        while (!over) {
          const { body } = await server.ask("GET", LIST, { token });
          const shown = new Set<string>(body.result.interconnects.map((it: Plain) => it["description"]));
          expect([...shown]).toHaveLength(1);
          expect(allowed).toEqual(expect.arrayContaining([...shown]));
          for (const description of shown) lists.add(`in round ${round}: ${description}`);
        }
      };
      await Promise.all([updating, readOnes(), readLists()]);
      const after = await server.ask("GET", one(idOf(0)), { token });
      expect(after.body.result.interconnect.description).toBe(`round ${round}`);
    }
    // Reads did get between.
    expect(reads).toBeGreaterThan(4 * 3);
    expect(lists.size).toBeGreaterThanOrEqual(4);
  });

  test("updates of single interconnects get through, and no one's change is lost", async () => {
    const [bulk, ...singles] = await Promise.all([
      server.ask("PUT", LIST, { token, body: everything("all") }),
      ...[1, 2, 3, 4, 5].map((number) => {
        const path = one(idOf(number));
        return server.ask("PUT", path, { token, body: { mtu: 1400 + number } });
      }),
    ]);
    expect([bulk, ...singles].map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    const { objects } = await readState(server);
    for (const number of [1, 2, 3, 4, 5]) {
      const found = objects.get(`interconnect/${idOf(number)}`);
      expect(found).toMatchObject({ description: "all", mtu: 1400 + number });
    }
  });
});
