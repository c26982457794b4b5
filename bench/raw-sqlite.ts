/** What SQLite alone takes to write what a bulk update writes: the same rows, in one transaction. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { COUNT, idOf } from "./world.ts";

export class RawSqlite {
  readonly #directory = mkdtempSync(join(process.env["PATCHBAY_BENCH_DIR"] ?? tmpdir(), "patchbay-raw-"));
  readonly #db = new DatabaseSync(join(this.#directory, "raw.db"));
  #revision = 0;

  /** Fills it with rows of the size that the server's have. */
  constructor(doc: (index: number) => string) {
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
      CREATE TABLE object (number INTEGER PRIMARY KEY, state TEXT, kind TEXT, id TEXT, revision INTEGER, doc TEXT) STRICT;
      CREATE UNIQUE INDEX object_by_id ON object (state, kind, id);
      CREATE TABLE change (state TEXT, revision INTEGER, record TEXT, PRIMARY KEY (state, revision)) STRICT, WITHOUT ROWID;
      BEGIN`);
    const insert = this.#db.prepare("INSERT INTO object VALUES (?, 'bench', 'interconnect', ?, 1, ?)");
    for (let index = 0; index < COUNT; index++) insert.run(index + 1, idOf(index), doc(index));
    this.#db.exec("COMMIT");
  }

  /** Milliseconds for one transaction with these documents and this record of the change. */
  write(docs: readonly { readonly index: number; readonly doc: string }[], record: string): number {
    const update = this.#db.prepare("UPDATE object SET revision = ?, doc = ? WHERE number = ?");
    const log = this.#db.prepare("INSERT INTO change VALUES ('bench', ?, ?)");
    const start = performance.now();
    this.#revision++;
    this.#db.exec("BEGIN IMMEDIATE");
    for (const { index, doc } of docs) update.run(this.#revision, doc, index + 1);
    log.run(this.#revision, record);
    this.#db.exec("COMMIT");
    return performance.now() - start;
  }

  close(): void {
    this.#db.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
