/** What is due when: a heap, of which the earliest is always at hand. */

export interface Due {
  /** Milliseconds of the clock that the schedule is of. */
  at: number;
}

export class Schedule<T extends Due> {
  readonly #heap: T[] = [];

  /** When the earliest is due; `Infinity` if there is none. */
  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  add(due: T): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above];
      if (other === undefined || other.at <= due.at) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = due;
  }

  /** Takes the earliest out, if it is due by then. */
  take(now: number): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first;
  }

  /** Lets `due` fall from the top to its place. */
  #sink(due: T): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      if (left === undefined) break;
      const below = right !== undefined && right.at < left.at ? 2 * at + 2 : 2 * at + 1;
      const child = heap[below];
      if (child === undefined || child.at >= due.at) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = due;
  }
}
