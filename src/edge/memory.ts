/**
 * An agent works seldom and stands beside what it serves all day, so it keeps little memory: V8 is told what it cannot
 * know.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What V8 has for new objects stays 2 MB, which would otherwise grow to 64. Call it early. */
export function keepLittle(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

let collect: (() => void) | undefined;

/** Gives back what work has left behind, of which V8 does not think while nothing happens. Takes some ten milliseconds. */
export function giveBack(): void {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
    setFlagsFromString("--no-expose-gc");
  }
  collect();
}
