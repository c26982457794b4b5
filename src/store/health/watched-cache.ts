/**
 * What edges report of the interconnects, as it was last read from a shared database: read again only once it changed.
 * At 10,000 interconnects that is 2.5 MB an edge, and every health view and every report needs it.
 */

import type { Watched } from "../../account/health/known-edge.ts";
import { MAX_WATCHED_IN_MEMORY } from "../../contract/limits.ts";
import type { Ask, Row } from "../postgres/database.ts";
import { pause } from "../time-slice.ts";
import { addPart, type WatchedMap } from "./edge-row.ts";

export interface Version {
  /** A text that is new whenever any of it changes; empty before that. */
  readonly changed: string;
  readonly watched: WatchedMap;
}

export class WatchedCache {
  /** By account and edge, in the order of their last use. */
  readonly #known = new Map<string, Version>();
  #size = 0;

  /** Of an edge, by its row. */
  async read(ask: Ask, account: string, row: Row): Promise<WatchedMap> {
    const edge = String(row["edge"]);
    const changed = String(row["changed"]);
    const known = this.#known.get(keyOf(account, edge));
    const version =
      known?.changed === changed ? known : { changed, watched: await readWatched(ask, account, edge, row) };
    this.remember(account, edge, version);
    return version.watched;
  }

  remember(account: string, edge: string, version: Version): void {
    const key = keyOf(account, edge);
    this.#drop(key);
    // It may be of another edge of that name, which was forgotten.
    if (version.changed === "") return;
    this.#known.set(key, version);
    this.#size += version.watched.size;
    for (const other of this.#known.keys()) {
      if (this.#size <= MAX_WATCHED_IN_MEMORY || other === key) break;
      this.#drop(other);
    }
  }

  #drop(key: string): void {
    const known = this.#known.get(key);
    if (!known) return;
    this.#size -= known.watched.size;
    this.#known.delete(key);
  }
}

function keyOf(account: string, edge: string): string {
  return `${account} ${edge}`;
}

async function readWatched(ask: Ask, account: string, edge: string, row: Row): Promise<WatchedMap> {
  const watched = new Map<string, Watched>();
  if (row["watched"] !== "") addPart(watched, String(row["watched"]));
  for (const part of await ask(WATCHED, account, edge)) {
    addPart(watched, String(part["watched"]));
    await pause();
  }
  return watched;
}

const WATCHED = {
  name: "health_watched",
  text: "SELECT watched FROM health_watched WHERE account = $1 AND edge = $2",
};
