/** Writes the pages under `docs/errors/` from the table of errors. */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCodes, errorPage, errorPages, type Page, renderMarkdown } from "../contract/pages.ts";

/** File names and contents of all generated pages. */
export function generatedPages(): ReadonlyMap<string, string> {
  const file = (page: Page | undefined) => (page ? renderMarkdown(page, true) : "");
  return new Map([
    ["README.md", file(errorPages())],
    ...errorCodes().map((code): [string, string] => [`${code}.md`, file(errorPage(String(code)))]),
  ]);
}

if (import.meta.main) {
  const directory = join(import.meta.dirname, "../../docs/errors");
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
  for (const [name, text] of generatedPages()) writeFileSync(join(directory, name), text);
}
