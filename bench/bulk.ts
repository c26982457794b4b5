/** Bulk updates the whole way, against a database that writes the same rows alone. */

import type { ChangeRecord } from "../src/account/change.ts";
import { interconnectOf } from "../src/account/interconnect.ts";
import { startServer } from "../src/server/patchbay.ts";
import { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { BULKS, mustBeOk, quick, ROUNDS, tell } from "./compare.ts";
import { mean, median, milliseconds, times } from "./load.ts";
import { nextTurn, putBulk } from "./requests.ts";
import type { MeasuredServer } from "./servers.ts";
import { ACCOUNT, seedText } from "./world.ts";

/** The documents and the record that a bulk update of this size really writes. */
async function rowsOfBulk(size: number): Promise<{ docs: { index: number; doc: string }[]; record: string }> {
  const store = await SqliteStore.open(undefined);
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

/** A database alone. */
export interface RawDatabase {
  /** Milliseconds for one transaction with these documents and this record of the change. */
  write(
    docs: readonly { readonly index: number; readonly doc: string }[],
    record: string,
  ): number | Promise<number>;
  close(): void | Promise<void>;
}

export interface RawKind {
  readonly name: string;
  /** What the server is on, where that has to be said. */
  readonly on?: string;
  /** Edits after which the server's engine folds. */
  readonly foldAfter: number;
  /** With an object for each of the world's, of the size that the server's have. */
  readonly open: (doc: (index: number) => string) => RawDatabase | Promise<RawDatabase>;
}

/** Means, of enough objects that the rows that are folded in have their share in each round. */
export async function compareBulk(
  server: MeasuredServer,
  size: number,
  kind: RawKind,
  most?: number,
): Promise<void> {
  const { docs, record } = await rowsOfBulk(size);
  const raw = await kind.open((index) => docs[index % docs.length]?.doc ?? "");
  const count = quick ? BULKS : Math.max(8, Math.min(200, kind.foldAfter / size));
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const requests = Array.from({ length: count }, () => putBulk(size));
    const whole = mean(mustBeOk(await times(server.port, requests)).latencies);
    const alone: number[] = [];
    // Every write carries text of its own, since a database may skip what does not change a row.
    for (let again = 0; again < count; again++) {
      const stamp = String(1_000_000 + nextTurn());
      const fresh = docs.map(({ index, doc }) => ({
        index,
        doc: doc.replace(/"mtu":\d+/, `"mtu":${stamp.slice(-4)}`),
      }));
      alone.push(await raw.write(fresh, record));
    }
    pairs.push([whole, mean(alone)]);
  }
  await raw.close();
  const [whole, alone] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  const ratios = pairs.map(([a, b]) => a / b);
  tell(
    kind.on === undefined ? `bulk of ${size}` : `bulk of ${size}, on ${kind.on}`,
    milliseconds(whole),
    `${kind.name} ${milliseconds(alone)}`,
    ratios,
    most === undefined ? "" : `at most ${most}`,
    most === undefined ? undefined : (ratio) => ratio <= most,
  );
}
