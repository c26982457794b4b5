/** The operator's sentence for a database that cannot be used. It never holds the password. */

import { ConfigError } from "../config-error.ts";
import { StoreRefused } from "../store.ts";
import { codeOf, messageOf, NoConnection } from "./failures.ts";

/**
 * Where a database is, as far as it may be shown. Throws `ConfigError` if the address is none.
 */
export function nameOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw notAnAddress();
  }
  if (!["postgres:", "postgresql:"].includes(parsed.protocol)) throw notAnAddress();
  const host = parsed.hostname || parsed.searchParams.get("host") || "localhost";
  const port = parsed.port || parsed.searchParams.get("port") || "5432";
  return `${host}:${port}${decodeURIComponent(parsed.pathname)}`;
}

function notAnAddress(): ConfigError {
  return new ConfigError(
    "The database's address must have the form postgres://user:password@host:port/name, with what is special in the password as %XX.",
  );
}

/** What to do about it, by the database's code or the network's. */
const ADVICE: Readonly<Record<string, string>> = {
  "28P01": "user or password is wrong. Mend the address.",
  "28000": "it does not let this user in from here. Mend the address, or its pg_hba.conf.",
  "3D000": "there is no such database. Make it with CREATE DATABASE, or mend the address.",
  "3F000": "there is no schema in its search_path to make tables in.",
  "42501": "the user may not do that. Patchbay needs to make tables in a schema of its own.",
  "42P07": "it holds tables of the same names that are not Patchbay's. Give Patchbay a database of its own.",
  "53300": "it takes no more connections.",
  "57P03": "it is starting or stopping. Try again in a moment.",
  "25006": "it can only be read: it is a standby. Name the primary.",
  ECONNREFUSED: "nothing listens there. Start it, or mend the address.",
  ENOTFOUND: "there is no host of this name.",
  EAI_AGAIN: "its name cannot be looked up just now.",
  ETIMEDOUT: "it does not answer.",
  EHOSTUNREACH: "there is no way to its host.",
  ENETUNREACH: "there is no way to its host.",
};

export function refusal(name: string, error: unknown): StoreRefused | ConfigError {
  if (error instanceof StoreRefused || error instanceof ConfigError) return error;
  const cause = error instanceof NoConnection ? error.cause : error;
  const reason = messageOf(cause).replace(/\.$/, "");
  const advice = ADVICE[codeOf(cause)];
  const why = advice === undefined ? `${reason}.` : `${advice} (${reason})`;
  return new StoreRefused(`The database ${name} cannot be used: ${why}`);
}
