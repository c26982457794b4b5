/** The prefixes that a customer may use besides the private ranges, parsed once for each version of the settings. */

import {
  contains,
  formatPrefix,
  network,
  type Prefix4,
  parsePrefix,
  parsePrefix4,
} from "../contract/addresses.ts";

/** Prefixes that are listed in a message, which is cut at 400 characters. */
const MOST_SHOWN = 16;

/** A set of IPv4 prefixes that answers in logarithmic time. */
export class PrefixSet {
  /** By first address. Prefixes are nested or disjoint: of nested ones only the outermost is here. */
  readonly #outermost: Prefix4[] = [];

  constructor(prefixes: Iterable<Prefix4>) {
    const networks = [...prefixes].flatMap((prefix) => {
      const clear = network(prefix);
      return clear.family === 4 ? [clear] : [];
    });
    for (const prefix of networks.sort((a, b) => a.address - b.address || a.length - b.length)) {
      const last = this.#outermost.at(-1);
      if (!last || !contains(last, prefix)) this.#outermost.push(prefix);
    }
  }

  /** Does one of the prefixes contain every address of this one? Two neighbors that do so together do not count. */
  contains(prefix: Prefix4): boolean {
    let low = 0;
    let high = this.#outermost.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#outermost[middle]?.address ?? 0) <= prefix.address) low = middle + 1;
      else high = middle;
    }
    const candidate = this.#outermost[low - 1];
    return candidate !== undefined && contains(candidate, prefix);
  }
}

interface Authorized {
  readonly set: PrefixSet;
  /** The first of them, for messages. */
  readonly shown: string;
}

/** By the list of a settings document, which is never changed in place. */
const parsed = new WeakMap<readonly string[], Authorized>();

/** What is no prefix is left out: `judgeSettings` refuses it. */
export function authorizedOf(prefixes: readonly string[]): Authorized {
  const known = parsed.get(prefixes);
  if (known) return known;
  const made = { set: new PrefixSet(parseAll(prefixes)), shown: show(prefixes) };
  parsed.set(prefixes, made);
  return made;
}

function* parseAll(texts: readonly string[]): Generator<Prefix4> {
  for (const text of texts) {
    const prefix = parsePrefix4(text);
    if (prefix) yield prefix;
  }
}

function show(prefixes: readonly string[]): string {
  const more = prefixes.length - MOST_SHOWN;
  const first = prefixes.slice(0, MOST_SHOWN).flatMap((text) => {
    const prefix = parsePrefix(text);
    return prefix ? [formatPrefix(prefix)] : [];
  });
  return first.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
