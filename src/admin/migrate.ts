/** `patchbay migrate`: brings data up to date for this version, as the first start of its server would. */

import { databaseIn } from "../store/sqlite/database-file.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import { dataPlace, type Environment, type PlaceOptions, run, type Terminal } from "./run.ts";

export function migrate(
  options: PlaceOptions,
  environment: Environment,
  terminal: Terminal,
): Promise<number> {
  return run(terminal, async () => {
    const place = dataPlace(options, environment);
    if (place.database === undefined) {
      databaseIn(place.data);
      await (await SqliteStore.open(place.data)).close();
    } else {
      const { migrate } = await import("../store/postgres/postgres-store.ts");
      await migrate(place.database);
    }
    return `${place.name} is up to date. Older versions refuse it from now on.`;
  });
}
