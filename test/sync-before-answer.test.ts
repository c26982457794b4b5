import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { quietly, serve } from "./harness/command.ts";
import { skip } from "./harness/needs.ts";
import { Chance } from "./harness/random.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { ask, LIST, one } from "./harness/server.ts";
import { temporaryDirectory } from "./harness/temporary.ts";
import { judgeTrace } from "./harness/trace.ts";
import { findTracer } from "./harness/tracer.ts";
import { idOf } from "./harness/worlds.ts";

const CLIENTS = 32;
const UPDATES = 400;
const INTERCONNECTS = 100;

/** Streams updates to a traced server, and returns the lines of the trace. */
async function trace(strace: string, directory: string, data: string): Promise<string[]> {
  const seed = join(directory, "seed.yaml");
  const output = join(directory, "trace");
  writeFileSync(seed, makeSeed(INTERCONNECTS));
  // The tracer is the server's child and not the other way round, so that signals reach the server.
  const tracer = [strace, "-D", "-f", "-yy", "-s", "8192", "-o", output];
  const calls =
    "read,recvfrom,recvmsg,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,ftruncate,fsync,fdatasync";
  const server = await serve(quietly(data, seed), { before: [...tracer, "-e", `trace=${calls}`] });
  const chance = new Chance();
  let sent = 0;
  const client = async () => {
    while (sent < UPDATES) {
      const description = `tag-${String(sent++).padStart(6, "0")}`;
      const ids = chance.some([...Array(INTERCONNECTS).keys()], chance.between(2, 10)).map(idOf);
      const single = chance.below(2) === 0;
      const body = single ? { description } : { interconnects: ids.map((id) => ({ id, description })) };
      const path = single ? one(ids[0] ?? "") : LIST;
      const { status } = await ask(server.url, "PUT", path, { token: OWN_TOKEN, body });
      expect(status).toBe(200);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  expect(await server.end("SIGTERM")).toEqual({ code: 0, signal: null });
  return readFileSync(output, "latin1").split("\n");
}

test("no answer to an update leaves before the update is synced", async (ctx: TestContext) => {
  const tracer = findTracer();
  if ("missing" in tracer) return skip(ctx, tracer.missing);
  const directory = realpathSync(temporaryDirectory());
  const data = join(directory, "data");
  const lines = await trace(tracer.strace, directory, data);
  const { answers, syncs, violations } = judgeTrace(lines, data);
  console.log(`${answers} updates over ${CLIENTS} connections were answered after ${syncs} syncs`);
  expect(violations).toEqual([]);
  expect(answers).toBe(UPDATES);
  // Those that wait together share a sync, and no more than are on their way can wait.
  expect(syncs).toBeLessThan(UPDATES);
  expect(syncs).toBeGreaterThanOrEqual(UPDATES / CLIENTS);

  // The same trace with one answer moved before the sync that it waited for would have been reported.
  const answer = lines.findLastIndex((line) => line.includes('"HTTP/1.1 200 ') && line.includes("tag-"));
  const sync = lines.findLastIndex((line, index) => index < answer && /\bf(data)?sync\(/.test(line));
  expect(sync).toBeGreaterThan(0);
  const doctored = lines.toSpliced(answer, 1).toSpliced(sync, 0, lines[answer] ?? "");
  expect(judgeTrace(doctored, data).violations).not.toEqual([]);
});

describe("the judge of traces reports", () => {
  const data = "/data";
  const socket = "9<TCP:[127.0.0.1:8787->127.0.0.1:45168]>";
  const asked = `7 read(${socket}, "PUT /client/v4/x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n{\\"description\\":\\"tag-000001\\"}", 65536) = 90`;
  const written = '7 pwrite64(5</data/patchbay.db-wal>, "\\0\\0tag-000001\\0", 4096, 0) = 4096';
  const synced = "7 fdatasync(5</data/patchbay.db-wal>) = 0";
  const answered = `7 writev(${socket}, [{iov_base="HTTP/1.1 200 OK\\r\\n\\r\\n{\\"description\\":\\"tag-000001\\"}", iov_len=70}], 1) = 70`;
  const violations = (...lines: readonly string[]) => judgeTrace(lines, data).violations;

  const fine = {
    "a sync between the write and the answer": [asked, written, synced, answered],
    "a sync that another thread completes": [
      asked,
      written,
      "8 fsync(5</data/patchbay.db-wal> <unfinished ...>",
      '7 read(9<TCP:[127.0.0.1:8787->127.0.0.1:45170]>, "", 65536) = 0',
      "8 <... fsync resumed>) = 0",
      answered,
    ],
    "an unsynced index in shared memory": [
      asked,
      written,
      synced,
      '7 pwrite64(6</data/patchbay.db-shm>, "tag-000001", 10, 0) = 10',
      answered,
    ],
    "an unsynced mark": [
      asked,
      written,
      synced,
      '7 pwrite64(6</data/patchbay.mark>, "tag-000001", 10, 0) = 10',
      answered,
    ],
    "the answer to a read, which waits for nothing": [asked.replace("PUT", "GET"), written, answered],
  };
  test.each(Object.entries(fine))("nothing of %s", (_, lines) => {
    expect(violations(...lines)).toEqual([]);
  });

  const early = {
    "an answer before the sync": [asked, written, answered, synced],
    "an answer before the write": [asked, answered, written, synced],
    "an answer while the sync is under way": [
      asked,
      written,
      "8 fsync(5</data/patchbay.db-wal> <unfinished ...>",
      answered,
      "8 <... fsync resumed>) = 0",
    ],
    "a sync that failed": [asked, written, synced.replace("= 0", "= -1 EIO (Input/output error)"), answered],
    "a sync of another file": [asked, written, synced.replace("-wal", ""), answered],
    "other bytes that came while the sync was under way": [
      asked,
      written,
      "8 fsync(5</data/patchbay.db-wal> <unfinished ...>",
      '7 pwrite64(5</data/patchbay.db-wal>, "\\0", 4096, 0) = 4096',
      "8 <... fsync resumed>) = 0",
      answered,
    ],
    "a write that came while the sync was under way": [
      asked,
      "8 fsync(5</data/patchbay.db-wal> <unfinished ...>",
      written,
      "8 <... fsync resumed>) = 0",
      answered,
    ],
    "other bytes that are not synced": [
      asked,
      written,
      synced,
      '7 pwrite64(4</data/patchbay.db>, "\\0", 4096, 0) = 4096',
      answered,
    ],
    "the rest of an answer that is early": [
      asked,
      `7 write(${socket}, "HTTP/1.1 200 OK\\r\\n", 20) = 20`,
      `7 write(${socket}, "{\\"description\\":\\"tag-000001\\"}", 30) = 30`,
      written,
      synced,
    ],
  };
  test.each(Object.entries(early))("%s", (_, lines) => {
    expect(violations(...lines)).not.toEqual([]);
  });
});
