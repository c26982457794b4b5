/** Objects as text, each encoded once per form and kept with its version. */

import { interconnectOf } from "../account/interconnect.ts";
import { interconnectView, type TargetForm } from "../account/interconnect-view.ts";
import type { Entry } from "../account/state.ts";
import { succeed } from "./envelope.ts";

const items: Readonly<Record<TargetForm, number>> = { text: 0, object: 1 };
const answers: Readonly<Record<TargetForm, number>> = { text: 2, object: 3 };

/** The JSON of an interconnect in one of its forms. */
export function encodeInterconnect(entry: Entry, form: TargetForm): string {
  return kept(entry, items[form], () => JSON.stringify(viewOf(entry, form)));
}

/** The same as a whole answer, in one piece: what is joined anew each time costs a tenth of a read. */
export function encodeAnswer(entry: Entry, form: TargetForm): string {
  return kept(entry, answers[form], () => succeed({ interconnect: viewOf(entry, form) }));
}

function viewOf(entry: Entry, form: TargetForm) {
  return interconnectView(entry.id, interconnectOf(entry), form);
}

function kept(entry: Entry, slot: number, encode: () => string): string {
  entry.encoded ??= [undefined, undefined, undefined, undefined];
  const known = entry.encoded[slot];
  if (known !== undefined) return known;
  const text = encode();
  entry.encoded[slot] = text;
  return text;
}

/** Joins encoded items with commas between a head and a tail, without one large text in between. */
export function assemble(head: string, items: readonly string[], tail: string): Buffer {
  let size = Buffer.byteLength(head) + Buffer.byteLength(tail) + Math.max(0, items.length - 1);
  for (const item of items) size += Buffer.byteLength(item);
  const buffer = Buffer.allocUnsafe(size);
  let at = buffer.write(head);
  for (const [index, item] of items.entries()) {
    if (index > 0) buffer[at++] = 44;
    at += buffer.write(item, at);
  }
  buffer.write(tail, at);
  return buffer;
}
