/** Runs a generator to its end at once and returns its result: for work that can also be done in steps. */
export function runToEnd<T>(steps: Iterator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
