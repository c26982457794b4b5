/**
 * What is to be told to the server and was not taken yet: transitions and minutes, in memory and, line by line, on
 * disk, so that neither a server that is away nor an agent that is restarted loses them. It is bounded: past that the
 * oldest minutes go, and then the oldest transitions.
 */

import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Minute, Transition } from "../../contract/health.ts";

export type Item =
  | { readonly kind: "transition"; readonly value: Transition }
  | { readonly kind: "minute"; readonly value: Minute };

/** Items: a day of minutes of 140 interconnects, or some 60 MB on disk. */
export const MOST_ITEMS = 200_000;

export class Spool {
  readonly #file: string;
  readonly #most: number;
  readonly #complain: (sentence: string) => void;
  #items: Item[] = [];
  /** Lines in the file, of which the first ones may have been taken already. */
  #lines = 0;
  #dropped = 0;
  #isBroken = false;

  /** Begins with what an earlier run left. `complain` hears once of a disk that takes nothing. */
  constructor(directory: string, complain: (sentence: string) => void, most: number = MOST_ITEMS) {
    this.#file = join(directory, "spool.jsonl");
    this.#most = most;
    this.#complain = complain;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#items = readItems(this.#file);
    this.#lines = this.#items.length;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Items that had to go untold since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  add(items: readonly Item[]): void {
    if (items.length === 0) return;
    this.#items.push(...items);
    if (this.#items.length > this.#most) this.#shrink();
    else {
      this.#lines += items.length;
      this.#write(() => appendFileSync(this.#file, textOf(items), { mode: 0o600 }));
    }
  }

  /** The oldest items, as many as one report takes. */
  next(most: number): readonly Item[] {
    return this.#items.slice(0, most);
  }

  /** These, which `next` gave, were taken, or can never be. */
  taken(items: readonly Item[]): void {
    const gone = new Set(items);
    this.#items = this.#items.filter((item) => !gone.has(item));
    // The file is written anew when most of it was told: an earlier end of the agent tells those twice, which is no harm.
    if (this.#items.length === 0 ? this.#lines > 0 : this.#lines > 1000 + 2 * this.#items.length)
      this.#rewrite();
  }

  #shrink(): void {
    const keep = Math.floor(this.#most * 0.9);
    let excess = this.#items.length - keep;
    this.#dropped += excess;
    this.#items = this.#items.filter(({ kind }) => kind === "transition" || excess-- <= 0);
    if (this.#items.length > keep) this.#items = this.#items.slice(this.#items.length - keep);
    this.#rewrite();
  }

  #rewrite(): void {
    this.#write(() => {
      const next = `${this.#file}.next`;
      writeFileSync(next, textOf(this.#items), { mode: 0o600 });
      renameSync(next, this.#file);
      this.#lines = this.#items.length;
    });
  }

  /** What cannot be written stays in memory. */
  #write(write: () => void): void {
    try {
      write();
      this.#isBroken = false;
    } catch (error) {
      if (!this.#isBroken)
        this.#complain(
          `What is to be reported is kept in memory alone: ${error instanceof Error ? error.message : error}`,
        );
      this.#isBroken = true;
    }
  }
}

function textOf(items: readonly Item[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join("");
}

/** A line that was not finished, as at a loss of power, is left out. */
function readItems(file: string): Item[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      const { kind, value } = JSON.parse(line);
      return kind === "transition" || kind === "minute" ? [{ kind, value }] : [];
    } catch {
      return [];
    }
  });
}
