/** A state's row, locked until who holds it committed or let go. */

import { type Batch, Conflict, type LockedState, NotCommitted, type Position } from "../store.ts";
import { append, commit, outgoing } from "./committing.ts";
import type { Database, Held } from "./database.ts";
import { hadNoEffect, messageOf } from "./failures.ts";

const LOCK = { name: "lock", text: "SELECT epoch, revision FROM state WHERE id = $1 FOR UPDATE" };

/** Told of what a commit leaves to be folded. */
type OnCommit = (batch: Batch, unfolded: number | undefined) => void;

export async function lock(
  database: Database,
  id: string,
  patience: number,
  onCommit: OnCommit,
): Promise<LockedState | undefined> {
  const held = await database.hold();
  try {
    await held.ask("BEGIN");
    const [row] = await held.ask(LOCK, id);
    if (!row) {
      held.drop();
      return undefined;
    }
    const position = { epoch: String(row["epoch"]), revision: Number(row["revision"]) };
    return new LockedRow(database, held, position, patience, onCommit);
  } catch (error) {
    held.drop();
    throw error;
  }
}

class LockedRow implements LockedState {
  readonly position: Position;
  readonly #database: Database;
  readonly #held: Held;
  readonly #patience: number;
  readonly #onCommit: OnCommit;

  constructor(database: Database, held: Held, position: Position, patience: number, onCommit: OnCommit) {
    this.position = position;
    this.#database = database;
    this.#held = held;
    this.#patience = patience;
    this.#onCommit = onCommit;
  }

  async commit(batch: Batch): Promise<void> {
    const out = outgoing(batch);
    let unfolded: number | undefined;
    try {
      unfolded = await append((statement, ...values) => this.#held.ask(statement, ...values), out);
    } catch {
      // The transaction went with its connection, before COMMIT. Without the lock it is a race like any other.
      this.#onCommit(batch, await commit(this.#database, out, this.#patience));
      return;
    }
    if (unfolded === undefined) {
      await this.release();
      throw new Conflict(`The state ${batch.state} has moved on.`);
    }
    try {
      await this.#held.ask("COMMIT");
      this.#held.giveBack();
    } catch (error) {
      if (hadNoEffect(error)) throw new NotCommitted(messageOf(error));
      unfolded = await commit(this.#database, out, this.#patience, error);
    }
    this.#onCommit(batch, unfolded);
  }

  async release(): Promise<void> {
    await this.#held.ask("ROLLBACK").then(
      () => this.#held.giveBack(),
      () => undefined,
    );
  }
}
