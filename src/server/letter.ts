/** The letter of authorization: with it, a data centre connects the customer's cable to the provider's port. */

import { PDFDocument, type PDFFont, type PDFPage, rgb, StandardFonts } from "pdf-lib";
import type { SlotDoc } from "../account/cni/slot.ts";

export interface Letter {
  /** The port's name. */
  readonly id: string;
  readonly account: string;
  readonly customer: string;
  readonly slotId: string;
  readonly slot: SlotDoc;
  /** Milliseconds since 1970. */
  readonly date: number;
}

/** How long a letter may be acted upon. */
const VALID_DAYS = 90;
const DAY = 24 * 60 * 60 * 1000;

/** Characters of Windows-1252 beyond Latin-1, which the standard typefaces have. */
const BEYOND_LATIN1 = new Set("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ");

/** Do the letter's typefaces have every character of a text? */
function isPrintable(text: string): boolean {
  return [...text].every((character) => {
    const code = character.codePointAt(0) ?? 0;
    return (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xff) || BEYOND_LATIN1.has(character);
  });
}

/** The first thing that the letter would have to say and cannot print, and what it is. */
export function findUnprintable({ customer, slot }: Letter): { what: string; given: string } | undefined {
  const { facility, ccr_device_name = "" } = slot;
  const texts: readonly (readonly [string, string])[] = [
    ["The customer's name", customer],
    ["The facility's name", facility.name],
    ...facility.address.map((line) => ["A line of the facility's address", line] as const),
    ["The device's name", ccr_device_name],
  ];
  const [what, given] = texts.find(([, text]) => !isPrintable(text)) ?? [];
  return what === undefined || given === undefined ? undefined : { what, given };
}

const dateOf = (time: number) => new Date(time).toISOString().slice(0, 10);

/** What the letter says, as names and values, in sections. */
function sectionsOf({ id, account, customer, slotId, slot, date }: Letter) {
  const device = slot.ccr_device_name ? [["Provider's device", slot.ccr_device_name] as const] : [];
  return [
    {
      title: "Customer",
      rows: [
        ["Name", customer],
        ["Account", account],
      ],
    },
    {
      title: "Facility",
      rows: [
        ["Name", slot.facility.name],
        ...slot.facility.address.map((line, index) => [index === 0 ? "Address" : "", line] as const),
      ],
    },
    {
      title: "Port of the provider",
      rows: [["Interconnect", id], ["Slot", slotId], ["Site", slot.site], ["Speed", slot.speed], ...device],
    },
    {
      title: "Validity",
      rows: [
        ["Date of issue", dateOf(date)],
        ["To be connected by", dateOf(date + VALID_DAYS * DAY)],
      ],
    },
  ] satisfies { title: string; rows: (readonly [string, string])[] }[];
}

const MARGIN = 64;
const COLUMN = 190;
const GREY = rgb(0.4, 0.4, 0.4);
const BLACK = rgb(0, 0, 0);

/** Writes from the top of a page down, everything in points times a scale. */
class Pen {
  readonly #page: PDFPage;
  readonly #scale: number;
  #y: number;

  constructor(page: PDFPage, scale: number) {
    this.#page = page;
    this.#scale = scale;
    this.#y = page.getHeight() - MARGIN;
  }

  /** Is what was written above the foot of the page? */
  get fits(): boolean {
    return this.#y > MARGIN / 2;
  }

  down(points: number): void {
    this.#y -= points * this.#scale;
  }

  line(): void {
    const start = { x: MARGIN, y: this.#y };
    const end = { x: this.#page.getWidth() - MARGIN, y: this.#y };
    this.#page.drawLine({ start, end, thickness: 0.5, color: GREY });
  }

  /** Writes a text, in as many lines as it takes. */
  write(text: string, font: PDFFont, points: number, { x = MARGIN, color = BLACK } = {}): void {
    const room = this.#page.getWidth() - MARGIN - x;
    const size = points * this.#scale;
    for (const line of wrap(text, font, size, room)) {
      this.#page.drawText(line, { x, y: this.#y, size, font, color });
      this.down(points * 1.4);
    }
  }

  /** Writes a name and, beside it, its value. */
  row(name: string, value: string, font: PDFFont): void {
    const size = 10 * this.#scale;
    this.#page.drawText(name, { x: MARGIN, y: this.#y, size, font, color: GREY });
    this.write(value, font, 10, { x: COLUMN });
  }
}

/** The lines of a text that fit a width. A word that is too long by itself is broken. */
function wrap(text: string, font: PDFFont, size: number, width: number): string[] {
  const fits = (line: string) => font.widthOfTextAtSize(line, size) <= width;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    let rest = word;
    if (line !== "" && !fits(`${line} ${rest}`)) {
      lines.push(line);
      line = "";
    }
    while (line === "" && !fits(rest)) {
      let length = rest.length - 1;
      while (length > 1 && !fits(rest.slice(0, length))) length--;
      lines.push(rest.slice(0, length));
      rest = rest.slice(length);
    }
    line = line === "" ? rest : `${line} ${rest}`;
  }
  return [...lines, line];
}

/** Sizes of the type, of which the first is taken that leaves the letter on its page. */
const SCALES = [1, 0.85, 0.7, 0.55];

/** The letter as a PDF of one page. */
export async function writeLetter(letter: Letter): Promise<Uint8Array> {
  for (const scale of SCALES) {
    const document = await PDFDocument.create({ updateMetadata: false });
    const pen = new Pen(document.addPage([595.28, 841.89]), scale);
    const regular = await document.embedFont(StandardFonts.Helvetica);
    write(letter, pen, regular, await document.embedFont(StandardFonts.HelveticaBold));
    if (!pen.fits && scale !== SCALES.at(-1)) continue;
    document.setTitle(`Letter of authorization, ${letter.id}`);
    document.setProducer("Patchbay");
    document.setCreationDate(new Date(letter.date));
    return document.save();
  }
  throw new Error("A letter has no size.");
}

function write(letter: Letter, pen: Pen, regular: PDFFont, bold: PDFFont): void {
  pen.write("Letter of Authorization", bold, 20);
  pen.down(6);
  pen.write(`For the facility operator of ${letter.slot.facility.name}`, regular, 10, { color: GREY });
  pen.down(14);
  pen.write(
    `The provider of the port named below authorizes ${letter.customer}, or whoever acts on its behalf, to order and ` +
      "to have installed one cross-connect from the customer's equipment to this port, at the customer's expense. " +
      "It authorizes no other port and no other work.",
    regular,
    10.5,
  );
  for (const { title, rows } of sectionsOf(letter)) {
    pen.down(12);
    pen.write(title, bold, 11);
    for (const [name, value] of rows) pen.row(name, value, regular);
  }
  pen.down(20);
  pen.write("For the provider", bold, 11);
  for (const name of ["Name and title", "Signature", "Date"]) {
    pen.down(16);
    pen.row(name, "", regular);
    pen.line();
  }
  pen.down(18);
  pen.write(
    "Issued by a Patchbay server on behalf of whoever operates it. It is valid when an authorized person of the " +
      "provider has signed it.",
    regular,
    8,
    { color: GREY },
  );
}
