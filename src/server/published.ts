/**
 * The published contract as texts: the OpenAPI document, and the reference made of it. Each is made once,
 * when first asked for; only the address under which the server was reached is put in later.
 */

import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type OpenApiDocument, openApiDocument } from "../contract/openapi/document.ts";
import { escapeHtml } from "../contract/pages.ts";
import type { Tokens } from "../contract/reference/curl.ts";
import { renderReference } from "../contract/reference/html.ts";
import { renderReferenceMarkdown } from "../contract/reference/markdown.ts";
import { referenceOf } from "../contract/reference/model.ts";
import { demo } from "./demo.ts";

/** Stands for the address until that is known. No name ends so (RFC 6761, section 6.4). */
const ADDRESS = "http://patchbay.invalid";

const CHUNK = 64 * 1024;

/** What stands in the lines to copy where there are no tokens that everybody knows: the shell's own variable. */
const NO_TOKENS: Tokens = { usual: "$PATCHBAY_TOKEN", account: "$PATCHBAY_TOKEN" };

const DEMO_TOKENS: Tokens = { usual: demo.token, account: demo.accountToken };

export type Form = "openapi" | "html" | "markdown";

/** The parts of a text before, between and after the places of the address. */
type Parts = readonly Buffer[];

export interface PublishedText {
  readonly body: Iterable<Buffer>;
  /** In bytes. */
  readonly length: number;
}

export class Published {
  readonly #texts = new Map<string, Promise<Parts>>();
  #document: Promise<OpenApiDocument> | undefined;

  /** A text for a client that reached the server under `address`. With the demonstration, its tokens are in it. */
  async text(form: Form, address: string, isDemo: boolean): Promise<PublishedText> {
    const key = form === "openapi" ? form : `${form} ${isDemo}`;
    let made = this.#texts.get(key);
    if (!made) {
      made = this.#make(form, isDemo ? DEMO_TOKENS : NO_TOKENS).then((text) =>
        text.split(ADDRESS).map((part) => Buffer.from(part)),
      );
      this.#texts.set(key, made);
    }
    const parts = await made;
    // The client chooses the address, so a text with the address in it is never kept.
    const inserted = Buffer.from(form === "html" ? escapeHtml(address) : address);
    const length = parts.reduce((sum, part) => sum + part.length, (parts.length - 1) * inserted.length);
    return { body: { [Symbol.iterator]: () => chunksOf(parts, inserted) }, length };
  }

  /** Each step takes a turn of its own, between which others are answered. */
  async #make(form: Form, tokens: Tokens): Promise<string> {
    this.#document ??= setImmediate().then(() => openApiDocument({ version, server: ADDRESS }));
    const document = await this.#document;
    await setImmediate();
    if (form === "openapi") return JSON.stringify(document);
    const reference = referenceOf(document, tokens);
    await setImmediate();
    return form === "html" ? renderReference(reference) : renderReferenceMarkdown(reference);
  }
}

/** The text in chunks of about 64 KB, each created when it is sent. */
function* chunksOf(parts: Parts, inserted: Buffer): Generator<Buffer> {
  let chunk: Buffer[] = [];
  let size = 0;
  for (const [index, part] of parts.entries()) {
    const added = index === 0 ? [part] : [inserted, part];
    chunk.push(...added);
    size += part.length + inserted.length;
    if (size < CHUNK) continue;
    yield Buffer.concat(chunk);
    chunk = [];
    size = 0;
  }
  if (chunk.length > 0) yield Buffer.concat(chunk);
}

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

/** Patchbay's own. */
export const version: string = manifest.version;
