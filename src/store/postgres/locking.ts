/** A state's row, locked until who holds it committed or let go. */

import { type Batch, Conflict, type Position } from "../store.ts";
import { append, commit, outgoing, SETTLE } from "./committing.ts";
import type { Database, Held } from "./database.ts";
import { hadNoEffect } from "./failures.ts";

const LOCK = { name: "lock", text: "SELECT epoch, revision FROM state WHERE id = $1 FOR UPDATE" };

export async function lock(database: Database, id: string, patience: number): Promise<LockedRow | undefined> {
  const held = await database.hold();
  try {
    await held.ask("BEGIN");
    const [row] = await held.ask(LOCK, id);
    if (!row) {
      held.drop();
      return undefined;
    }
    const position = { epoch: String(row["epoch"]), revision: Number(row["revision"]) };
    return new LockedRow(database, held, id, position, patience);
  } catch (error) {
    held.drop();
    throw error;
  }
}

export class LockedRow {
  readonly position: Position;
  readonly #database: Database;
  readonly #held: Held;
  readonly #patience: number;
  readonly #id: string;

  constructor(database: Database, held: Held, id: string, position: Position, patience: number) {
    this.#id = id;
    this.position = position;
    this.#database = database;
    this.#held = held;
    this.#patience = patience;
  }

  /** As `commit`, and lets go. */
  async commit(batch: Batch): Promise<number | undefined> {
    const out = outgoing(batch);
    let unfolded: number | undefined;
    try {
      unfolded = await append((statement, ...values) => this.#held.ask(statement, ...values), out);
    } catch {
      // The transaction went with its connection, before COMMIT. Without the lock it is a race like any other.
      return commit(this.#database, out, this.#patience);
    }
    if (unfolded === undefined) {
      await this.release();
      throw new Conflict(`The state ${batch.state} has moved on.`);
    }
    try {
      await this.#held.ask("COMMIT");
    } catch (error) {
      return commit(this.#database, out, this.#patience, hadNoEffect(error) ? undefined : error);
    }
    this.#held.giveBack();
    return unfolded;
  }

  /** Commits a change of nothing: it is durable only with everything before it. */
  async settle(): Promise<void> {
    await this.#held.ask(SETTLE, this.#id);
    await this.#held.ask("COMMIT");
    this.#held.giveBack();
  }

  async release(): Promise<void> {
    await this.#held.ask("ROLLBACK").then(
      () => this.#held.giveBack(),
      () => undefined,
    );
  }
}
