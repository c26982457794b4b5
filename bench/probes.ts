/** How many probes an edge sends and matches, what that costs, and how late they are. As root: `node bin/run.js bench/probes.ts`. */

import { Commands } from "../src/edge/kernel/commands.ts";
import { reflector } from "./reflecting.ts";
import type { Row } from "./row.ts";

interface Measured {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** Of one core. */
  readonly core: number;
  readonly lateness: { readonly median: number; readonly p99: number; readonly most: number };
  readonly roundTrip: { readonly median: number; readonly p99: number };
  /** MiB. */
  readonly memory: number;
}

/** Seconds. */
const MEASURED = 5;

async function measure(interconnects: number, interval: number): Promise<Measured> {
  await using far = await reflector();
  const program = new URL("probing.ts", import.meta.url).pathname;
  const args = [program, ...[interconnects, interval, MEASURED].map(String)];
  return JSON.parse(await new Commands(far.namespace).run(process.execPath, args));
}

/** Rows of the table of `npm run bench`. */
export async function probeRows(): Promise<Row[]> {
  const calm = await measure(1_000, 1_000);
  const much = await measure(4_000, 100);
  const number = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 0 });
  const percent = (core: number) => `${(core * 100).toFixed(0)} % of a core`;
  return [
    {
      what: "1,000 interconnects probed every second: how late a probe is sent, p99",
      ours: `${calm.lateness.p99.toFixed(2)} ms`,
      against: `median ${calm.lateness.median.toFixed(2)} ms, ${percent(calm.core)}, round trip ${calm.roundTrip.median.toFixed(2)} ms, ${calm.lost} lost, ${number(calm.memory)} MiB`,
      ratio: "",
      goal: "under 5 ms",
      reached: calm.lateness.p99 < 5 && calm.lost === 0,
    },
    {
      what: "40,000 probes a second sent and matched: what that takes",
      ours: percent(much.core),
      against: `${number(much.sent)}/s sent, ${number(much.answered)}/s answered, ${much.lost} lost, ${number(much.memory)} MiB`,
      ratio: "",
      goal: "at most one core",
      reached: much.core <= 1 && much.answered >= 39_000 && much.lost === 0,
    },
  ];
}

if (import.meta.main) for (const row of await probeRows()) console.log(row);
