/** Carries the lines of dumps and archives into a database, and refuses what one line tells to be wrong. */

import { DIRECTORY_ID, directoryKinds } from "../account/directory.ts";
import { kinds } from "../account/kinds.ts";
import type { ChangeRecord } from "../contract/log.ts";
import type { ConfigError } from "../store/config-error.ts";
import type { Filling } from "../store/sqlite/filling.ts";
import { lineRefusal, type Placed, readLines } from "./input.ts";
import { type EndLine, FORMAT, type ObjectLine, type RowLine, type StateLine } from "./line.ts";

/** The changes of a state that one file tells. */
export interface Told {
  readonly file: string;
  readonly line: StateLine;
  /** The number of the state's line. Its changes are on the next lines, then its objects. */
  readonly at: number;
}

const ofDirectory = new Set(directoryKinds.map(({ name }) => name));

/** Is what the kind names something that a state of this id may hold? */
function mayHold(state: string, kind: string): boolean {
  return kinds.has(kind) && ofDirectory.has(kind) === (state === DIRECTORY_ID);
}

export class Loading {
  readonly #filling: Filling;
  readonly #archived: Told[] = [];

  constructor(filling: Filling) {
    this.#filling = filling;
  }

  /** What the archives told, in the order in which it was read. */
  get archived(): readonly Told[] {
    return this.#archived;
  }

  readArchive(file: string): void {
    this.#archived.push(...new Reader(this.#filling, file, "archive").read());
  }

  readDump(file: string): readonly Told[] {
    const told = new Reader(this.#filling, file, "world").read();
    if (!told.some(({ line }) => line.id === DIRECTORY_ID))
      throw lineRefusal(file, 1, "the dump holds no directory, so nobody could use it");
    return told;
  }
}

/** Reads one file. */
class Reader {
  readonly #filling: Filling;
  readonly #file: string;
  readonly #holds: "world" | "archive";
  readonly #told = new Map<string, Told>();
  readonly #counts = { states: 0, changes: 0, objects: 0, rows: 0 };
  /** The state whose lines are being read. */
  #current: Told | undefined;
  /** The revision of its last change that was read. */
  #revision = 0;

  constructor(filling: Filling, file: string, holds: "world" | "archive") {
    this.#filling = filling;
    this.#file = file;
    this.#holds = holds;
  }

  read(): readonly Told[] {
    let last: Placed | undefined;
    for (const placed of readLines(this.#file)) {
      if (last?.line.type === "end") throw this.#refusal(placed, "there is something after the end");
      if (!last) this.#begin(placed);
      else this.#take(placed);
      last = placed;
    }
    if (last?.line.type !== "end")
      throw lineRefusal(
        this.#file,
        (last?.number ?? 0) + 1,
        "the file ends here, before its end: it was cut off",
      );
    return [...this.#told.values()];
  }

  #refusal({ number }: Placed, message: string): ConfigError {
    return lineRefusal(this.#file, number, message);
  }

  #begin(placed: Placed): void {
    const { line } = placed;
    if (line.type !== "header")
      throw this.#refusal(placed, "the first line is no header, so this is no dump");
    if (line.format !== FORMAT)
      throw this.#refusal(placed, `the dump is of format ${line.format}, but this version reads ${FORMAT}`);
    if (line.holds !== this.#holds) {
      const hint =
        line.holds === "archive"
          ? "this is an archive: name it with --archive, and a dump with --from"
          : "this is a dump, not an archive: name it with --from";
      throw this.#refusal(placed, hint);
    }
  }

  #take(placed: Placed): void {
    const { line } = placed;
    if (line.type === "state") this.#takeState(placed, line);
    else if (line.type === "change") this.#takeChange(placed, line.record);
    else if (line.type === "object") this.#takeObject(placed, line);
    else if (line.type === "row") this.#takeRow(placed, line);
    else if (line.type === "end") this.#takeEnd(placed, line);
    else throw this.#refusal(placed, "there is a header before");
  }

