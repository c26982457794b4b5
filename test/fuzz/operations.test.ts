import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { describedOperations, judgeAnswer } from "../harness/contract.ts";
import { type HostileRequest, hostileRequest } from "../harness/hostile-requests.ts";
import { Chance } from "../harness/random.ts";
import { RawConnection, type RawReply, rawRequest } from "../harness/raw.ts";
import { isLong } from "../harness/runs.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";

/**
 * Hostile requests to every operation of the published document, over real sockets. `PATCHBAY_FUZZ_SEED` repeats a run: the
 * requests of a seed are the same.
 */

const chance = new Chance(Number(process.env["PATCHBAY_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 32)));
/** Whichever comes first. */
const REQUESTS = isLong ? 2_000_000 : 6_000;
const MILLISECONDS = isLong ? 3_600_000 : 20_000;
/** Requests between two looks at the logs, after which the data are as seeded again. */
const BETWEEN_RESETS = 500;
/** MiB that the heap may have grown at the end; a leak of 1 KB a request would be seen in a long run. */
const MOST_KEPT = 60;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes of the heap that are in use. */
function heapInUse(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Faults make up answers, and drop connections: their tests are in test/faults. */
const operations = describedOperations.filter(({ operation }) => operation.operationId !== "armFault");

let store: SqliteStore;
let server: TestServer;
beforeAll(async () => {
  store = await SqliteStore.open(undefined);
  server = await startTestServer({}, { store });
});
afterAll(() => server.close());

/** What the logs of all accounts and of the directory hold since the data were seeded. */
async function logged(): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const id of await store.states()) {
    for (let after = 0; ; ) {
      const { records = [] } = (await store.changesAfter(id, after, 1_000)) ?? {};
      if (records.length === 0) break;
      for (const { request_id, actor } of records) if (actor.type !== "system") ids.add(request_id);
      after = records.at(-1)?.revision ?? after;
    }
  }
  return ids;
}

test(
  `no hostile request breaks an operation (PATCHBAY_FUZZ_SEED=${chance.seed})`,
  async () => {
    const begun = performance.now();
    const heap = heapInUse();
    let connection = new RawConnection(server.url);
    const refused = new Set<string>();
    const changed = new Set<string>();
    const seen = new Map<string, number>();

    const judge = (asked: HostileRequest, reply: RawReply | undefined): void => {
      if (!reply) throw new Error("There was no answer.");
      const { status, headers, body } = reply;
      if (status >= 500) throw new Error(`It was answered with ${status}.`);
      const contentType = headers["content-type"];
      const url = URL.canParse(asked.path, server.url) ? asked.path : "/";
      const header = (name: string) => headers[name];
      // What is refused before its path is known has no operation; a page that is no operation's has no schema.
      const known = asked.bytes.indexOf("/%zz") === -1;
      if (known && contentType === "application/json")
        judgeAnswer(asked.method, url, { status, contentType, header, body: body === "" ? undefined : body });
      const id = headers["cf-ray"];
      if (id === undefined) return;
      if (status >= 400) refused.add(id);
      else if (headers["x-patchbay-revision"] !== undefined) changed.add(id);
    };

    const compare = async () => {
      const found = await logged();
      expect(
        [...refused].filter((id) => found.has(id)),
        "refused requests in the logs",
      ).toEqual([]);
      expect(
        [...changed].filter((id) => !found.has(id)),
        "acknowledged changes that are not in the logs",
      ).toEqual([]);
      await server.reset();
      refused.clear();
      changed.clear();
    };

    let count = 0;
    for (; count < REQUESTS && performance.now() - begun < MILLISECONDS; count++) {
      const asked = hostileRequest(chance, chance.pick(operations));
      try {
        await connection.send(asked.bytes);
        const reply = await connection.reply();
        judge(asked, reply);
        seen.set(asked.operation, (seen.get(asked.operation) ?? 0) + 1);
        if (asked.operation === "reset" && reply?.status === 200) {
          refused.clear();
          changed.clear();
        }
        if (reply?.headers["connection"] === "close") {
          // Nothing follows the only answer.
          expect(await connection.reply()).toBeUndefined();
          connection.socket.destroy();
          connection = new RawConnection(server.url);
        }
      } catch (error) {
        throw new Error(
          `Request ${count} of seed ${chance.seed}:\n${asked.bytes.toString("latin1").slice(0, 2_000)}`,
          {
            cause: error,
          },
        );
      }
      // A second answer to any request so far would come before this one.
      if (count % 20 === 19) {
        await connection.send(rawRequest({ path: `/nothing-${count}` }));
        const reply = await connection.reply();
        expect([reply?.status, reply?.body.errors[0].code]).toEqual([404, 10404]);
      }
      if (count % BETWEEN_RESETS === BETWEEN_RESETS - 1) await compare();
    }
    await compare();
    connection.socket.destroy();
    expect(count).toBeGreaterThan(100);
    if (count === REQUESTS)
      expect([...operations].filter(({ operation }) => !seen.has(operation.operationId))).toEqual([]);
    expect((heapInUse() - heap) / 2 ** 20).toBeLessThan(MOST_KEPT);
  },
  MILLISECONDS + 60_000,
);
