/**
 * `node bench/mixed-load.ts --minutes 60`: one server under a mixed load of well-behaved and hostile clients. Prints a line
 * every ten seconds, and a verdict at the end: whether memory stayed flat, every step of the event loop was short, no response
 * had a 5xx status, and no acknowledged change was lost. The exit status is 1 if the server fails one of these checks.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { milliseconds } from "./load.ts";
import {
  confirmedChanges,
  type Expected,
  longPolls,
  newestRevision,
  reads,
  rollbacks,
  writes,
} from "./mixed/clients.ts";
import { hostileClients } from "./mixed/hostile.ts";
import { checkLog } from "./mixed/log-check.ts";
import { LoadedServer } from "./mixed/server.ts";
import { type Counts, Traffic } from "./mixed/traffic.ts";
import { judgeRun, megabytes, type Sample } from "./mixed/verdict.ts";
import { places } from "./mixed/world.ts";
import { readOptions, refuse } from "./options.ts";
import { pinLoad } from "./servers.ts";

const EVERY = 10_000;
/** Kinds of requests of hostile clients. Some of them have no response because of the client. */
const HOSTILE_KINDS = new Set(["deaf, ended", "deaf, kept", "pipelined", "half-sent", "random", "stranger"]);

const { minutes: given, profile } = readOptions({ minutes: "60", profile: true });
const minutes = Number(given);
if (given.trim() === "" || !(minutes > 0 && minutes <= 10_000))
  refuse(
    `--minutes is ${JSON.stringify(given)}, but must be a number of minutes above 0, such as 60 or 0.2.`,
  );

const count = (counts: Counts, wanted: (kind: string, status: number) => boolean) =>
  [...counts].reduce(
    (sum, [kind, statuses]) =>
      sum + [...statuses].reduce((inner, [status, n]) => inner + (wanted(kind, status) ? n : 0), 0),
    0,
  );

/** `put 400 2xx, 3 4xx; …` */
function byClass(counts: Counts): string {
  return [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([kind, statuses]) => {
      const classes = new Map<string, number>();
      for (const [status, n] of statuses) {
        const name = status === 0 ? "none" : `${Math.floor(status / 100)}xx`;
        classes.set(name, (classes.get(name) ?? 0) + n);
      }
      return `${kind} ${[...classes]
        .toSorted()
        .map(([name, n]) => `${n} ${name}`)
        .join(" ")}`;
    })
    .join(", ");
}

/** `p50 1.2 ms p99 8.9 ms` */
function quantiles(latencies: readonly number[] = []): string {
  const ascending = latencies.toSorted((a, b) => a - b);
  const at = (part: number) => {
    const value = ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * part))];
    return value === undefined ? "none" : milliseconds(value);
  };
  return `p50 ${at(0.5)} p99 ${at(0.99)}`;
}

async function sample(server: LoadedServer, traffic: Traffic, elapsed: number): Promise<Sample> {
  const figures = await server.figures();
  const { counts, latencies } = traffic.recent();
  // Prometheus reads them about as often.
  await fetch(server.metrics).then((response) => {
    traffic.count("metrics", response.status);
    return response.arrayBuffer();
  });
  const revisions = await Promise.all(places.map((place) => newestRevision(traffic, place)));
  const records = revisions.reduce<number>((sum, revision) => sum + (revision ?? 0), 0);
  const { heapAfterCollection: heap } = figures;
  console.log(
    [
      `minute ${(elapsed / 60_000).toFixed(1)}`,
      byClass(counts),
      `GET ${quantiles(latencies.get("get"))}, PUT ${quantiles(latencies.get("put"))}`,
      `RSS ${megabytes(figures.rss)}, buffers ${megabytes(figures.external)}, heap after collection ${heap === undefined ? "unknown" : megabytes(heap)}`,
      `longest step ${figures.stall.toFixed(0)} ms CPU, delay ${figures.delay.toFixed(0)} ms, collection ${figures.collection.toFixed(0)} ms`,
      `${figures.connections} connections`,
      `${records} records`,
    ].join(" | "),
  );
  for (const stall of figures.stalls) console.log(`  step of ${stall}`);
  return figures;
}

pinLoad();
await using server = await LoadedServer.start(profile);
const traffic = new Traffic(server.url);
const expected: Expected = { updates: new Map(), expired: new Set(), withoutRevision: 0 };
// Discards the figures of the start.
await server.figures();
const clients = Promise.all([
  ...reads(traffic),
  ...writes(traffic, expected),
  ...rollbacks(traffic),
  ...confirmedChanges(traffic, expected),
  ...longPolls(traffic),
  ...hostileClients(traffic),
]);
const samples: Sample[] = [];
const start = performance.now();
const loading = (async () => {
  for (let due = 0; due < minutes * 60_000; ) {
    due = Math.min(due + EVERY, minutes * 60_000);
    await sleep(Math.max(1, start + due - performance.now()));
    samples.push(await sample(server, traffic, due));
  }
})();
// An error in a client ends the run.
await Promise.race([loading, clients]);
traffic.end();
await Promise.all([loading, clients]);
traffic.close();
// Wait until the server has rolled back the last expired change.
await sleep(7_000);
await server.stop();

const { lost, notRolledBack } = await checkLog(server.data, expected);
const lines = judgeRun({
  samples,
  serverErrors: count(traffic.totals, (_, status) => status >= 500),
  unanswered: count(traffic.totals, (kind, status) => status === 0 && !HOSTILE_KINDS.has(kind)),
  acknowledged: expected.updates.size + expected.withoutRevision,
  lost,
  expired: expected.expired.size,
  notRolledBack,
});
console.log("\nResponses by kind and status:");
for (const [kind, statuses] of traffic.totals) {
  const counts = [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, n]) => `${n} × ${status || "none"}`);
  console.log(`  ${kind}: ${counts.join(", ")}`);
}
if (server.errors !== "") console.log(`\nErrors that the server logged:\n${server.errors}`);
console.log("\nVerdict:");
for (const { text, reached } of lines)
  console.log(`  ${reached === undefined ? "      " : reached ? "ok    " : "MISSED"} ${text}`);
if (lines.some(({ reached }) => reached === false)) process.exitCode = 1;
