/**
 * How soon the edge makes real what was acknowledged, what it takes while nothing happens, and how soon it sees a link
 * die: 1,000 interconnects between two namespaces of this machine, the userspace driver, server and edge on the same
 * processors. Root on Linux; elsewhere there are no such rows. Run alone, it prints them.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  type EdgeProcess,
  edgeSeed,
  interconnectId,
  makeEdgeWorld,
  OPERATOR_TOKEN,
} from "../test/harness/edge-world.ts";
import { Network, noNetworks } from "../test/harness/namespaces.ts";
import { LIST, OWN, startTestServer, type TestServer } from "../test/harness/server.ts";
import { median } from "./load.ts";
import type { Row } from "./row.ts";

const COUNT = 1_000;
const ROUNDS = 7;
const SINGLE_ROUNDS = 21;
/** Seconds over which an idle agent is watched. */
const IDLE = 20;
const LINKS = 7;
const CUTS = 3;

const GOALS = { all: 2_000, one: 100, processor: 2, memory: 150, shown: 200 };

const ids = Array.from({ length: COUNT }, (_, number) => interconnectId(number));

interface Line {
  readonly msg: string;
  readonly revision?: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

function linesOf({ said }: EdgeProcess): Line[] {
  return said
    .split("\n")
    .flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line)] : []));
}

async function appliedAt(edge: EdgeProcess, revision: number): Promise<number> {
  for (;;) {
    const line = linesOf(edge).findLast((one) => one.msg === "made it so" && one.revision === revision);
    if (line) return line.time;
    await setTimeout(10);
  }
}

/** Milliseconds from the answer to a change to the kernel's being so. */
async function timeOf(server: TestServer, edge: EdgeProcess, elements: readonly object[]): Promise<number> {
  const reply = await server.ask("PUT", LIST, { token: OPERATOR_TOKEN, body: elements });
  const acknowledged = Date.now();
  const applied = await appliedAt(edge, Number(reply.headers.get("x-patchbay-revision")));
  return Math.max(0, applied - acknowledged);
}

/** Processor time that a process has had, in milliseconds. */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function megabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** The rows of `npm run bench`. */
export async function edgeRows(): Promise<Row[]> {
  if (noNetworks !== undefined) return [];
  return [...(await followingRows()), ...(await deadLinkRows())];
}

async function withWorld<T>(
  each: Readonly<Record<string, unknown>>,
  interconnects: number,
  settings: Readonly<Record<string, unknown>>,
  measure: (server: TestServer, edge: EdgeProcess, customer: EdgeProcess) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
  await using network = new Network();
  const seed = { name: "bench", text: edgeSeed({ interconnects, each }) };
  await using server = await startTestServer({}, { seed });
  const { provider, customer, door } = await makeEdgeWorld(
    network,
    directory,
    { url: server.url, driver: "userspace", interconnects },
    { provider: settings, customer: settings },
  );
  try {
    await customer.run("--once");
    provider.start();
    await provider.until(({ configuration }) => configuration.status === "applied", 120);
    return await measure(server, provider, customer);
  } finally {
    await provider.stop();
    await door.shut();
    rmSync(directory, { recursive: true, force: true });
  }
}

function followingRows(): Promise<Row[]> {
  const each = { health_check: { enabled: false } };
  return withWorld(each, COUNT, {}, async (server, edge) => {
    const all: number[] = [];
    const one: number[] = [];
    for (let round = 0; round < ROUNDS; round++)
      all.push(
        await timeOf(
          server,
          edge,
          ids.map((id) => ({ id, mtu: round % 2 ? 1476 : 1400 })),
        ),
      );
    for (let round = 0; round < SINGLE_ROUNDS; round++)
      one.push(await timeOf(server, edge, [{ id: ids[round * 11], mtu: round % 2 ? 1300 : 1301 }]));
    await setTimeout(3_000);
    const { pid } = edge;
    const before = processorTime(pid);
    await setTimeout(IDLE * 1000);
    const share = (processorTime(pid) - before) / (IDLE * 10);
    const memory = megabytes(pid);
    const spread = (of: number[]) => `${Math.min(...of).toFixed(0)} to ${Math.max(...of).toFixed(0)} ms`;
    return [
      row(
        `edge: MTU of ${COUNT.toLocaleString("en")} interconnects, from the answer to the devices`,
        `${median(all).toFixed(0)} ms`,
        spread(all),
        `under ${GOALS.all} ms`,
        median(all) < GOALS.all,
      ),
      row(
        "edge: MTU of one of them",
        `${median(one).toFixed(0)} ms`,
        spread(one),
        `under ${GOALS.one} ms`,
        median(one) < GOALS.one,
      ),
      row(
        "edge: processor while nothing happens",
        `${share.toFixed(2)} %`,
        "of one core",
        `under ${GOALS.processor} %`,
        share < GOALS.processor,
      ),
      row("edge: memory", `${memory.toFixed(0)} MB`, "", `under ${GOALS.memory} MB`, memory < GOALS.memory),
    ];
  });
}

/** A cable that goes silent: the device stays up, and nothing comes through. */
function deadLinkRows(): Promise<Row[]> {
  const interval = 1_000;
  const settings = { rates: { high: interval / 1000 }, health_time_scale: 0.001 };
  return withWorld({}, LINKS, settings, async (server, _edge, customer) => {
    const state = async () =>
      (await server.ask("GET", `${OWN}/health`, { token: OPERATOR_TOKEN })).body.result.interconnects;
    const until = async (
      holds: (states: { id: string; state: string; edges: { since: string }[] }[]) => boolean,
    ) => {
      for (;;) {
        const states = await state();
        if (holds(states)) return states;
        await setTimeout(2);
      }
    };
    await until((states) => states.every((one: { state: string }) => one.state === "healthy"));
    const seen: number[] = [];
    const shown: number[] = [];
    for (let round = 0; round < CUTS; round++) {
      const cut = Date.now();
      await customer.host.run(
        "nft -f -",
        "table netdev cut { chain in { type filter hook ingress device up0 priority -600; policy drop; }; }",
      );
      const found = new Set<string>();
      await until((all) => {
        for (const { id, state, edges } of all) {
          if (state !== "down" || found.has(id)) continue;
          found.add(id);
          const since = Date.parse(edges[0]?.since ?? "");
          seen.push(since - cut);
          shown.push(Date.now() - since);
        }
        return found.size === LINKS;
      });
      await customer.host.run("nft delete table netdev cut");
      // Thirty answers in a row, one a second.
      await until((all) => all.every(({ state }) => state === "healthy"));
    }
    // Two timeouts of the least length that there is, 200 ms each.
    const bound = interval + 2 * 200 + 100;
    const worst = Math.max(...seen);
    const latest = Math.max(...shown);
    return [
      row(
        `edge: a dead link is seen, probes every second: the slowest of ${CUTS * LINKS}`,
        `${worst} ms`,
        "",
        `under ${bound} ms`,
        worst < bound,
      ),
      row(
        "edge: and shown by the server after",
        `${latest} ms`,
        "",
        `under ${GOALS.shown} ms`,
        latest < GOALS.shown,
      ),
    ];
  });
}

function row(what: string, ours: string, against: string, goal: string, reached: boolean): Row {
  return { what, ours, against, ratio: "", goal, reached };
}

if (import.meta.main)
  for (const { what, ours, against, goal, reached } of await edgeRows())
    console.log(`${what}: ${ours} ${against} (${goal}${reached ? "" : ", MISSED"})`);
