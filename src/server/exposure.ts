/** Keeps the demonstration's credentials, which the vendor prints for everybody, on this machine alone. */

import { DIRECTORY_ID, findToken, findUser } from "../account/directory.ts";
import type { SeededState } from "../account/seed.ts";
import { State } from "../account/state.ts";
import { hashSecret } from "../store/secrets.ts";
import { ConfigError, isLoopback } from "./config.ts";
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

/** Throws `ConfigError` if others could reach what the demonstration's credentials open. */
export function refuseExposure(host: string, directory: State): void {
  if (isLoopback(host) || !hasDemoCredentials(directory)) return;
  throw new ConfigError(
    `The credentials of the demonstration are printed in public documentation, so a server that has them listens on this machine alone, not on ${host}. Leave --host out, or start from a --seed of your own in an empty --data directory.`,
  );
}

/** The directory that a world begins with. */
export function directoryOf(world: readonly SeededState[]): State {
  const state = new State(DIRECTORY_ID, "");
  for (const { id, change } of world) if (id === DIRECTORY_ID) state.apply(change.edits);
  state.restoreRevisions(state.revision, new Map());
  return state;
}
