/**
 * The process that is measured by `probes.ts`: a `Watch` in a namespace, for so many seconds after a second of warming up.
 * Arguments: interconnects, milliseconds between the probes of each, seconds. Prints a line of JSON.
 */

import { Commands } from "../src/edge/kernel/commands.ts";
import { Watch } from "../src/edge/watch.ts";

const [interconnects = 1, interval = 1_000, seconds = 1] = process.argv.slice(2).map(Number);
await using watch = new Watch({ commands: new Commands(), healthTimeScale: 1 });
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
watch.set(
  Array.from({ length: interconnects }, (_, index) => ({
    interconnect: `interconnect-${index}`,
    device: "near",
    source: "10.0.0.1",
    destination: "10.0.0.0",
    neighbour: "10.0.0.1",
    type: "reply",
    interval,
  })),
);
await pause(2_000);
const [before, cpu, began] = [watch.figures, process.cpuUsage(), performance.now()];
await pause(seconds * 1_000);
const [after, used, took] = [watch.figures, process.cpuUsage(cpu), (performance.now() - began) / 1_000];
const roundTrips = Array.from(
  { length: interconnects },
  (_, index) => watch.latestRoundTrip(`interconnect-${index}`) ?? 0,
).toSorted((a, b) => a - b);
console.log(
  JSON.stringify({
    sent: (after.sent - before.sent) / took,
    answered: (after.answered - before.answered) / took,
    lost: after.lost - before.lost,
    core: (used.user + used.system) / 1e6 / took,
    lateness: after.lateness,
    roundTrip: { median: roundTrips[interconnects >> 1], p99: roundTrips[Math.floor(interconnects * 0.99)] },
    memory: process.memoryUsage().rss / 2 ** 20,
  }),
);
