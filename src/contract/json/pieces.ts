/**
 * Parses JSON piece by piece, so that the parser of a large body can be interrupted.
 *
 * One pass over the bytes finds where objects and arrays begin and end. An object or array that outgrows a piece is built from
 * its elements: runs of complete elements go to `JSON.parse`, which judges everything but the brackets. A value is
 * JSON exactly if its brackets match, all its pieces are JSON, and single commas separate them.
 */

/** Bytes of a run of elements that is parsed at once: about 1 ms. */
const PIECE = 32 * 1024;
/** Bytes between two steps. */
const STEP = 64 * 1024;

type Members = Record<string, unknown>;

export interface Pieces {
  readonly value: unknown;
  /** Members of all objects, those with a repeated name once. */
  readonly members: number;
  /** The objects and arrays that outgrew a piece. */
  readonly large: ReadonlySet<unknown>;
}

/** An object or array that is open. */
interface Open {
  readonly isArray: boolean;
  /** Where it begins. */
  readonly start: number;
  /** Where the elements begin that are not parsed yet. */
  from: number;
  /** The last comma since then. */
  comma: number;
  /** Where a large element ended, if nothing but blanks was read since then. */
  after: number | undefined;
  /** What it is built from, once it outgrew a piece. */
  target: unknown[] | Members | undefined;
}

class NotJson extends Error {}

/** Parses a body. Returns `undefined` for one that is not JSON, or not UTF-8. */
export function* parsePieces(bytes: Uint8Array, piece = PIECE): Generator<undefined, Pieces | undefined> {
  try {
    return yield* new PieceParser(bytes, piece).run();
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}

class PieceParser {
  readonly #bytes: Uint8Array;
  readonly #piece: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #open: Open[] = [];
  readonly #large = new Set<unknown>();
  #members = 0;

  constructor(bytes: Uint8Array, piece: number) {
    this.#bytes = bytes;
    this.#piece = piece;
  }

  *run(): Generator<undefined, Pieces> {
    const bytes = this.#bytes;
    const end = bytes.length;
    let quoted = false;
    let next = STEP;
    for (let i = 0; i < end; i++) {
      if (i >= next) {
        next = i + STEP;
        yield;
      }
      const byte = bytes[i];
      if (quoted) {
        if (byte === 34) quoted = false;
        else if (byte === 92) i++;
      } else if (byte === 34) quoted = true;
      else if (byte === 123 || byte === 91) {
        const isArray = byte === 91;
        this.#open.push({ isArray, start: i, from: i + 1, comma: -1, after: undefined, target: undefined });
      } else if (byte === 44) this.#comma(i);
      else if (byte === 125 || byte === 93) {
        const closed = this.#open.pop();
        if (!closed || closed.isArray !== (byte === 93)) throw new NotJson();
        if (closed.target) this.#close(closed, i);
        if (this.#open.length === 0 && closed.target) {
          // The top of a body of several pieces: only blanks may surround it.
          this.#parse("", 0, closed.start, "[]");
          this.#parse("[]", i + 1, end, "");
          return this.#done(closed.target);
        }
      }
    }
    const value = this.#parse("", 0, end, "");
    this.#count(value);
    return this.#done(value);
  }

  #done(value: unknown): Pieces {
    return { value, members: this.#members, large: this.#large };
  }

  #comma(at: number): void {
    const open = this.#open.at(-1);
    if (!open) throw new NotJson();
    if (open.after !== undefined) {
      this.#parse("[]", open.after, at, "");
      open.after = undefined;
      open.from = at + 1;
      open.comma = -1;
    } else if (at - open.from >= this.#piece) {
      this.#add(open, at);
      open.from = at + 1;
      open.comma = -1;
    } else open.comma = at;
  }

  /** Ends an object or array that outgrew a piece. */
  #close(closed: Open, at: number): void {
    const { target, after } = closed;
    if (after === undefined) this.#add(closed, at);
    else this.#parse("[]", after, at, "");
    if (!Array.isArray(target)) this.#members += Object.keys(target ?? {}).length;
    const holder = this.#open.at(-1);
    if (!holder) return;
    if (holder.after !== undefined) throw new NotJson();
    const own = this.#targetOf(holder);
    if (holder.comma >= holder.from) this.#add(holder, holder.comma);
    const from = holder.comma >= holder.from ? holder.comma + 1 : holder.from;
    if (Array.isArray(own)) {
      this.#parse("[", from, closed.start, "[]]");
      own.push(target);
    } else {
      const [name] = Object.keys(this.#parse("{", from, closed.start, "[]}") as Members);
      set(own, name ?? "", target);
    }
    holder.after = at + 1;
  }

  /** Parses the elements up to a position and adds them. There must be one. */
  #add(open: Open, to: number): void {
    const target = this.#targetOf(open);
    if (Array.isArray(target)) {
      const elements = this.#parse("[", open.from, to, "]") as unknown[];
      if (elements.length === 0) throw new NotJson();
      for (const element of elements) {
        this.#count(element);
        target.push(element);
      }
    } else {
      const members = Object.entries(this.#parse("{", open.from, to, "}") as Members);
      if (members.length === 0) throw new NotJson();
      for (const [name, value] of members) {
        this.#count(value);
        set(target, name, value);
      }
    }
  }

  #targetOf(open: Open): unknown[] | Members {
    if (!open.target) {
      open.target = open.isArray ? [] : {};
      this.#large.add(open.target);
    }
    return open.target;
  }

  #parse(before: string, from: number, to: number, after: string): unknown {
    try {
      return JSON.parse(before + this.#decoder.decode(this.#bytes.subarray(from, to)) + after);
    } catch {
      // Not UTF-8 (a TypeError of the decoder), or a SyntaxError.
      throw new NotJson();
    }
  }

  #count(value: unknown): void {
    this.#members += countMembers(value);
  }
}

/** Sets a member as `JSON.parse` does, by whatever name. */
function set(target: Members, name: string, value: unknown): void {
  if (name !== "__proto__") target[name] = value;
  else Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Members of all objects in a value. */
export function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item);
    return members;
  }
  for (const item of Object.values(value)) members += 1 + countMembers(item);
  return members;
}
