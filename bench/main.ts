/**
 * `npm run bench`: how fast, as ratios of pairs measured in turn in the same run, since absolute
 * figures say more about the machine and its neighbours than about the server.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../src/server/patchbay.ts";
import { auditRows } from "./audit.ts";
import { compareBulk } from "./bulk.ts";
import {
  BULKS,
  compareRates,
  compareTimes,
  mustBeOk,
  quick,
  ROUNDS,
  rows,
  SECONDS,
  tell,
} from "./compare.ts";
import { edgeRows } from "./edge.ts";
import { drive, median, milliseconds, paced, percentile, times } from "./load.ts";
import { measurePostgres } from "./postgres.ts";
import { Prism } from "./prism.ts";
import { probeRows } from "./probes.ts";
import { RawSqlite } from "./raw-sqlite.ts";
import { getOne, nextTurn, putBulk, putOne } from "./requests.ts";
import { MeasuredServer, pinLoad } from "./servers.ts";
import { startUpRow } from "./start-up.ts";
import { tokenCheckRow } from "./token-check.ts";
import { bulkOf, idOf, LIST, request, seedText, TOKEN } from "./world.ts";

/** What one element of a bulk of 100 costs in a large account against a small one. */
async function compareAccountSizes(durable: MeasuredServer): Promise<void> {
  const small = await MeasuredServer.start("durable", "1000");
  const next = () => request("PUT", LIST, { interconnects: bulkOf(100, nextTurn(), 1000) });
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const large = percentile(mustBeOk(await times(durable.port, Array.from({ length: 20 }, next))), 0.5);
    pairs.push([large, percentile(mustBeOk(await times(small.port, Array.from({ length: 20 }, next))), 0.5)]);
  }
  await small.stop();
  const [large, little] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  const ratios = pairs.map(([a, b]) => a / b);
  const what = "bulk of 100 in an account of 10,000";
  tell(
    what,
    milliseconds(large),
    `of 1,000 ${milliseconds(little)}`,
    ratios,
    "at most 1.3",
    (ratio) => ratio <= 1.3,
  );
}

/** GET one at a fixed rate while bulk updates run one after the other. */
async function readWhileWriting(durable: MeasuredServer, size: number, most: number): Promise<void> {
  const bodies = Array.from({ length: 8 }, () => putBulk(size));
  const bulks = drive(durable.port, 1, SECONDS * 5, (at) => bodies[at % bodies.length] ?? putBulk(size));
  const reads = mustBeOk(await paced(durable.port, 500, bulks, getOne));
  const quiet = mustBeOk(
    await paced(durable.port, 500, new Promise((resolve) => setTimeout(resolve, 2000)), getOne),
  );
  const [busy, calm] = [percentile(reads, 0.99), percentile(quiet, 0.99)];
  const written = await bulks;
  const what = `GET one, 500/s, while bulks of ${size} run (${written.requests} of them): p99`;
  const row = { what, ours: milliseconds(busy), against: `without bulks ${milliseconds(calm)}` };
  rows.push({ ...row, ratio: (busy / calm).toFixed(1), goal: `under ${most} ms`, reached: busy < most });
  process.stderr.write(
    `${what}: ${milliseconds(busy)}, quiet ${milliseconds(calm)}, goal under ${most} ms\n`,
  );
}

/** The command as its user starts it, on data that is there: time until it answers, and its memory then. */
async function measureStart(): Promise<void> {
  const data = mkdtempSync(join(process.env["PATCHBAY_BENCH_DIR"] ?? tmpdir(), "patchbay-start-"));
  const config = {
    host: "127.0.0.1",
    port: 0,
    data,
    seed: undefined,
    sandbox: false,
    metricsPort: undefined,
    rateLimit: "off" as const,
  };
  const seeded = await startServer(
    { ...config, logLevel: "silent" },
    { seed: { name: "bench", text: seedText() } },
  );
  await seeded.close();
  const starts: { ready: number; rss: number }[] = [];
  // The first start only fills Node's cache of compiled code.
  for (let round = 0; round <= ROUNDS; round++) starts.push(await startCommand(data));
  rmSync(data, { recursive: true, force: true });
  const ready = median(starts.slice(1).map(({ ready }) => ready));
  const rss = median(starts.slice(1).map(({ rss }) => rss));
  const row = { ratio: "", against: "" };
  rows.push({
    ...row,
    what: "start with 10,000 interconnects, until it answers",
    ours: milliseconds(ready),
    goal: "under 1000 ms",
    reached: ready < 1000,
  });
  rows.push({
    ...row,
    what: "memory after that start",
    ours: `${rss.toFixed(0)} MB`,
    goal: "under 200 MB",
    reached: rss < 200,
  });
  process.stderr.write(`start: ${milliseconds(ready)}, ${rss.toFixed(0)} MB\n`);
}

