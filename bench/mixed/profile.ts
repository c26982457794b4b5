/** Describes what a step of the event loop did, by the samples of a CPU profile. */

import type { Profiler } from "node:inspector";

/** A step of the event loop: start and end in microseconds of the profiler's clock, and its CPU time. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly milliseconds: number;
}

/** Functions that a description names. */
const NAMED = 12;

/** The functions that were on the stack in most samples of the span, each with its share of the samples. */
export function describeStall(profile: Profiler.Profile, { start, end, milliseconds }: Span): string {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const inclusive = new Map<string, number>();
  const self = new Map<string, number>();
  const add = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  let samples = 0;
  let time = profile.startTime;
  const { samples: ids = [], timeDeltas = [] } = profile;
  for (const [index, leaf] of ids.entries()) {
    time += timeDeltas[index] ?? 0;
    if (time < start || time > end) continue;
    samples++;
    const stack = new Set<string>();
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const node = nodes.get(id);
      if (node) stack.add(nameOf(node));
      if (node && id === leaf) add(self, nameOf(node));
    }
    for (const name of stack) add(inclusive, name);
  }
  const rank = (counts: Map<string, number>, wanted: (name: string) => boolean, most: number) =>
    [...counts]
      .filter(([name]) => wanted(name))
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([name, count]) => `${Math.round((100 * count) / samples)} % ${name}`)
      .join(", ");
  const own = rank(inclusive, (name) => name.includes(" src/"), NAMED);
  return `${milliseconds.toFixed(0)} ms CPU, ${((end - start) / 1_000).toFixed(0)} ms: on the stack ${own || "no function of the server"}; itself ${rank(self, () => true, 5)}`;
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: Profiler.ProfileNode): string {
  const file = /\/(src\/.+)$/.exec(url)?.[1] ?? /node_modules\/(.+)$/.exec(url)?.[1] ?? url;
  return `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}:${lineNumber + 1}`}`;
}
