/**
 * Probes that are on their way. Kept in arrays of numbers, by place: at 40,000 a second an object for each would be
 * most of what there is to clean up. A place and the random word in it are what an answer is known by.
 */

import { randomFillSync } from "node:crypto";

/** Milliseconds of the wheel on which deadlines stand; none is further away than that. */
const WHEEL = 2_048;
const NONE = -1;

/** Random words, many at a time. */
class RandomWords {
  readonly #words = new Uint32Array(4_096);
  #next = this.#words.length;

  next(): number {
    if (this.#next === this.#words.length) {
      randomFillSync(this.#words);
      this.#next = 0;
    }
    return this.#words[this.#next++] ?? 0;
  }
}

export interface Lost<T> {
  readonly owner: T;
  readonly sentAt: number;
  readonly deadline: number;
}

const nothing: readonly never[] = [];

/** `T` is what a probe is for. Times are milliseconds of one clock that never runs backwards. */
export class Outstanding<T> {
  readonly #words = new RandomWords();
  #owners: (T | undefined)[] = [];
  #cookies = new Uint32Array(0);
  #sentAt = new Float64Array(0);
  #deadlines = new Float64Array(0);
  /** Of a free place the next free one; of a taken one the next and the one before at the same mark of the wheel. */
  #next = new Int32Array(0);
  #before = new Int32Array(0);
  readonly #marks = new Int32Array(WHEEL).fill(NONE);
  #free = NONE;
  #count = 0;
  /** The wheel has been turned as far as this mark, counted from the clock's zero. */
  #turnedTo = NONE;

  get count(): number {
    return this.#count;
  }

  /** Takes a place. The deadline is at most 2 seconds away. */
  open(owner: T, now: number, deadline: number): number {
    if (this.#turnedTo === NONE || this.#count === 0) this.#turnedTo = Math.floor(now);
    if (this.#free === NONE) this.#grow();
    const slot = this.#free;
    this.#free = this.#next[slot] ?? NONE;
    this.#owners[slot] = owner;
    this.#cookies[slot] = this.#words.next();
    this.#sentAt[slot] = now;
    this.#deadlines[slot] = deadline;
    const mark = Math.floor(deadline) % WHEEL;
    const first = this.#marks[mark] ?? NONE;
    this.#next[slot] = first;
    this.#before[slot] = NONE;
    if (first !== NONE) this.#before[first] = slot;
    this.#marks[mark] = slot;
    this.#count++;
    return slot;
  }

  cookieOf(slot: number): number {
    return this.#cookies[slot] ?? 0;
  }

  sentAt(slot: number): number {
    return this.#sentAt[slot] ?? 0;
  }

  deadlineOf(slot: number): number {
    return this.#deadlines[slot] ?? 0;
  }

  /** Whose probe is at a place, if its word is this one. */
  find(slot: number, cookie: number): T | undefined {
    return slot < this.#owners.length && this.#cookies[slot] === cookie ? this.#owners[slot] : undefined;
  }

  close(slot: number): void {
    const [next, before] = [this.#next[slot] ?? NONE, this.#before[slot] ?? NONE];
    if (before === NONE) this.#marks[Math.floor(this.deadlineOf(slot)) % WHEEL] = next;
    else this.#next[before] = next;
    if (next !== NONE) this.#before[next] = before;
    this.#owners[slot] = undefined;
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.#count--;
  }

  /** Closes those whose deadline has passed, and returns them in the order of their deadlines. */
  expire(now: number): readonly Lost<T>[] {
    if (this.#count === 0) return nothing;
    const lost: Lost<T>[] = [];
    const last = Math.floor(now);
    for (let mark = Math.max(this.#turnedTo, last - WHEEL + 1); mark <= last; mark++) {
      for (let slot = this.#marks[mark % WHEEL] ?? NONE; slot !== NONE; ) {
        const next = this.#next[slot] ?? NONE;
        const [owner, deadline] = [this.#owners[slot], this.deadlineOf(slot)];
        if (owner !== undefined && deadline <= now) {
          lost.push({ owner, sentAt: this.sentAt(slot), deadline });
          this.close(slot);
        }
        slot = next;
      }
    }
    this.#turnedTo = last;
    return lost.sort((one, other) => one.deadline - other.deadline);
  }

  /** When something may be lost next: a moment not later than the next deadline. `Infinity` if nothing is on its way. */
  nextDeadline(): number {
    if (this.#count === 0) return Number.POSITIVE_INFINITY;
    for (let mark = this.#turnedTo; mark < this.#turnedTo + WHEEL; mark++) {
      if (this.#marks[mark % WHEEL] !== NONE) return Math.max(mark, this.#earliest(mark % WHEEL));
    }
    return Number.POSITIVE_INFINITY;
  }

  #earliest(mark: number): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let slot = this.#marks[mark] ?? NONE; slot !== NONE; slot = this.#next[slot] ?? NONE)
      earliest = Math.min(earliest, this.deadlineOf(slot));
    return earliest;
  }

  /** Closes all that `which` says, without telling of them. Returns how many. */
  forget(which: (owner: T) => boolean): number {
    const before = this.#count;
    this.#owners.forEach((owner, slot) => {
      if (owner !== undefined && which(owner)) this.close(slot);
    });
    return before - this.#count;
  }

  #grow(): void {
    const [old, size] = [this.#owners.length, Math.max(256, this.#owners.length * 2)];
    this.#owners = [...this.#owners, ...new Array<undefined>(size - old).fill(undefined)];
    this.#cookies = grown(this.#cookies, new Uint32Array(size));
    this.#sentAt = grown(this.#sentAt, new Float64Array(size));
    this.#deadlines = grown(this.#deadlines, new Float64Array(size));
    this.#next = grown(this.#next, new Int32Array(size));
    this.#before = grown(this.#before, new Int32Array(size));
    for (let slot = size - 1; slot >= old; slot--) {
      this.#next[slot] = this.#free;
      this.#free = slot;
    }
  }
}

function grown<A extends Uint32Array | Int32Array | Float64Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
