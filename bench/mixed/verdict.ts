/** Judges a run of the mixed load by its samples. Pure. */

/** Highest allowed ratio of RSS in the last fifth of the run to the second fifth. The first fifth is the warm-up. */
export const MOST_GROWTH = 1.1;
/** Milliseconds of CPU time of the longest allowed step of the event loop. */
export const LONGEST_STALL = 50;
/** Fewer samples than in ten minutes: memory is not judged, since caches fill in the first two minutes. */
export const LEAST_SAMPLES = 60;

export interface Sample {
  /** Bytes. */
  readonly rss: number;
  readonly heapAfterCollection: number | undefined;
  readonly stall: number;
}

export interface Outcome {
  readonly samples: readonly Sample[];
  /** Responses with a status from 500 on. */
  readonly serverErrors: number;
  /** Requests of well-behaved clients without a response. */
  readonly unanswered: number;
  /** Acknowledged updates of one interconnect, and those of them that are not in the log exactly once. */
  readonly acknowledged: number;
  readonly lost: number;
  /** Changes whose deadline passed, and those of them that were not rolled back exactly once. */
  readonly expired: number;
  readonly notRolledBack: number;
}

/** A line of the verdict. If `reached` is `undefined`, the figure is not judged. */
export interface Line {
  readonly text: string;
  readonly reached: boolean | undefined;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean of the last fifth over mean of the second fifth. */
export function growth(values: readonly number[]): number {
  const fifth = Math.max(1, Math.floor(values.length / 5));
  return mean(values.slice(-fifth)) / mean(values.slice(fifth, 2 * fifth));
}

export function judgeRun(outcome: Outcome): Line[] {
  const { samples } = outcome;
  const rss = samples.map((sample) => sample.rss);
  const heaps = samples.map((sample) => sample.heapAfterCollection).filter((heap) => heap !== undefined);
  const at = (share: number) => megabytes(rss[Math.min(rss.length - 1, Math.floor(rss.length * share))] ?? 0);
  const isLong = samples.length >= LEAST_SAMPLES;
  const grown = growth(rss);
  const stalls = samples.map(({ stall }) => stall);
  const longest = Math.max(...stalls);
  const over = stalls.filter((stall) => stall > LONGEST_STALL).length;
  const rssLine = `memory: RSS ${at(0.25)} at 25 %, ${at(1)} at the end; last fifth over second fifth ${grown.toFixed(2)}, at most ${MOST_GROWTH}`;
  return [
    isLong
      ? { text: rssLine, reached: grown <= MOST_GROWTH }
      : {
          text: `${rssLine}; not judged in a run with fewer than ${LEAST_SAMPLES} samples`,
          reached: undefined,
        },
    {
      text:
        heaps.length < 2
          ? "heap after full collections: fewer than two samples"
          : `heap after full collections: last fifth over second fifth ${growth(heaps).toFixed(2)}, at the end ${megabytes(heaps.at(-1) ?? 0)}`,
      reached: undefined,
    },
    {
      text: `longest step of the event loop: ${longest.toFixed(0)} ms of CPU time, at most ${LONGEST_STALL} ms; longer in ${over} of ${stalls.length} samples`,
      reached: longest <= LONGEST_STALL,
    },
    { text: `responses with a 5xx status: ${outcome.serverErrors}`, reached: outcome.serverErrors === 0 },
    { text: `requests without a response, hostile clients aside: ${outcome.unanswered}`, reached: undefined },
    {
      text: `acknowledged updates: ${outcome.acknowledged}, not in the log exactly once: ${outcome.lost}`,
      reached: outcome.lost === 0,
    },
    {
      text: `changes that ran out: ${outcome.expired}, not rolled back exactly once: ${outcome.notRolledBack}`,
      reached: outcome.notRolledBack === 0,
    },
  ];
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
