/** What a server draws from outside: the time, and chance. A seed can stand in for both. */

import { hash, randomBytes, randomInt } from "node:crypto";
import { newEpoch, newSecret, type SecretPrefix } from "../store/secrets.ts";
import { type Clock, systemClock } from "./clock.ts";
import { requestIds } from "./request-id.ts";

export interface Sources {
  readonly clock: Clock;
  /** A new object's identifier: 32 hexadecimal digits. */
  readonly newId: () => string;
  /** A word that tells one history from another. */
  readonly newEpoch: () => string;
  /** A new token or key. */
  readonly newSecret: (prefix: SecretPrefix) => string;
  /** The name of a request, each time another. */
  readonly newRequestId: () => string;
}

/** The time as it is, and what nobody can guess. */
export function chance(clock: Clock = systemClock): Sources {
  return {
    clock,
    newId: () => randomBytes(16).toString("hex"),
    newEpoch: () => newEpoch(),
    newSecret: (prefix) => newSecret(prefix, randomInt),
    newRequestId: requestIds(randomBytes),
  };
}

/** The moment at which every world from a seed begins. */
const BEGINNING = Date.UTC(2026, 0, 1);

/** Milliseconds that pass with each request, and with nothing else. */
const STEP = 1_000;

/**
 * Ids, secrets and time as a function of a seed and of the requests so far: what is asked in the same order
 * is answered with the same bytes. Time moves with requests rather than with the number of times that
 * something asks for it, so that it is no matter how often that is, and tokens expire and rate windows end after a
 * number of requests that can be told.
 */
export function seeded(seed: string): Sources {
  let now = BEGINNING;
  const epochs = drawing(seed, "epoch");
  const ids = drawing(seed, "id");
  const secrets = drawing(seed, "secret");
  const nextRequestId = requestIds(drawing(seed, "request"));
  return {
    clock: { now: () => now, timestamp: () => `${new Date(now).toISOString().slice(0, -1)}000Z` },
    newId: () => ids(16).toString("hex"),
    newEpoch: () => epochs(8).toString("hex"),
    // So much larger than the number of letters that each is as likely as another.
    newSecret: (prefix) => newSecret(prefix, (below) => secrets(6).readUIntBE(0, 6) % below),
    newRequestId: () => {
      now += STEP;
      return nextRequestId();
    },
  };
}

/** Bytes of a seed, for one purpose: drawing for one does not move what is drawn for another. */
function drawing(seed: string, purpose: string): (bytes: number) => Buffer {
  let drawn = 0;
  return (bytes) => hash("sha256", JSON.stringify([seed, purpose, drawn++]), "buffer").subarray(0, bytes);
}
