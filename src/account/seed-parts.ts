/** What the parts of a seed are judged and made with. */

import { show } from "../contract/check.ts";
import type { Problems } from "../contract/errors.ts";
import type { Wish } from "./decide.ts";
import type { Doc, Kind } from "./state.ts";

/** What making a world needs from outside: the time, a hash for secrets, a new epoch's random word. */
export interface SeedSources {
  readonly time: string;
  readonly hash: (secret: string) => string;
  readonly epoch: () => string;
}

export function wish(kind: Kind, id: string, doc: Doc, pointer: string): Wish {
  return { kind, slot: { kind: kind.name, id, entry: undefined }, doc, pointer };
}

/** Refuses times that no calendar has; their form the schema has judged. */
export function judgeTimes(
  times: Readonly<Record<string, string | undefined>>,
  pointer: string,
  problems: Problems,
): void {
  for (const [field, text] of Object.entries(times)) {
    const time = text === undefined ? undefined : Date.parse(text);
    const real = time !== undefined && !Number.isNaN(time) && new Date(time).toISOString().slice(0, 19);
    if (text === undefined || real === text.slice(0, 19)) continue;
    const values = () => ({ field, given: show(text), expected: "a time that there is" });
    problems.add("invalid_value", values, `${pointer}/${field}`);
  }
}

/** Refuses a second object of the same id. */
export function onlyOnce(what: string, problems: Problems): (id: string, pointer: string) => boolean {
  const seen = new Set<string>();
  return (id, pointer) => {
    if (seen.has(id))
      problems.add("invalid_seed", { detail: `There are two ${what} with the id ${id}.` }, `${pointer}/id`);
    return !seen.has(id) && seen.add(id) !== undefined;
  };
}
