/**
 * The cooperative scheduler: long work runs in slices, so that no step holds the event loop for long.
 *
 * All tasks of the process share it. One slice runs per turn of the event loop, however many tasks wait: with
 * a plain `setImmediate` per task, the slices of all of them would run in the same turn, one after the other.
 */

/** Milliseconds that one slice may take. Half of the 20 ms that a step may take: the last unit of work overruns it. */
const SLICE = 10;

const waiting: (() => void)[] = [];
/** When this turn's slice began, by `performance.now()`: one slice for all tasks that run in the same turn. */
let began: number | undefined;

/** Resolves in a later turn of the event loop, after the tasks that asked before. */
export function nextSlice(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(runOne);
  });
}

function runOne(): void {
  const resolve = waiting.shift();
  if (waiting.length > 0) setImmediate(runOne);
  began = undefined;
  sliceBegan();
  resolve?.();
}

function sliceBegan(): number {
  if (began !== undefined) return began;
  began = performance.now();
  setImmediate(() => {
    began = undefined;
  });
  return began;
}

/** Whether this turn's slice is used up, by whichever tasks ran in it. Call it between units of work that take well under a millisecond. */
export function isSliceSpent(): boolean {
  return performance.now() - sliceBegan() >= SLICE;
}

/** Waits for the next slice if this one is used up. Test `isSliceSpent` first in hot loops: an `await` has a cost. */
export async function pause(): Promise<void> {
  if (isSliceSpent()) await nextSlice();
}

/** Runs a generator to its end and returns its result. It should yield after each small unit of work. */
export async function runInSlices<T>(steps: Iterator<unknown, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (isSliceSpent()) await nextSlice();
  }
}
