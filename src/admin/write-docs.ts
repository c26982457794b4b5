/** Writes `docs/openapi.json`, and the pages under `docs/errors/` from the table of errors. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openApiDocument } from "../contract/openapi/document.ts";
import { errorCodes, errorPage, errorPages, type Page, renderMarkdown } from "../contract/pages.ts";
import { readableJson } from "../contract/reference/readable-json.ts";

const root = join(import.meta.dirname, "../..");

/** File names and contents of all generated pages. */
export function generatedPages(): ReadonlyMap<string, string> {
  const file = (page: Page | undefined) => (page ? renderMarkdown(page, true) : "");
  return new Map([
    ["README.md", file(errorPages())],
    ...errorCodes().map((code): [string, string] => [`${code}.md`, file(errorPage(String(code)))]),
  ]);
}

/** The contract as a server of `npm start` publishes it, for readers who have none running. */
export function generatedContract(): string {
  const manifest: { readonly version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const document = openApiDocument({ version: manifest.version, server: "http://127.0.0.1:8787" });
  return `${readableJson(document)}\n`;
}

if (import.meta.main) {
  const directory = join(root, "docs/errors");
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
  for (const [name, text] of generatedPages()) writeFileSync(join(directory, name), text);
  writeFileSync(join(root, "docs/openapi.json"), generatedContract());
}
