/** `patchbay init`: a data directory for a server of one's own, with one token and nothing of the demonstration. */

import { randomBytes } from "node:crypto";
import type { SeededState } from "../account/seed.ts";
import { makeWorld, readSeedFile } from "../store/seed-file.ts";
import { makeDatabase, openToFill } from "../store/sqlite/database-file.ts";
import { Writing } from "../store/sqlite/writing.ts";
import { newAdminToken } from "./admin-token.ts";
import { firstCalls } from "./first-calls.ts";
import {
  count,
  type DataPlace,
  dataPlace,
  type Environment,
  type PlaceOptions,
  run,
  type Terminal,
  timestamp,
} from "./run.ts";

export interface InitOptions extends PlaceOptions {
  readonly seed?: string | undefined;
}

export function init(options: InitOptions, environment: Environment, terminal: Terminal): Promise<number> {
  return run(terminal, async () => {
    const place = dataPlace(options, environment);
    const token = newAdminToken("admin");
    const source =
      options.seed === undefined ? { name: "seed", text: '{"accounts": []}' } : readSeedFile(options.seed);
    const world = makeWorld(source, timestamp(), [token]);
    if (place.database === undefined) {
      await makeDatabase(place.data, (file) => {
        using db = openToFill(file);
        db.exec("BEGIN");
        for (const _ of new Writing(db).replace(world));
        db.exec("COMMIT");
      });
    } else {
      const { begin } = await import("../store/postgres/postgres-store.ts");
      await begin(place.database, world);
    }
    return greeting(place, token.value, world);
  });
}

function greeting(place: DataPlace, token: string, world: readonly SeededState[]): string {
  const accounts = world.length - 1;
  const lines = [
    "",
    `${place.name} is ready, with ${accounts === 0 ? "no accounts" : count(accounts, "account")} and one administrator's token. It is shown this once:`,
    "",
    `export TOKEN=${token}`,
    "",
    "Serve it (in another terminal, or as a service):",
    "",
    // The address of a database holds its password.
    place.database === undefined
      ? `patchbay serve --data ${quote(place.data)}`
      : "patchbay serve    # with the same DATABASE_URL or --database",
    "",
  ];
  if (accounts === 0) {
    const account = randomBytes(16).toString("hex");
    lines.push("Then fill it, with these five calls or with calls like them:", "");
    for (const { what, line } of firstCalls(account)) lines.push(`# ${what}`, line, "");
  }
  return lines.join("\n");
}

/** A word that a shell reads as it is. */
function quote(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
