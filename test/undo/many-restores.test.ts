/** Many large rollbacks at once: the server still answers, and has the log of only one of them in memory. */

import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, test } from "vitest";
import { MAX_WAITING_ROLLBACKS } from "../../src/contract/limits.ts";
import { makeSeed, OWN_TOKEN } from "../harness/seeds.ts";
import { LIST, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";
import { StallMonitor } from "../harness/stall-monitor.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { idOf } from "../harness/worlds.ts";

const INTERCONNECTS = 1_000;
/** Each writes a record of 2.3 MB. */
const BULKS = 16;
const REQUESTS = 24;

/**
 * CPU milliseconds of the longest turn. The largest step parses one record, in about 15 ms; garbage collection, and the
 * client's part in the same process, come on top. All records in one turn take over 150 ms.
 */
const LONGEST_TURN = 100;

/** MB by which the heap may grow, garbage included. The log in memory for each of the requests is about 1,000. */
const MOST_GROWTH = 500;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

let server: TestServer;
afterAll(() => server.close());

async function begin(): Promise<void> {
  const seed = join(temporaryDirectory(), "seed.yaml");
  writeFileSync(seed, makeSeed(INTERCONNECTS));
  server = await startTestServer({ seed });
  for (let bulk = 0; bulk < BULKS; bulk++) {
    const description = String.fromCharCode(97 + bulk).repeat(1_000);
    const interconnects = Array.from({ length: INTERCONNECTS }, (_, number) => ({
      id: idOf(number),
      description,
    }));
    expect(await send("PUT", LIST, { interconnects })).toBe(200);
  }
}

/** Sends a request and returns the status. The body of the answer is not kept. */
function send(method: string, path: string, body?: unknown): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { authorization: `Bearer ${OWN_TOKEN}`, "content-type": "application/json" };
  const sent = request(server.url + path, { method, headers }, (answer) => {
    answer.resume();
    answer.on("end", () => resolve(answer.statusCode ?? 0));
  });
  sent.on("error", reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

test(`${REQUESTS} dry restores at once are answered or refused, and other requests are answered in between`, async () => {
  await begin();
  collect();
  const before = process.memoryUsage().heapUsed;
  let highest = before;
  using monitor = StallMonitor.start();
  let done = 0;
  const restores = Array.from({ length: REQUESTS }, () =>
    send("POST", `${OWN}/restore?validate_only=1`, { to_revision: 2 }).finally(() => done++),
  );
  let answered = 0;
  while (done < REQUESTS) {
    expect(await send("GET", one(idOf(0)))).toBe(200);
    if (done < REQUESTS) answered++;
    highest = Math.max(highest, process.memoryUsage().heapUsed);
  }
  const statuses = await Promise.all(restores);
  expect(new Set([...statuses, 200, 503])).toEqual(new Set([200, 503]));
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(MAX_WAITING_ROLLBACKS);
  // At least one during each of them.
  expect(answered).toBeGreaterThan(MAX_WAITING_ROLLBACKS);
  expect(monitor.longest).toBeLessThan(LONGEST_TURN);
  expect((highest - before) / 1e6).toBeLessThan(MOST_GROWTH);
});
