/** What the bytes of a body show before they are parsed. Both scans read a body in parts, in whatever sizes. */

const QUOTE = 34;
const BACKSLASH = 92;
const LETTER_U = 117;
const COLON = 58;
const COMMA = 44;

/** Counts what a parser would have to build. On bytes that are not JSON, the counts mean nothing. */
export class Scan {
  /** The depth of the deepest object or array. */
  depth = 0;
  /** Members of all objects. */
  members = 0;
  /** Objects and arrays. */
  objects = 0;
  /** Values that another value follows. */
  commas = 0;
  /** Whether a string has a `\u` escape. */
  escapes = false;
  #open = 0;
  #quoted = false;
  #at = 0;

  /** Reads on to a position. */
  read(bytes: Uint8Array, to: number): void {
    let { depth, members, objects, commas, escapes } = this;
    let open = this.#open;
    let quoted = this.#quoted;
    let i = this.#at;
    for (; i < to; i++) {
      for (; quoted && i < to; i++) {
        const inside = bytes[i];
        if (inside === QUOTE) quoted = false;
        else if (inside === BACKSLASH) {
          i++;
          if (bytes[i] === LETTER_U) escapes = true;
        }
      }
      if (i >= to) break;
      const byte = bytes[i];
      if (byte === QUOTE) quoted = true;
      else if (byte === COLON) members++;
      else if (byte === COMMA) commas++;
      else if (byte === 123 || byte === 91) {
        objects++;
        if (++open > depth) depth = open;
      } else if (byte === 125 || byte === 93) open--;
    }
    Object.assign(this, { depth, members, objects, commas, escapes });
    this.#open = open;
    this.#quoted = quoted;
    this.#at = i;
  }
}

/** Slots for the names that were met, by their hash. */
const NAME_SLOTS = 1 << 20;

/**
 * Counts different names of members. Names that happen to have the same hash count once. `salt` is a number that clients do
 * not know, so that no client can choose names that count as one.
 */
export class NameScan {
  names = 0;
  readonly #met = new Uint8Array(NAME_SLOTS);
  readonly #salt: number;
  #hash = 0;
  #quoted = false;
  #at = 0;

  constructor(salt: number) {
    this.#salt = salt;
  }

  /** Reads on to a position. */
  read(bytes: Uint8Array, to: number): void {
    const met = this.#met;
    let hash = this.#hash;
    let quoted = this.#quoted;
    let i = this.#at;
    for (; i < to; i++) {
      for (; quoted && i < to; i++) {
        const inside = bytes[i] ?? 0;
        if (inside === QUOTE) quoted = false;
        else {
          // FNV-1a. The hash of a string that is a value is dropped with the next string.
          hash = Math.imul(hash ^ inside, 0x01000193);
          if (inside === BACKSLASH) hash = Math.imul(hash ^ (bytes[++i] ?? 0), 0x01000193);
        }
      }
      if (i >= to) break;
      const byte = bytes[i];
      if (byte === QUOTE) {
        quoted = true;
        hash = this.#salt;
      } else if (byte === COLON) {
        const slot = (hash ^ (hash >>> 12)) & (NAME_SLOTS - 1);
        if (met[slot] === 0) this.names++;
        met[slot] = 1;
      }
    }
    this.#hash = hash;
    this.#quoted = quoted;
    this.#at = i;
  }
}
