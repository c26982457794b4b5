/** Keeps the demonstration's credentials, which the vendor prints for everybody, on this machine alone. */

import { DIRECTORY_ID, findToken, findUser } from "../account/directory.ts";
import type { SeededState } from "../account/seed.ts";
import { State } from "../account/state.ts";
import { isLoopback } from "../contract/loopback.ts";
import { hashSecret } from "../store/secrets.ts";
import { ConfigError, nameOf, type ServerConfig } from "./config.ts";
import { demo } from "./demo.ts";

/**
 * Do the demonstration's credentials open what this directory guards? One that is disabled or expired
 * counts: a call makes it active again. Secrets that are made here are random, so none of them comes back.
 */
export function hasDemoCredentials(directory: State): boolean {
  if (demo.tokens.some((token) => findToken(directory, hashSecret(token)))) return true;
  return [demo, demo.other].some(
    ({ email, key }) => findUser(directory, email)?.doc.key_hash === hashSecret(key),
  );
}

/** How others could reach a server, in words; `undefined` if the operator asked for nothing of the kind. */
function wayIn(config: ServerConfig): string | undefined {
  const { host, publicUrl, trustProxy } = config;
  const without = (setting: "host" | "publicUrl" | "trustProxy") => `Leave ${nameOf(config, setting)} out`;
  if (!isLoopback(host)) return `listens on this machine alone, not on ${host}. ${without("host")}`;
  if (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname)) {
    return `is for this machine alone, and has no address such as ${publicUrl}. ${without("publicUrl")}`;
  }
  if (trustProxy !== undefined) {
    return `is for this machine alone, with no proxy that lets others in. ${without("trustProxy")}`;
  }
  return undefined;
}

/** Could others reach a server like this? */
export function isReachable(config: ServerConfig): boolean {
  return wayIn(config) !== undefined;
}

/** Throws `ConfigError` if others could reach what the demonstration's credentials open. */
export function refuseExposure(config: ServerConfig, directory: State): void {
  const way = wayIn(config);
  if (way === undefined || !hasDemoCredentials(directory)) return;
  throw new ConfigError(
    `The credentials of the demonstration are printed in public documentation, so a server that has them ${way}, or start from a --seed of your own in an empty --data directory.`,
  );
}

/** Throws `ConfigError` unless nobody but this machine meets ids and secrets that anybody can compute. */
export function refusePredictable(config: ServerConfig, sandbox: boolean, resumed: boolean): void {
  if (config.deterministic === undefined) return;
  const name = nameOf(config, "deterministic");
  const why = `${name} makes ids and secrets that anybody can compute`;
  if (!sandbox) throw new ConfigError(`${why}, so it needs --sandbox.`);
  const way = wayIn(config);
  if (way !== undefined) throw new ConfigError(`${why}, so a server with it ${way}, or ${name}.`);
  if (resumed) {
    throw new ConfigError(
      `${name} makes the same ids at every start, so it needs a new world: leave ${nameOf(config, "data")} out, or name an empty directory.`,
    );
  }
}

/** The directory that a world begins with. */
export function directoryOf(world: readonly SeededState[]): State {
  const state = new State(DIRECTORY_ID, "");
  for (const { id, change } of world) if (id === DIRECTORY_ID) state.apply(change.edits);
  state.restoreRevisions(state.revision, new Map());
  return state;
}
