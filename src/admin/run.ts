/** What all commands on a data directory share: where it is, what they say, how they end. */

import { ConfigError } from "../store/config-error.ts";
import { placeOfUrl, readDatabaseUrl, refuseBoth } from "../store/database-url.ts";
import { StoreRefused } from "../store/store.ts";

/** The part of the process that a command uses. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Options that say where data live. */
export interface PlaceOptions {
  readonly data?: string | undefined;
  readonly database?: string | undefined;
}

/** Where data live: in a directory, or in a PostgreSQL database. */
export type DataPlace = (
  | { readonly data: string; readonly database?: undefined }
  | { readonly database: string }
) & {
  readonly name: string;
  /** The same at the beginning of a sentence. */
  readonly what: string;
};

/** Where the data live, as `patchbay serve` finds it: what is typed, `DATABASE_URL`, `PATCHBAY_DATA`, or `./data`. */
export function dataPlace({ data, database }: PlaceOptions, environment: Environment): DataPlace {
  refuseBoth(data, database);
  const variable = data === undefined && environment["DATABASE_URL"];
  const given =
    database === undefined
      ? variable
        ? { text: variable, as: "DATABASE_URL" }
        : undefined
      : { text: database, as: "--database" };
  if (given) {
    const url = readDatabaseUrl(given);
    const name = placeOfUrl(url);
    return { database: url, name, what: `The database ${name}` };
  }
  const directory = data ?? (environment["PATCHBAY_DATA"] || "data");
  return { data: directory, name: directory, what: `The data directory ${directory}` };
}

/** The data directory, for what is done to directories alone. Throws with `instead` where a database is named. */
export function dataDirectory(options: PlaceOptions, environment: Environment, instead: string): string {
  const place = dataPlace(options, environment);
  if (place.database === undefined) return place.data;
  throw new ConfigError(`This is for data directories. ${instead} Or name a directory with --data.`);
}

/** Says what the action returns, or why it was refused. Resolves with the exit status. */
export async function run(terminal: Terminal, action: () => Promise<string>): Promise<number> {
  try {
    terminal.stdout.write(`${await action()}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StoreRefused)) throw error;
    terminal.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** RFC 3339, UTC, with microseconds as everywhere in the log. */
export function timestamp(now = new Date()): string {
  return now.toISOString().replace("Z", "000Z");
}

/** A number of things in words: `1 state`, `1,200 changes`. */
export function count(number: number, thing: string): string {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}
