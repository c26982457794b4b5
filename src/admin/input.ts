/** Reads a file line by line, however long it is. */

import { closeSync, openSync, readSync } from "node:fs";
import { ConfigError } from "../store/config-error.ts";
import { messageOf } from "../store/sqlite/data-directory.ts";
import { type Line, readLine } from "./line.ts";

/** Bytes read in one go. */
const CHUNK = 1 << 20;

/** Bytes of the longest line that is read; the largest update that the API takes makes a tenth of it. */
const LONGEST = 256 << 20;

const NEWLINE = 10;

/** A line, and where it stands. */
export interface Placed<L extends Line = Line> {
  readonly line: L;
  readonly number: number;
}

/** The refusal of what stands in a line of a file. */
export function lineRefusal(file: string, number: number, message: string): ConfigError {
  return new ConfigError(`${file}:${number}: ${message}.`);
}

/** All lines of a file, each checked by its schema. Throws `ConfigError` at the first that is wrong. */
export function* readLines(file: string): Generator<Placed> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  for (const bytes of splitFile(file)) {
    number++;
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      throw lineRefusal(file, number, "this is no UTF-8");
    }
    const line = readLine(text);
    if (typeof line === "string") throw lineRefusal(file, number, line);
    yield { line, number };
  }
}

function* splitFile(file: string): Generator<Uint8Array> {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    throw new ConfigError(`${file} cannot be read: ${messageOf(error)}.`);
  }
  try {
    let begun: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const size = readSync(descriptor, chunk);
      if (size === 0) break;
      let from = 0;
      for (let to = chunk.indexOf(NEWLINE); to >= 0 && to < size; to = chunk.indexOf(NEWLINE, from)) {
        yield Buffer.concat([...begun, chunk.subarray(from, to)]);
        begun = [];
        length = 0;
        from = to + 1;
      }
      begun.push(chunk.subarray(from, size));
      length += size - from;
      if (length > LONGEST) throw new ConfigError(`${file} has a line of more than ${LONGEST} bytes.`);
    }
    if (length > 0) yield Buffer.concat(begun);
  } finally {
    closeSync(descriptor);
  }
}