  #takeState(placed: Placed, line: StateLine): void {
    this.#closeLog(placed);
    if (this.#counts.rows > 0) throw this.#refusal(placed, "a state stands before the rows of other tables");
    if (this.#told.has(line.id))
      throw this.#refusal(placed, `the state ${line.id} stands in the file already`);
    // A state that was made and never changed has no log.
    if (line.after > Math.max(line.revision - 1, 0))
      throw this.#refusal(
        placed,
        "the newest change of a state is always told, so after is less than revision",
      );
    if (this.#holds === "world") {
      if (!line.collections) throw this.#refusal(placed, "there are no collections");
      for (const kind of Object.keys(line.collections))
        if (!mayHold(line.id, kind)) throw this.#refusal(placed, unknownKind(kind));
      this.#filling.state({ ...line, collections: line.collections });
    }
    this.#current = { file: this.#file, line, at: placed.number };
    this.#told.set(line.id, this.#current);
    this.#revision = line.after;
    this.#counts.states++;
  }

  /** All changes of the current state must have been told before what follows them. */
  #closeLog(placed: Placed): void {
    const current = this.#current?.line;
    if (!current || this.#revision === current.revision) return;
    throw this.#refusal(
      placed,
      `change ${this.#revision + 1} of the state ${current.id} is missing before this`,
    );
  }

  #takeChange(placed: Placed, record: ChangeRecord): void {
    const current = this.#current?.line;
    if (!current) throw this.#refusal(placed, "a change stands after the line of its state");
    if (this.#revision === current.revision)
      throw this.#refusal(
        placed,
        `the state ${current.id} ends at revision ${current.revision}, before this change`,
      );
    if (record.revision !== this.#revision + 1)
      throw this.#refusal(
        placed,
        `the change has revision ${record.revision}, but ${this.#revision + 1} is next`,
      );
    const strange = record.objects.find(({ kind }) => !mayHold(current.id, kind));
    if (strange) throw this.#refusal(placed, unknownKind(strange.kind));
    if (!this.#filling.change(current.id, record))
      throw this.#refusal(
        placed,
        `another file tells another change of revision ${record.revision}: they are of two histories`,
      );
    this.#revision++;
    this.#counts.changes++;
  }

  #takeObject(placed: Placed, line: ObjectLine): void {
    this.#closeLog(placed);
    const current = this.#current?.line;
    if (!current || this.#holds === "archive")
      throw this.#refusal(placed, "an object stands after the changes of its state, and never in an archive");
    if (!mayHold(current.id, line.kind)) throw this.#refusal(placed, unknownKind(line.kind));
    if (line.revision > current.revision)
      throw this.#refusal(
        placed,
        `the object is of revision ${line.revision}, but its state stands at ${current.revision}`,
      );
    if (!this.#filling.object(current.id, line))
      throw this.#refusal(placed, `the ${line.kind} ${line.id} stands in this state already`);
    this.#counts.objects++;
  }

  #takeRow(placed: Placed, { table, values }: RowLine): void {
    this.#closeLog(placed);
    if (this.#holds === "archive") throw this.#refusal(placed, "an archive holds changes alone");
    const wrong = this.#filling.row(table, values);
    if (wrong !== undefined) throw this.#refusal(placed, wrong);
    this.#counts.rows++;
  }

  #takeEnd(placed: Placed, line: EndLine): void {
    this.#closeLog(placed);
    for (const [thing, read] of Object.entries(this.#counts)) {
      const told = Object.entries(line).find(([name]) => name === thing)?.[1];
      if (told !== read)
        throw this.#refusal(placed, `the file should hold ${told} ${thing}, but holds ${read}`);
    }
  }
}

function unknownKind(kind: string): string {
  return `a state of this sort holds no objects of the kind ${kind}, as far as this version of Patchbay knows`;
}
