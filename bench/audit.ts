/** The audit log of an account whose log holds a million changes. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ChangeRecord } from "../src/account/change.ts";
import { startServer } from "../src/server/patchbay.ts";
import { percentile, times } from "./load.ts";
import type { Row } from "./row.ts";
import { ACCOUNT, idOf, request, seedText, updateOf } from "./world.ts";

const CHANGES = 1_000_000;
const DAYS = 100;
const DAY = 86_400_000;
const FIRST_DAY = Date.parse("2026-01-01");

const config = {
  host: "127.0.0.1",
  port: 0,
  seed: undefined,
  sandbox: false,
  metricsPort: undefined,
  rateLimit: "off" as const,
  logLevel: "silent",
};
const seed = { name: "bench", text: seedText(1_000) };

/** A change as PUT one makes it. */
function recordOf(revision: number): ChangeRecord {
  const at = FIRST_DAY + (revision * DAYS * DAY) / CHANGES;
  const index = revision % 1_000;
  const { description, mtu } = updateOf(index, revision);
  return {
    revision,
    time: new Date(at).toISOString().replace("Z", "000Z"),
    actor: { type: "token", id: "f".repeat(32), name: "bench" },
    request_id: `${revision.toString(16).padStart(16, "0")}-PBY`,
    address: "127.0.0.1",
    operation: "updateInterconnect",
    objects: [
      {
        kind: "interconnect",
        id: idOf(index),
        name: `pni_${index}`,
        action: "update",
        fields: {
          description: { before: "as it was", after: String(description) },
          mtu: { before: 1476, after: Number(mtu) },
        },
      },
    ],
  };
}

/** Writes the log past the server, which would take its time. */
function fill(directory: string): void {
  const db = new DatabaseSync(join(directory, "patchbay.db"));
  const insert = db.prepare("INSERT INTO change (state, revision, time, record) VALUES (?, ?, ?, ?)");
  db.exec("PRAGMA synchronous = OFF; BEGIN");
  for (let revision = 2; revision <= CHANGES; revision++) {
    const record = recordOf(revision);
    insert.run(ACCOUNT, revision, record.time, JSON.stringify(record));
  }
  db.prepare("UPDATE state SET revision = ?, folded = ? WHERE id = ?").run(CHANGES, CHANGES, ACCOUNT);
  db.exec("COMMIT");
  db.close();
}

function dayOf(day: number, more: string): Buffer {
  const [since, before] = [day, day + 1].map((number) =>
    new Date(FIRST_DAY + number * DAY).toISOString().slice(0, 10),
  );
  return request("GET", `/client/v4/accounts/${ACCOUNT}/logs/audit?since=${since}&before=${before}${more}`);
}

const queries = [
  { of: "100 entries", more: "", most: 50 },
  { of: "1,000 entries", more: "&limit=1000", most: 50 },
  { of: "none, of 10,000 looked at", more: "&action_type=delete", most: undefined },
];

/** Days of ten thousand changes, each asked for some times. */
export async function auditRows(count: number): Promise<Row[]> {
  const data = mkdtempSync(join(process.env["PATCHBAY_BENCH_DIR"] ?? tmpdir(), "patchbay-audit-"));
  try {
    await (await startServer({ ...config, data }, { seed })).close();
    fill(data);
    await using server = await startServer({ ...config, data }, { seed });
    const port = Number(new URL(server.url).port);
    const rows: Row[] = [];
    for (const { of, more, most } of queries) {
      const requests = Array.from({ length: count }, (_, turn) => dayOf((turn * 37) % DAYS, more));
      // What is compiled while it runs has to have run.
      await times(port, requests);
      const took = percentile(await times(port, requests), 0.5);
      rows.push({
        what: `audit log of a day in a log of a million changes, ${of}`,
        ours: `${took.toFixed(1)} ms`,
        against: "",
        ratio: "",
        goal: most === undefined ? "" : `under ${most} ms`,
        reached: most === undefined ? undefined : took < most,
      });
      process.stderr.write(`audit log of a day, ${of}: ${took.toFixed(1)} ms\n`);
    }
    return rows;
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}
