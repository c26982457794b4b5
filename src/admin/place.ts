/** Data wherever they live, as a file that can be read. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { openBeside, openToFill } from "../store/sqlite/database-file.ts";
import type { DataPlace } from "./run.ts";

export interface OpenedFile extends AsyncDisposable {
  readonly file: DatabaseSync;
}

/** A data directory's own file; of a database, a copy of one moment, which goes when it is closed. */
export async function openToRead(place: DataPlace): Promise<OpenedFile> {
  if (place.database === undefined) return opened(await openBeside(place.data), () => undefined);
  const { carryOutOf } = await import("../store/postgres/postgres-store.ts");
  const copy = openAside();
  try {
    await carryOutOf(place.database, copy.file);
    return copy;
  } catch (error) {
    await copy[Symbol.asyncDispose]();
    throw error;
  }
}

/** An empty file of which only its user may read anything, and which goes when it is closed. */
export function openAside(): OpenedFile {
  const directory = mkdtempSync(join(tmpdir(), "patchbay-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    return opened(openToFill(join(directory, "world.db")), remove);
  } catch (error) {
    remove();
    throw error;
  }
}

function opened(file: DatabaseSync, then: () => void): OpenedFile {
  return {
    file,
    [Symbol.asyncDispose]: async () => {
      file.close();
      then();
    },
  };
}