async function startCommand(data: string): Promise<{ ready: number; rss: number }> {
  const command = [join(import.meta.dirname, "../bin/patchbay.js"), "serve", "--port", "0", "--data", data];
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [...command, "--metrics-port", "off", "--rate-limit", "off", "--log-level", "silent"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let said = "";
  let address: string | undefined;
  for await (const chunk of child.stdout) {
    said += String(chunk);
    address = /answers at (\S+)/.exec(said)?.[1];
    if (address) break;
  }
  const answer = await fetch(`${address}${LIST}/${idOf(0)}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  if (answer.status !== 200) throw new Error(`The started server answered ${answer.status}.`);
  const ready = performance.now() - start;
  const rss = Number(spawnSync("ps", ["-o", "rss=", "-p", String(child.pid)]).stdout) / 1000;
  const exited = once(child, "exit");
  child.kill();
  await exited;
  return { ready, rss };
}

function print(): void {
  const mark = (reached: boolean | undefined) =>
    reached === undefined ? "" : reached ? "reached" : "missed";
  const lines = rows.map(
    (row) =>
      `| ${row.what} | ${row.ours} | ${row.against} | ${row.ratio} | ${row.goal} | ${mark(row.reached)} |`,
  );
  const [cpu] = cpus();
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpu?.model ?? "unknown"}, ${ROUNDS} rounds, median (least to most)\n`,
  );
  console.log("| measured | Patchbay | against | ratio | goal | |\n| --- | --- | --- | --- | --- | --- |");
  console.log(lines.join("\n"));
}

const rawSqlite = {
  name: "raw SQLite",
  foldAfter: 40_000,
  open: (doc: (index: number) => string) => new RawSqlite(doc),
};
rows.push(startUpRow(), tokenCheckRow());
pinLoad();
await measureStart();
rows.push(...(await auditRows(quick ? 5 : 50)));
const durable = await MeasuredServer.start("durable");
const bare = await MeasuredServer.start("bare", durable.url);
const memory = await MeasuredServer.start("memory");
await compareRates(
  "GET one, 64 connections",
  [durable.port, "bare node:http", bare.port],
  64,
  getOne,
  "at least 0.75",
  0.75,
);
await compareRates(
  "PUT one, 64 connections, durable",
  [durable.port, "in memory only", memory.port],
  64,
  putOne,
  "at least 0.60",
  0.6,
);
await compareTimes(
  "PUT one, 1 connection, durable",
  [durable.port, "bare node:http", bare.port],
  100,
  putOne,
);
await compareBulk(durable, 1, rawSqlite);
await compareBulk(durable, 100, rawSqlite);
await compareBulk(durable, 1000, rawSqlite, 2.5);
await compareBulk(durable, 10_000, rawSqlite, 3.5);
await compareAccountSizes(durable);
for (const size of [1000, 10_000]) {
  const against = [durable.port, "bare node:http", bare.port] as const;
  await compareTimes(`bulk of ${size}, validate_only`, against, BULKS, () =>
    putBulk(size, "?validate_only=true"),
  );
  await compareTimes(`bulk of ${size}, durable`, against, BULKS, () => putBulk(size));
}
const listing = [durable.port, "bare node:http", bare.port] as const;
await compareTimes("GET list of 10,000", listing, 20, () => request("GET", LIST));
await readWhileWriting(durable, 1000, 60);
await readWhileWriting(durable, 10_000, 150);
await measurePostgres(durable);
for (const document of ["published", "minimal"] as const) {
  const prism = await Prism.start(document);
  if (!prism) {
    process.stderr.write("Prism could not be installed; its rows are left out.\n");
    break;
  }
  await compareRates(
    `PUT one, 64 connections, durable, against the vendor's mock of the ${document} document`,
    [durable.port, "Prism", prism.port],
    64,
    putOne,
    document === "published" ? "at least 6" : "",
    document === "published" ? 6 : undefined,
  );
  prism.stop();
}
await durable.stop();
await bare.stop();
await memory.stop();
// The edge's own, when the servers are gone; only where networks can be made.
rows.push(...(await probeRows()), ...(await edgeRows()));
print();
