/** The process of `watching.ts`. */

import { createInterface } from "node:readline";
import { Commands } from "../../src/edge/kernel/commands.ts";
import type { ProbeTarget } from "../../src/edge/probe/targets.ts";
import { Watch } from "../../src/edge/watch.ts";
import type { Question, Saying } from "./watching.ts";

function say(saying: Saying): void {
  process.stdout.write(`${JSON.stringify(saying)}\n`);
}

const watch = new Watch({ commands: new Commands(), healthTimeScale: Number(process.argv[2]) });
watch.onTransition((transition) => say({ say: "transition", at: performance.now(), transition }));
let targets: readonly ProbeTarget[] = [];
say({ say: "ready", at: performance.now() });

for await (const line of createInterface({ input: process.stdin })) {
  const question: Question = JSON.parse(line);
  if (question.ask === "set") {
    targets = question.targets;
    watch.set(targets);
    say({ say: "ready", at: performance.now() });
    continue;
  }
  const known = targets.flatMap(({ interconnect }) => {
    const roundTrip = watch.latestRoundTrip(interconnect);
    return roundTrip === undefined ? [] : [[interconnect, roundTrip]];
  });
  say({
    say: "look",
    at: performance.now(),
    figures: watch.figures,
    states: Object.fromEntries(watch.states),
    roundTrips: Object.fromEntries(known),
    minutes: watch.takeMinutes(),
  });
}
await watch[Symbol.asyncDispose]();
