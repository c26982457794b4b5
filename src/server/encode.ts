/** Objects as text, each encoded once per form and kept with its version. */

import { maskDoc } from "../account/change.ts";
import { cniView, isCni } from "../account/cni/cni.ts";
import { listedPortView, portKind } from "../account/cni/port.ts";
import { administeredSlotView, slotKind } from "../account/cni/slot.ts";
import { type InterconnectDoc, interconnectKind, interconnectOf } from "../account/interconnect.ts";
import { interconnectView, linkView, type TargetForm } from "../account/interconnect-view.ts";
import type { Doc, Entry, Kind, State } from "../account/state.ts";
import { staticRouteKind, staticRouteView } from "../account/static-route.ts";
import { type Answer, succeed } from "./envelope.ts";
import { LongBody } from "./long-body.ts";

const slots: Readonly<Record<TargetForm, number>> = { text: 0, object: 1 };

/** What is kept with a version, by form. */
class Encoded {
  readonly items: (string | undefined)[] = [undefined, undefined];
  readonly answers: (Answer | undefined)[] = [undefined, undefined];

  static of(entry: Entry): Encoded {
    if (entry.encoded instanceof Encoded) return entry.encoded;
    const encoded = new Encoded();
    entry.encoded = encoded;
    return encoded;
  }
}

/** The JSON of an interconnect in one of its forms. */
export function encodeInterconnect(entry: Entry, form: TargetForm): string {
  const known = Encoded.of(entry).items[slots[form]];
  return known ?? keep(entry, slots[form], interconnectView(entry.id, interconnectOf(entry), form));
}

/** The JSON of a route. */
export function encodeStaticRoute(entry: Entry): string {
  return Encoded.of(entry).items[0] ?? keep(entry, 0, staticRouteView(entry.id, entry.doc));
}

function keep(entry: Entry, slot: number, view: object): string {
  const text = JSON.stringify(view);
  Encoded.of(entry).items[slot] = text;
  return text;
}

/**
 * The answer that tells one interconnect alone. It is kept whole, since to join and to measure its
 * text anew costs a tenth of such a read. `tag` is the version's own.
 */
export function answerInterconnect(entry: Entry, form: TargetForm, tag: string): Answer {
  const { answers } = Encoded.of(entry);
  const slot = slots[form];
  const known = answers[slot];
  if (known) return known;
  const body = succeed({ interconnect: interconnectView(entry.id, interconnectOf(entry), form) });
  const answer = {
    status: 200,
    body,
    length: Buffer.byteLength(body),
    headers: { etag: tag },
    of: { kind: interconnectKind.name, entry },
  };
  answers[slot] = answer;
  return answer;
}

/** How `/state` tells a kind, or one view of it: the member its objects stand in, and each as it is shown. */
interface Listing {
  readonly kind: Kind;
  readonly as: string;
  /** Nothing of an object that has no such view. */
  readonly view: (id: string, doc: Doc, account: string) => object | undefined;
  /** The text of one of which nothing is masked, where that is kept. */
  readonly encode?: (entry: Entry) => string;
}

/** Every kind of an account's objects that is a list in `/state`. */
const listings: readonly Listing[] = [
  {
    kind: interconnectKind,
    as: "interconnects",
    view: (id, doc) => interconnectView(id, doc as InterconnectDoc, "object"),
    encode: (entry) => encodeInterconnect(entry, "object"),
  },
  { kind: staticRouteKind, as: "routes", view: staticRouteView, encode: encodeStaticRoute },
  { kind: slotKind, as: "slots", view: administeredSlotView },
  { kind: portKind, as: "ports", view: listedPortView },
  {
    kind: interconnectKind,
    as: "cnis",
    view: (id, doc, account) => (isCni(doc) ? cniView(id, doc, account) : undefined),
  },
  { kind: interconnectKind, as: "links", view: (id, doc) => linkView(id, doc as InterconnectDoc) },
];

/** Adds the members of `/state` that are lists, with what is masked: all of the moment of the call. */
export async function addLists(body: LongBody, state: State): Promise<void> {
  const lists = listings.map((listing) => ({ listing, entries: state.list(listing.kind.name) }));
  for (const [index, { listing, entries }] of [...lists.entries()]) {
    body.add(`${index === 0 ? "" : ","}"${listing.as}":[`);
    await body.addList(encodeListing(listing, entries, state.id));
    body.add("]");
  }
}

function* encodeListing(listing: Listing, entries: readonly Entry[], account: string): Generator<string> {
  for (const entry of entries) {
    const text = encodeListed(listing, entry, account);
    if (text !== undefined) yield text;
  }
}

function encodeListed({ kind, view, encode }: Listing, entry: Entry, account: string): string | undefined {
  const shown = maskDoc(entry.doc, kind);
  if (shown === entry.doc && encode) return encode(entry);
  const seen = view(entry.id, shown, account);
  return seen && JSON.stringify(seen);
}

/** Joins encoded objects with commas between a head and a tail: many of them in slices. */
export async function assemble(head: string, items: Iterable<string>, tail: string): Promise<Buffer> {
  const body = new LongBody(head);
  await body.addList(items);
  return body.end(tail);
}
