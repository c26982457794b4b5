/** Random words, and what is kept of those that are secret. */

import { hash, randomBytes, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/** The secret's SHA-256, in hex: what is stored of tokens and keys. */
export function hashSecret(secret: string): string {
  return hash("sha256", secret, "hex");
}

/** A random word that tells one history from another. */
export function newEpoch(): string {
  return randomBytes(8).toString("hex");
}

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** What a secret opens: a user's key, a user's token, an account's token, a session of the dashboard. */
export type SecretPrefix = "cfk_" | "cfut_" | "cfat_" | "pbs_";

/**
 * A new secret in the vendor's form ("Token formats" in its documentation): prefix, 40 characters, and a
 * checksum of 8 hex digits. The vendor does not publish which checksum; here it is CRC-32 of what stands before.
 * `draw` gives a number from 0 on, below the one it is given.
 */
export function newSecret(
  prefix: SecretPrefix,
  draw: (below: number) => number = (below) => randomInt(below),
): string {
  let secret: string = prefix;
  for (let count = 0; count < 40; count++) secret += LETTERS[draw(LETTERS.length)];
  return secret + crc32(secret).toString(16).padStart(8, "0");
}
