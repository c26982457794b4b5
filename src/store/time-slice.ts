/**
 * The cooperative scheduler: long work runs in slices, so that no step holds the event loop for long.
 *
 * All tasks of the process share it. One slice runs per turn of the event loop, however many tasks wait: with
 * a plain `setImmediate` per task, the slices of all of them would run in the same turn, one after the other. As many tasks
 * run in a slice as fit, in the order in which they asked: a thousand short ones do not keep a long one from its turn.
 */

/** Milliseconds that one slice may take. Half of the 20 ms that a step may take: the last unit of work overruns it. */
const SLICE = 10;

interface Waiting {
  readonly resolve: () => void;
  /** Does the task need a slice from its beginning? */
  readonly isFresh: boolean;
}

const waiting: Waiting[] = [];
/** Is a slice running, or about to? */
let isScheduled = false;
/** When this turn's slice began, by `performance.now()`: one slice for all tasks that run in the same turn. */
let began: number | undefined;

/** Resolves in a slice with time left, after the tasks that waited before. */
export function nextSlice(): Promise<void> {
  return new Promise((resolve) => wait({ resolve, isFresh: false }));
}

/** Resolves at the beginning of a slice: for a step that cannot be divided and takes a slice or more. */
export function freshSlice(): Promise<void> {
  return new Promise((resolve) => wait({ resolve, isFresh: true }));
}

function wait(task: Waiting): void {
  waiting.push(task);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(beginSlice);
}

function beginSlice(): void {
  began = undefined;
  sliceBegan();
  runNext();
}

function runNext(): void {
  waiting.shift()?.resolve();
  // Microtasks run before the next tick: by then the task has run until it waits again.
  queueMicrotask(() => process.nextTick(goOn));
}

function goOn(): void {
  const [next] = waiting;
  if (!next) isScheduled = false;
  else if (next.isFresh || isSliceSpent()) setImmediate(beginSlice);
  else runNext();
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
