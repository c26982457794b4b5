/** The list of what was made, on disk: replaced as a whole and synced, so that it is there before what it lists. */

import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Made, NOTHING_MADE, type TableMade } from "../plan/made.ts";
import { numberOf, type Row, rowOf, textOf, textsOf } from "./json.ts";

export class MadeFile {
  readonly #path: string;
  #made: Made;
  #text: string;

  private constructor(path: string, made: Made, text: string) {
    this.#path = path;
    this.#made = made;
    this.#text = text;
  }

  /** Throws if the file is there and cannot be read, or is none: nothing may be made over what cannot be found again. */
  static async open(stateDirectory: string): Promise<MadeFile> {
    const path = join(stateDirectory, "made.json");
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return new MadeFile(path, NOTHING_MADE, "");
    try {
      return new MadeFile(path, madeOf(rowOf(JSON.parse(text))), text);
    } catch (error) {
      throw new Error(`${path} is not the list of what an edge made. Move it away if it is worth nothing.`, {
        cause: error,
      });
    }
  }

  get made(): Made {
    return this.#made;
  }

  /** Does nothing if nothing changed. `sync`: only returns when it is on the disk. */
  async write(made: Made, sync: boolean): Promise<void> {
    const text = JSON.stringify(made);
    if (text !== this.#text) {
      const next = `${this.#path}.new`;
      const file = await open(next, "w", 0o600);
      try {
        await file.writeFile(text);
        if (sync) await file.sync();
      } finally {
        await file.close();
      }
      await rename(next, this.#path);
      if (sync) await syncDirectory(dirname(this.#path));
      this.#text = text;
    }
    this.#made = made;
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
    await rm(`${this.#path}.new`, { force: true });
    this.#made = NOTHING_MADE;
    this.#text = "";
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function madeOf(row: Row): Made {
  const numbers = rowOf(row["numbers"]);
  return {
    devices: recordOf(row["devices"], textOf),
    addresses: recordOf(row["addresses"], textsOf),
    mtus: recordOf(row["mtus"], numberOf),
    sysctls: recordOf(row["sysctls"], textOf),
    numbers: { given: recordOf(numbers["given"], numberOf), last: numberOf(numbers["last"]) },
    tables: recordOf(row["tables"], tableOf),
    bird: typeof row["bird"] === "string" ? row["bird"] : undefined,
  };
}

function tableOf(value: unknown): TableMade {
  const row = rowOf(value);
  return { text: textOf(row["text"]), listing: textOf(row["listing"]) };
}

function recordOf<Value>(value: unknown, of: (value: unknown) => Value): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(rowOf(value)).map(([key, item]) => [key, of(item)]));
}
