/**
 * No operation stops the others: at 10,000 interconnects, no turn of the event loop takes long.
 *
 * The server runs in this thread and its client in another. The monitor measures the CPU time of this thread, so a busy
 * machine changes nothing, and the bound follows the speed of the machine.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientThread } from "./harness/client-thread.ts";
import { reportOf } from "./harness/edge-report.ts";
import { OWN_TOKEN } from "./harness/seeds.ts";
import { ACCOUNT, LIST, OWN, ROUTES, startTestServer, type TestServer } from "./harness/server.ts";
import { StallMonitor } from "./harness/stall-monitor.ts";
import { addressOf, idOf } from "./harness/worlds.ts";

const COUNT = 10_000;

/**
 * Milliseconds. The aim is 20. The bound leaves room for what cannot be divided: `JSON.parse` of a body or of one record of the
 * log (10 to 25 ms), and a collection of garbage.
 */
const BOUND = 50;
/** `JSON.parse` of the body of a bulk update takes this long on the machine that the bound was chosen on. */
const USUAL_PARSE = 12;

const data = mkdtempSync(join(tmpdir(), "patchbay-"));
const client = new ClientThread();
const longest: string[] = [];
let server: TestServer;
let bound = BOUND;

const numbers = Array.from({ length: COUNT }, (_, number) => number);
const since = new Date().toISOString();

/** IPv4 prefixes that the account may use, one for each interconnect. */
const authorized = numbers.map((n) => `198.${18 + (n >> 15)}.${(n >> 7) & 255}.${(n & 127) << 1}/31`);

function world(): object {
  const interconnects = numbers.map((number) => ({
    id: idOf(number),
    name: `pni_${number}`,
    version: number % 2 === 0 ? "1" : "1.5",
    description: `Port ${number} of many`,
    interface_address: addressOf(number),
    ...(number % 2 === 0 ? { gre: { cloudflare_endpoint: "203.0.113.1" } } : {}),
    health_check: { rate: "low", type: "request", target: "203.0.113.1" },
  }));
  const permission_groups = ["Magic WAN Write", "Patchbay Admin", "Patchbay Read", "Account Settings Read"];
  const policies = [{ effect: "allow", accounts: ["*"], permission_groups }];
  return {
    accounts: [{ id: ACCOUNT, name: "Generated", interconnects }],
    tokens: [{ id: idOf(1), name: "everything", value: OWN_TOKEN, policies }],
  };
}

beforeAll(async () => {
  const seed = { name: "generated", text: JSON.stringify(world()) };
  server = await startTestServer({ data, metricsPort: 0 }, { seed });
  bound = Math.max(BOUND, (BOUND * parseTime()) / USUAL_PARSE);
}, 60_000);
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.close();
  rmSync(data, { recursive: true });
  console.log(`Longest step of each operation on ${COUNT} interconnects:\n${longest.join("\n")}`);
});

