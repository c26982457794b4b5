/** The address of a database, as operators give it. */

import { ConfigError } from "./config-error.ts";

/** Throws `ConfigError` if it is none. `as` is what the person wrote it as, such as `--database`. */
export function readDatabaseUrl({ text, as }: { readonly text: string; readonly as: string }): string {
  if (/^postgres(?:ql)?:\/\/[^/]/.test(text) && URL.canParse(text)) return text;
  throw new ConfigError(
    `${as} must be the address of a PostgreSQL database, such as postgres://patchbay:secret@db.example.net/patchbay.`,
  );
}

/** Where a database is, in words that tell no password. */
export function placeOfUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** Throws `ConfigError` where a directory and a database are typed at once. */
export function refuseBoth(data: string | undefined, database: string | undefined): void {
  if (data !== undefined && database !== undefined)
    throw new ConfigError("--data and --database are both given: the data live in one of them.");
}
