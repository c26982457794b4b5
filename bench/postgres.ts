/** Servers on PostgreSQL: against PostgreSQL alone, and against the same server with SQLite. */

import { Client } from "pg";
import { texts } from "../src/store/postgres/database.ts";
import { FOLD_AFTER } from "../src/store/postgres/postgres-store.ts";
import { PostgresServer } from "../test/harness/postgres-server.ts";
import { compareBulk, type RawDatabase } from "./bulk.ts";
import { compareRates, mustBeOk, ROUNDS, SECONDS, tell } from "./compare.ts";
import { Loop, median } from "./load.ts";
import { getOne, putOne } from "./requests.ts";
import { MeasuredServer } from "./servers.ts";
import { COUNT, idOf } from "./world.ts";

const SCHEMA = `
CREATE SCHEMA raw;
CREATE TABLE raw.state (id text PRIMARY KEY, revision bigint NOT NULL);
CREATE TABLE raw.object (
  state text, number bigint, kind text, id text, revision bigint, doc text, PRIMARY KEY (state, kind, id)
);
CREATE TABLE raw.change (state text, revision bigint, record text, PRIMARY KEY (state, revision));
INSERT INTO raw.state VALUES ('bench', 0)`;

const FILL = {
  text: "INSERT INTO raw.object SELECT 'bench', place, 'interconnect', id, 1, doc FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS new (id, doc, place)",
};
/** All of it in one statement, which is one transaction and one way there and back. */
const WRITE = {
  name: "write",
  text: `
WITH moved AS (
  UPDATE raw.state SET revision = $1 WHERE id = 'bench' AND revision = $1::bigint - 1 RETURNING id
), logged AS (
  INSERT INTO raw.change SELECT id, $1, $2 FROM moved
)
UPDATE raw.object SET revision = $1, doc = new.doc
FROM moved CROSS JOIN unnest($3::text[], $4::text[]) AS new (id, doc)
WHERE object.state = moved.id AND object.kind = 'interconnect' AND object.id = new.id`,
};

/** One connection, on which somebody who knows the rows writes them by hand. */
class RawPostgres implements RawDatabase {
  readonly #client: Client;
  #revision = 0;

  static async open(url: string, doc: (index: number) => string): Promise<RawPostgres> {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(SCHEMA);
    const all = Array.from({ length: COUNT }, (_, index) => index);
    await client.query({ ...FILL, values: [texts(all.map(idOf)), texts(all.map(doc))] });
    return new RawPostgres(client);
  }

  private constructor(client: Client) {
    this.#client = client;
  }

  async write(
    docs: readonly { readonly index: number; readonly doc: string }[],
    record: string,
  ): Promise<number> {
    const start = performance.now();
    this.#revision++;
    const ids = texts(docs.map(({ index }) => idOf(index)));
    const values = [this.#revision, record, ids, texts(docs.map(({ doc }) => doc))];
    const { rowCount } = await this.#client.query({ ...WRITE, values });
    if (rowCount !== docs.length) throw new Error(`${rowCount} rows were written, not ${docs.length}.`);
    return performance.now() - start;
  }

  async close(): Promise<void> {
    await this.#client.query("DROP SCHEMA raw CASCADE");
    await this.#client.end();
  }
}

export async function measurePostgres(sqlite: MeasuredServer): Promise<void> {
  const database = await PostgresServer.start();
  const url = database.url();
  const server = await MeasuredServer.start("postgres", url);
  const name = "raw set-based SQL";
  const open = (doc: (index: number) => string) => RawPostgres.open(url, doc);
  const raw = { name, on: "PostgreSQL", foldAfter: FOLD_AFTER, open };
  await compareBulk(server, 1, raw);
  await compareBulk(server, 100, raw);
  await compareBulk(server, 1000, raw, 1.5);
  await compareBulk(server, 10_000, raw, 1.5);
  await compareCommits(server, url);
  await compareRates(
    "GET one, 64 connections, on PostgreSQL",
    [server.port, "on SQLite", sqlite.port],
    64,
    getOne,
    "at least 0.40",
    0.4,
  );
  await compareRates(
    "PUT one, 64 connections, on PostgreSQL",
    [server.port, "on SQLite", sqlite.port],
    64,
    putOne,
  );
  await server.stop();
  await database.stop();
}

/** Updates of one account that arrive together share commits: against one commit after the other, in SQL alone. */
async function compareCommits(server: MeasuredServer, url: string): Promise<void> {
  const raw = await RawPostgres.open(url, () => JSON.stringify({ name: "x".repeat(800) }));
  const loop = await Loop.open(server.port, 64, putOne);
  await loop.run(2 * SECONDS);
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { requests, seconds } = mustBeOk(await loop.run(SECONDS));
    pairs.push([requests / seconds, await commitsOf(raw)]);
  }
  loop.close();
  await raw.close();
  const [ours, theirs] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  tell(
    "PUT one, 64 connections, on PostgreSQL",
    `${Math.round(ours)}/s`,
    `one commit each, SQL alone ${Math.round(theirs)}/s`,
    pairs.map(([a, b]) => a / b),
    "at least 5",
    (ratio) => ratio >= 5,
  );
}

/** Commits in a second, one after the other. */
async function commitsOf(raw: RawDatabase): Promise<number> {
  let count = 0;
  const start = performance.now();
  while (performance.now() - start < SECONDS * 1000) {
    await raw.write(
      [{ index: count % COUNT, doc: `{"turn":${count},"name":"${"x".repeat(800)}"}` }],
      "x".repeat(900),
    );
    count++;
  }
  return (count * 1000) / (performance.now() - start);
}