/** The fastest of three, in milliseconds of CPU time. */
function parseTime(): number {
  const text = JSON.stringify(bulk({ description: "a body of the size that clients send" }));
  const times = [1, 2, 3].map(() => {
    const start = process.threadCpuUsage();
    JSON.parse(text);
    const { user, system } = process.threadCpuUsage(start);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}

function bulk(fields: object) {
  return { interconnects: numbers.map((number) => ({ id: idOf(number), ...fields })) };
}

interface Operation {
  readonly path: string;
  readonly method?: "GET" | "PUT" | "POST";
  /** For the first time, and for each time that it is done again. */
  readonly body?: (attempt: number) => unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How many times the bound it may take. One unless given. */
  readonly times?: number;
}

/** In the order in which they are done. */
const operations: readonly (readonly [name: string, operation: Operation])[] = [
  ["list all", { path: LIST }],
  ["list all, targets as objects", { path: LIST, headers: { "x-magic-new-hc-target": "true" } }],
  ["validate a bulk update", { path: `${LIST}?validate_only=true`, method: "PUT", body: bulkOf("dry") }],
  ["bulk update", { path: LIST, method: "PUT", body: bulkOf("made") }],
  [
    "bulk update of secrets",
    { path: LIST, method: "PUT", body: (n) => bulk({ bgp: { md5_key: `key${n}` } }) },
  ],
  ["export the state", { path: `${OWN}/state` }],
  ["list changes", { path: `${OWN}/changes` }],
  ["follow changes from the seed on", { path: `${OWN}/changes?after=0` }],
  ["get the change of all", { path: `${OWN}/changes/2` }],
  ["list last changes", { path: `${OWN}/last-changes` }],
  ["audit log", { path: audit() }],
  [
    "authorize 10,000 prefixes",
    { path: `${OWN}/settings`, method: "PUT", body: () => ({ authorized_prefixes: authorized }) },
  ],
  ["move 5,000 interconnects into them", { path: LIST, method: "PUT", body: moved }],
  ["create 10,000 routes", { path: ROUTES, method: "POST", body: routes }],
  ["list 10,000 routes", { path: ROUTES }],
  ["report all states", reporting((n) => ({ states: states(n) }))],
  ["report a minute of all", reporting((n) => ({ minutes: minutes(n) }))],
  ["heartbeat", reporting(() => ({}))],
  ["health of all", { path: `${OWN}/health` }],
  ["metrics", { path: "metrics" }],
  [
    "gated bulk update",
    {
      path: LIST,
      method: "PUT",
      body: bulkOf("gated"),
      headers: { "x-patchbay-confirm-within": "600", "x-patchbay-revert-on": "down" },
    },
  ],
  ["heartbeat while a gated change waits", reporting(() => ({}))],
  // Everything is replaced in one transaction, whose COMMIT writes some 10 MB in one step. Only a sandbox does so.
  ["reset", { path: "/patchbay/v1/reset", method: "POST", times: 2 }],
];

function bulkOf(word: string) {
  return (attempt: number) => bulk({ description: `${word} ${attempt}` });
}

function moved() {
  const interconnects = numbers
    .filter((number) => number % 2 === 1)
    .map((number) => ({ id: idOf(number), interface_address: authorized[number] }));
  return { interconnects };
}

function routes(attempt: number) {
  const list = numbers.map((number) => ({
    prefix: `172.${16 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}/32`,
    nexthop: "10.0.0.1",
    priority: 100 + attempt,
  }));
  return { routes: list };
}

function reporting(said: (attempt: number) => object): Operation {
  return { path: `${OWN}/health/reports`, method: "POST", body: (n) => reportOf(said(n)) };
}

function states(attempt: number) {
  return numbers.map((number) => ({
    interconnect: idOf(number),
    state: "healthy",
    since,
    reason: `all probes were answered, ${attempt}`,
  }));
}

function minutes(attempt: number) {
  const minute = new Date(Date.parse(since) - attempt * 60_000).toISOString();
  const latency = { min: 0.42, median: 0.51, p99: 1.9 };
  return numbers.map((number) => ({
    interconnect: idOf(number),
    minute,
    sent: 6,
    lost: 0,
    latency,
    jitter: 0.08,
  }));
}

function audit(): string {
  return `/client/v4/accounts/${ACCOUNT}/logs/audit?since=2020-01-01T00:00:00Z&before=2100-01-01T00:00:00Z`;
}

/** Milliseconds of the longest step while an operation is done. */
async function longestStep({ path, method = "GET", body, headers }: Operation, attempt: number) {
  const url = path === "metrics" ? `${server.metricsUrl}/metrics` : server.url + path;
  const encoded = body && ClientThread.encode(body(attempt));
  // What the test itself encoded is no step of the server's.
  await new Promise((resolve) => setImmediate(resolve));
  using monitor = StallMonitor.start();
  const sent = { authorization: `Bearer ${OWN_TOKEN}`, ...headers };
  const { status, start } = await client.send({ method, url, headers: sent, body: encoded });
  if (status !== 200) throw new Error(`${method} ${path} was answered with ${status}: ${start}`);
  return monitor.longest;
}

test.each(operations)("%s", async (name, operation) => {
  // Garbage may be collected in any step; what the operation itself does takes as long each time.
  const steps: number[] = [];
  const most = bound * (operation.times ?? 1);
  for (let attempt = 1; attempt <= 3 && Math.min(...steps) > most; attempt++)
    steps.push(await longestStep(operation, attempt));
  longest.push(
    `${Math.min(...steps)
      .toFixed(1)
      .padStart(6)} ms  ${name}`,
  );
  expect(Math.min(...steps)).toBeLessThan(most);
});
