/** A server to be measured, in a process of its own: `child.ts KIND`. Tells its port, and its use of the processor when asked. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../src/server/patchbay.ts";
import { MemoryStore } from "./memory-store.ts";
import { COUNT, LIST, seedText } from "./world.ts";

/** What a child tells its parent. */
export type Told =
  | { readonly port: number; readonly readyMs: number; readonly rss: number }
  | { readonly cpu: number; readonly rss: number };

const config = {
  host: "127.0.0.1",
  port: 0,
  seed: undefined,
  sandbox: false,
  metricsPort: undefined,
  rateLimit: "off" as const,
  logLevel: "silent",
};

async function startPatchbay(durable: boolean, count: number): Promise<number> {
  const data = durable
    ? mkdtempSync(join(process.env["PATCHBAY_BENCH_DIR"] ?? tmpdir(), "patchbay-bench-"))
    : undefined;
  if (data) process.on("exit", () => rmSync(data, { recursive: true, force: true }));
  const seed = { name: "bench", text: seedText(count) };
  const server = await startServer(
    { ...config, data },
    durable ? { seed } : { seed, store: new MemoryStore() },
  );
  return Number(new URL(server.url).port);
}

/** With its data in a PostgreSQL database. */
async function startOn(database: string): Promise<number> {
  const seed = { name: "bench", text: seedText() };
  const server = await startServer({ ...config, data: undefined, database }, { seed });
  return Number(new URL(server.url).port);
}

/** Only parses and answers the same JSON. Its answers are those of the server at `origin`. */
async function startBare(origin: string): Promise<number> {
  const headers = { authorization: `Bearer ${process.env["PATCHBAY_BENCH_TOKEN"]}` };
  const list = Buffer.from(await (await fetch(origin + LIST, { headers })).arrayBuffer());
  const { result }: { result: { interconnects: { id: string }[] } } = JSON.parse(list.toString());
  const quiet = { success: true, errors: [], messages: [] };
  const answers = new Map(
    result.interconnects.map((interconnect) => [
      `${LIST}/${interconnect.id}`,
      Buffer.from(JSON.stringify({ result: { interconnect }, ...quiet })),
    ]),
  );
  const server = createServer((request, response) => {
    const answer = (body: Buffer) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
      response.end(body);
    };
    if (request.method === "GET") return answer(answers.get(request.url ?? "") ?? list);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const parsed: { interconnects?: unknown[] } = JSON.parse(Buffer.concat(chunks).toString());
      const items = parsed.interconnects ?? [parsed];
      answer(Buffer.from(JSON.stringify({ result: { modified: true, modified_interconnects: items } })));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function start(kind: string, argument: string): Promise<number> {
  if (kind === "bare") return startBare(argument);
  if (kind === "postgres") return startOn(argument);
  return startPatchbay(kind === "durable", Number(argument || COUNT));
}

function tell(told: Told): void {
  process.send?.(told);
}

const [kind = "durable", argument = ""] = process.argv.slice(2);
const port = await start(kind, argument);
tell({ port, readyMs: performance.now(), rss: process.memoryUsage.rss() });
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  tell({ cpu: (user + system) / 1e6, rss: process.memoryUsage.rss() });
});
process.on("disconnect", () => process.exit());
