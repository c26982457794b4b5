/** The process of `watching.ts`. */

import { createInterface } from "node:readline";
import type { Clock } from "../../src/edge/clock.ts";
import { Commands } from "../../src/edge/kernel/commands.ts";
import type { ProbeTarget } from "../../src/edge/probe/targets.ts";
import { Watch } from "../../src/edge/watch.ts";
import type { Question, Saying } from "./watching.ts";

function say(saying: Saying): void {
  process.stdout.write(`${JSON.stringify(saying)}\n`);
}

const jumped = { monotonic: 0, wall: 0 };
const clock: Clock = {
  monotonic: () => performance.now() + jumped.monotonic,
  wall: () => Date.now() + jumped.wall,
};
const watch = new Watch({ commands: new Commands(), healthTimeScale: Number(process.argv[2]), clock });
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
  if (question.ask === "jump") {
    jumped.monotonic += question.monotonic;
    jumped.wall += question.wall;
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
