/**
 * `npm run bench`: how fast, as ratios of pairs measured in turn in the same run, since absolute
 * figures say more about the machine and its neighbours than about the server.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { ChangeRecord } from "../src/account/change.ts";
import { interconnectOf } from "../src/account/interconnect.ts";
import { startServer } from "../src/server/patchbay.ts";
import { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { auditRows } from "./audit.ts";
import { drive, type Figures, Loop, mean, median, paced, percentile, times } from "./load.ts";
import { Prism } from "./prism.ts";
import { RawSqlite } from "./raw-sqlite.ts";
import type { Row } from "./row.ts";
import { MeasuredServer, pinLoad } from "./servers.ts";
import { startUpRow } from "./start-up.ts";
import { tokenCheckRow } from "./token-check.ts";
import { ACCOUNT, bulkOf, COUNT, idOf, LIST, request, seedText, TOKEN, updateOf } from "./world.ts";

/** `--quick` measures less, to see that the benchmark works. */
const quick = process.argv.includes("--quick");
const ROUNDS = quick ? 2 : 7;
const SECONDS = quick ? 0.5 : 1.5;
/** Seconds that one of two servers is driven before it is the other's turn. */
const TURN = 0.1;
const BULKS = quick ? 2 : 5;

const rows: Row[] = [];
let turn = 0;

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}

/** Adds a row. Ratios are told as median (least to most) of the rounds. */
function tell(
  what: string,
  ours: string,
  against: string,
  ratios: readonly number[],
  goal = "",
  reached: ((ratio: number) => boolean) | undefined = undefined,
): void {
  const middle = median(ratios);
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  rows.push({
    what,
    ours,
    against,
    ratio: `${middle.toFixed(2)} (${spread})`,
    goal,
    reached: reached?.(middle),
  });
  process.stderr.write(`${what}: ${ours}; ${against}; ratio ${middle.toFixed(2)} (${spread}) ${goal}\n`);
}

function mustBeOk(figures: Figures): Figures {
  const wrong = Object.entries(figures.statuses).filter(([status]) => status !== "200");
  if (wrong.length > 0) throw new Error(`Answers other than 200: ${JSON.stringify(wrong)}`);
  return figures;
}

const rate = (figures: Figures) => figures.requests / figures.seconds;

const getOne = (at: number) => request("GET", `${LIST}/${idOf(at % COUNT)}`);
const putOne = () => {
  turn++;
  const index = (turn * 7919) % COUNT;
  return request("PUT", `${LIST}/${idOf(index)}`, updateOf(index, turn));
};
const putBulk = (size: number, query = "") =>
  request("PUT", LIST + query, { interconnects: bulkOf(size, ++turn) });

/** Closed-loop throughput of two servers, in turns so short that what disturbs the machine disturbs both. */
async function compareRates(
  what: string,
  [ours, name, theirs]: readonly [number, string, number],
  connections: number,
  next: (turn: number) => Buffer,
  goal = "",
  least?: number,
): Promise<void> {
  const pairs: [number, number][] = [];
  const loops = [
    await Loop.open(ours, connections, next),
    await Loop.open(theirs, connections, next),
  ] as const;
  // What is compiled while it runs has to have run.
  for (const loop of loops) await loop.run(2 * SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    const mine: number[] = [];
    const other: number[] = [];
    for (let turns = 0; turns < SECONDS / TURN; turns++) {
      mine.push(rate(mustBeOk(await loops[0].run(TURN))));
      other.push(rate(mustBeOk(await loops[1].run(TURN))));
    }
    pairs.push([mean(mine), mean(other)]);
  }
  for (const loop of loops) loop.close();
  const [mine, other] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  const ratios = pairs.map(([a, b]) => a / b);
  tell(
    what,
    `${Math.round(mine)}/s`,
    `${name} ${Math.round(other)}/s`,
    ratios,
    goal,
    least === undefined ? undefined : (ratio) => ratio >= least,
  );
}

/** One request at a time against two servers in turn: how many times as long. */
async function compareTimes(
  what: string,
  [ours, name, theirs]: readonly [number, string, number],
  count: number,
  next: () => Buffer,
): Promise<void> {
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const mine = percentile(mustBeOk(await times(ours, Array.from({ length: count }, next))), 0.5);
    pairs.push([mine, percentile(await times(theirs, Array.from({ length: count }, next)), 0.5)]);
  }
  const [mine, other] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  tell(
    what,
    milliseconds(mine),
    `${name} ${milliseconds(other)}`,
    pairs.map(([a, b]) => a / b),
  );
}

/** The documents and the record that a bulk update of this size really writes. */
async function rowsOfBulk(size: number): Promise<{ docs: { index: number; doc: string }[]; record: string }> {
  const store = SqliteStore.open(undefined);
  const config = {
    host: "127.0.0.1",
    port: 0,
    data: undefined,
    seed: undefined,
    sandbox: false,
    metricsPort: undefined,
    rateLimit: "off" as const,
  };
  await using server = await startServer(
    { ...config, logLevel: "silent" },
    { store, seed: { name: "bench", text: seedText() } },
  );
  const { port } = new URL(server.url);
  mustBeOk(await times(Number(port), [putBulk(size)]));
  const record: ChangeRecord | undefined = await store.change(ACCOUNT, 2);
  const state = await store.load(ACCOUNT);
  const docs = (record?.objects ?? []).map(({ id }) => {
    const entry = state?.get("interconnect", id);
    return { index: Number.parseInt(id, 16), doc: JSON.stringify(entry ? interconnectOf(entry) : {}) };
  });
  return { docs, record: JSON.stringify(record) };
}

/**
 * A bulk update's whole way against SQLite writing the same rows. Means, of enough objects that the
 * rows folded in after every 40,000 have their share in each round.
 */
async function compareBulk(durable: MeasuredServer, size: number, most?: number): Promise<void> {
  const { docs, record } = await rowsOfBulk(size);
  const raw = new RawSqlite((index) => docs[index % docs.length]?.doc ?? "");
  const count = quick ? BULKS : Math.max(8, Math.min(200, 40_000 / size));
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const requests = Array.from({ length: count }, () => putBulk(size));
    const whole = mean(mustBeOk(await times(durable.port, requests)).latencies);
    const alone: number[] = [];
    // Every write carries text of its own, since SQLite skips what does not change a row.
    for (let again = 0; again < count; again++) {
      const stamp = String(1_000_000 + ++turn);
      const fresh = docs.map(({ index, doc }) => ({
        index,
        doc: doc.replace(/"mtu":\d+/, `"mtu":${stamp.slice(-4)}`),
      }));
      alone.push(raw.write(fresh, record));
    }
    pairs.push([whole, mean(alone)]);
  }
  raw.close();
  const [whole, alone] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  const ratios = pairs.map(([a, b]) => a / b);
  tell(
    `bulk of ${size}`,
    milliseconds(whole),
    `raw SQLite ${milliseconds(alone)}`,
    ratios,
    most === undefined ? "" : `at most ${most}`,
    most === undefined ? undefined : (ratio) => ratio <= most,
  );
}

/** What one element of a bulk of 100 costs in a large account against a small one. */
async function compareAccountSizes(durable: MeasuredServer): Promise<void> {
  const small = await MeasuredServer.start("durable", "1000");
  const next = () => request("PUT", LIST, { interconnects: bulkOf(100, ++turn, 1000) });
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
await compareBulk(durable, 1);
await compareBulk(durable, 100);
await compareBulk(durable, 1000, 2.5);
await compareBulk(durable, 10_000, 3.5);
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
print();
