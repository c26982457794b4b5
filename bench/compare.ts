/** Pairs of servers, measured in turn in the same run, as rows of the table that the run ends with. */

import { type Figures, Loop, mean, median, milliseconds, percentile, times } from "./load.ts";
import { readOptions } from "./options.ts";
import type { Row } from "./row.ts";

/** `--quick` measures less, to see that the benchmark works. */
export const { quick } = readOptions({ quick: true });
export const ROUNDS = quick ? 2 : 7;
export const SECONDS = quick ? 0.5 : 1.5;
/** Seconds that one of two servers is driven before it is the other's turn. */
export const TURN = 0.1;
export const BULKS = quick ? 2 : 5;

export const rows: Row[] = [];

/** Adds a row. Ratios are told as median (least to most) of the rounds. */
export function tell(
  what: string,
  ours: string,
  against: string,
  ratios: readonly number[],
  goal = "",
  reached: ((ratio: number) => boolean) | undefined = undefined,
): void {
  const middle = median(ratios);
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  rows.push({
    what,
    ours,
    against,
    ratio: `${middle.toFixed(2)} (${spread})`,
    goal,
    reached: reached?.(middle),
  });
  process.stderr.write(`${what}: ${ours}; ${against}; ratio ${middle.toFixed(2)} (${spread}) ${goal}\n`);
}

export function mustBeOk(figures: Figures): Figures {
  const wrong = Object.entries(figures.statuses).filter(([status]) => status !== "200");
  if (wrong.length > 0) throw new Error(`Answers other than 200: ${JSON.stringify(wrong)}`);
  return figures;
}

const rate = (figures: Figures) => figures.requests / figures.seconds;

/** Closed-loop throughput of two servers, in turns so short that what disturbs the machine disturbs both. */
export async function compareRates(
  what: string,
  [ours, name, theirs]: readonly [number, string, number],
  connections: number,
  next: (turn: number) => Buffer,
  goal = "",
  least?: number,
): Promise<void> {
  const pairs: [number, number][] = [];
  const loops = [
    await Loop.open(ours, connections, next),
    await Loop.open(theirs, connections, next),
  ] as const;
  // What is compiled while it runs has to have run.
  for (const loop of loops) await loop.run(2 * SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    const mine: number[] = [];
    const other: number[] = [];
    for (let turns = 0; turns < SECONDS / TURN; turns++) {
      mine.push(rate(mustBeOk(await loops[0].run(TURN))));
      other.push(rate(mustBeOk(await loops[1].run(TURN))));
    }
    pairs.push([mean(mine), mean(other)]);
  }
  for (const loop of loops) loop.close();
  const [mine, other] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  const ratios = pairs.map(([a, b]) => a / b);
  tell(
    what,
    `${Math.round(mine)}/s`,
    `${name} ${Math.round(other)}/s`,
    ratios,
    goal,
    least === undefined ? undefined : (ratio) => ratio >= least,
  );
}

/** One request at a time against two servers in turn: how many times as long. */
export async function compareTimes(
  what: string,
  [ours, name, theirs]: readonly [number, string, number],
  count: number,
  next: () => Buffer,
): Promise<void> {
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const mine = percentile(mustBeOk(await times(ours, Array.from({ length: count }, next))), 0.5);
    pairs.push([mine, percentile(await times(theirs, Array.from({ length: count }, next)), 0.5)]);
  }
  const [mine, other] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  tell(
    what,
    milliseconds(mine),
    `${name} ${milliseconds(other)}`,
    pairs.map(([a, b]) => a / b),
  );
}
