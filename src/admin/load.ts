/** `patchbay load`: a dump, with the archives that go before it, as a data directory: all of it or nothing. */

import type { DatabaseSync } from "node:sqlite";
import { makeDatabase, openToFill, renewEpochs } from "../store/sqlite/database-file.ts";
import { Filling } from "../store/sqlite/filling.ts";
import { judgeWorld, type LoadedState } from "./load-judgement.ts";
import { Loading } from "./loading.ts";
import { openAside } from "./place.ts";
import { count, dataPlace, type Environment, type PlaceOptions, run, type Terminal } from "./run.ts";

export interface LoadOptions extends PlaceOptions {
  readonly from: string;
  /** Archives of what was pruned before the dump was made. */
  readonly archive?: readonly string[] | undefined;
}

export function load(options: LoadOptions, environment: Environment, terminal: Terminal): Promise<number> {
  return run(terminal, async () => {
    const place = dataPlace(options, environment);
    const counts = { states: 0, changes: 0, objects: 0 };
    const fill = (db: DatabaseSync) => {
      db.exec("BEGIN");
      for (const state of loadAll(db, options)) {
        counts.states++;
        counts.changes += state.line.revision - state.floor;
        counts.objects += state.objects;
      }
      db.exec("COMMIT");
    };
    if (place.database === undefined) {
      await makeDatabase(place.data, (file) => {
        using db = openToFill(file);
        fill(db);
      });
    } else {
      const { carryInto } = await import("../store/postgres/postgres-store.ts");
      await using aside = openAside();
      fill(aside.file);
      await carryInto(place.database, aside.file);
    }
    return `${place.name} holds ${count(counts.states, "state")} with ${count(counts.objects, "object")} and ${count(counts.changes, "change")}, under new epochs: clients that follow the changes must read the state again.`;
  });
}

/** Fills a database, and judges what is in it then. Throws `ConfigError` at the first line that is wrong. */
export function loadAll(db: DatabaseSync, { from, archive = [] }: LoadOptions): readonly LoadedState[] {
  const filling = new Filling(db);
  const loading = new Loading(filling);
  for (const file of archive) loading.readArchive(file);
  const states = loading.readDump(from);
  const judged = judgeWorld(db, states, loading.archived);
  filling.finish();
  renewEpochs(db);
  return judged;
}
