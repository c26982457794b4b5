/**
 * The published contract as texts: the OpenAPI document, and the reference made of it. Each is made once,
 * when first asked for; only the address under which the server was reached is put in later.
 */

import { readFileSync } from "node:fs";
import { MAX_PUBLISHED_ADDRESSES } from "../contract/limits.ts";
import { type OpenApiDocument, openApiDocument } from "../contract/openapi/document.ts";
import { escapeHtml } from "../contract/pages.ts";
import type { Tokens } from "../contract/reference/curl.ts";
import { renderReference } from "../contract/reference/html.ts";
import { renderReferenceMarkdown } from "../contract/reference/markdown.ts";
import { referenceOf } from "../contract/reference/model.ts";
import { freshSlice } from "../store/time-slice.ts";
import { demo } from "./demo.ts";

/** Stands for the address until that is known. No name ends so (RFC 6761, section 6.4). */
const ADDRESS = "http://patchbay.invalid";

/** What stands in the lines to copy where there are no tokens that everybody knows: the shell's own variable. */
const NO_TOKENS: Tokens = { usual: "$PATCHBAY_TOKEN", account: "$PATCHBAY_TOKEN" };

const DEMO_TOKENS: Tokens = { usual: demo.token, account: demo.accountToken };

export type Form = "openapi" | "html" | "markdown";

interface Text {
  /** What stands between one address and the next. */
  readonly parts: readonly string[];
  /** As it was sent, by the address under which the server was reached, the latest last: most clients use the same. */
  readonly bodies: Map<string, Buffer>;
}

export class Published {
  readonly #texts = new Map<string, Promise<Text>>();
  #document: Promise<OpenApiDocument> | undefined;

  /** A text for a client that reached the server under `address`. With the demonstration, its tokens are in it. */
  async text(form: Form, address: string, isDemo: boolean): Promise<Buffer> {
    const key = form === "openapi" ? form : `${form} ${isDemo}`;
    let made = this.#texts.get(key);
    if (!made) {
      made = this.#make(form, isDemo ? DEMO_TOKENS : NO_TOKENS).then((text) => ({
        parts: text.split(ADDRESS),
        bodies: new Map<string, Buffer>(),
      }));
      this.#texts.set(key, made);
    }
    const { parts, bodies } = await made;
    const body =
      bodies.get(address) ?? Buffer.from(parts.join(form === "html" ? escapeHtml(address) : address));
    bodies.delete(address);
    bodies.set(address, body);
    if (bodies.size > MAX_PUBLISHED_ADDRESSES) bodies.delete(bodies.keys().next().value ?? address);
    return body;
  }

  /** Each step takes a turn of its own, between which others are answered. */
  async #make(form: Form, tokens: Tokens): Promise<string> {
    this.#document ??= freshSlice().then(() => openApiDocument({ version, server: ADDRESS }));
    const document = await this.#document;
    await freshSlice();
    if (form === "openapi") return JSON.stringify(document);
    const reference = referenceOf(document, tokens);
    await freshSlice();
    return form === "html" ? renderReference(reference) : renderReferenceMarkdown(reference);
  }
}

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

/** Patchbay's own. */
export const version: string = manifest.version;
