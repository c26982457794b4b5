/** The pages made from the table of errors: as Markdown for `docs/errors/`, as HTML for browsers. */

import { type ErrorEntry, errorTable, type Mark } from "./errors.ts";
import { operations } from "./operations.ts";

/** A paragraph, a table, or a heading over what follows. Texts may hold `code`. */
export type Block =
  | { readonly type: "heading"; readonly text: string }
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "table";
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

export interface Page {
  readonly title: string;
  readonly blocks: readonly Block[];
}

const marks: Readonly<Record<Mark, string>> = {
  documented: "Cloudflare documents this error. A code of 990000 or above is specific to Patchbay.",
  observed: "Code and message are those that Cloudflare's live service returns.",
  inferred: "The code is Cloudflare's. The message is inferred from its other errors.",
  ours: "Code and message are specific to Patchbay: Cloudflare does not publish what it returns in this case.",
};

function entriesByCode(): Map<number, ErrorEntry[]> {
  const byCode = new Map<number, ErrorEntry[]>();
  for (const entry of Object.values<ErrorEntry>(errorTable)) {
    byCode.set(entry.code, [...(byCode.get(entry.code) ?? []), entry]);
  }
  return new Map([...byCode].sort(([a], [b]) => a - b));
}

/** Codes that have a page. */
export function errorCodes(): readonly number[] {
  return [...entriesByCode().keys()];
}

/** The page of one code. A code that stands for several refusals tells them one after the other. */
export function errorPage(code: string): Page | undefined {
  const entries = entriesByCode().get(Number(code));
  if (!entries || String(Number(code)) !== code) return undefined;
  const blocks = entries.flatMap((entry): Block[] => [
    { type: "heading", text: `${entry.message}` },
    { type: "text", text: `HTTP status \`${entry.status}\`. ${entry.when}` },
    ...(entry.chain ?? []).map(
      (cause): Block => ({ type: "text", text: `\`error_chain\`: \`${cause.code}\` ${cause.message}` }),
    ),
    { type: "text", text: `What to do: ${entry.todo}` },
    { type: "text", text: marks[entry.mark] },
  ]);
  return { title: `Error ${code}`, blocks };
}

/** The list of all codes. */
export function errorPages(): Page {
  const rows = [...entriesByCode()].flatMap(([code, entries]) =>
    entries.map((entry) => [`[${code}](/docs/errors/${code})`, String(entry.status), entry.message]),
  );
  const text =
    "Codes below 990000 are the vendor's. Those from 990000 on are Patchbay's own, for refusals whose code the vendor does not publish.";
  return {
    title: "Errors",
    blocks: [
      { type: "text", text },
      { type: "table", head: ["code", "status", "message"], rows },
    ],
  };
}

/** What a program sees that opens the server's address, and a person where the dashboard is not built. */
export function startPage(dashboardMissing = false): Page {
  const rows = Object.values(operations).map(({ method, path, summary }) => [
    `\`${method}\``,
    `\`${path}\``,
    summary,
  ]);
  return {
    title: "Patchbay",
    blocks: [
      ...(dashboardMissing ? [howToBuild] : []),
      { type: "text", text: "A self-hosted control plane for network interconnects. This server answers:" },
      { type: "table", head: ["method", "path", ""], rows },
      {
        type: "text",
        text: "Each is described in the [reference](/docs), which is also there [for programs](/openapi.json). Every error has a page: [all errors](/docs/errors).",
      },
      { type: "text", text: "Patchbay is independent of Cloudflare, and neither made nor endorsed by it." },
    ],
  };
}

const howToBuild: Block = {
  type: "text",
  text: "The dashboard is not built here. In the project's folder, `npm run build:web` builds it; this server then shows it at once.",
};

const cell = (text: string) => text.replaceAll("|", "\\|");

/** `relative` turns links between pages of the server into links between files of one folder. */
export function renderMarkdown(page: Page, relative = false): string {
  const parts = page.blocks.map((block) => {
    if (block.type === "heading") return `## ${block.text}`;
    if (block.type === "text") return block.text;
    const row = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
    return [row(block.head), `|${" --- |".repeat(block.head.length)}`, ...block.rows.map(row)].join("\n");
  });
  const text = `${[`# ${page.title}`, ...parts].join("\n\n")}\n`;
  return relative ? text.replaceAll(/\]\(\/docs\/errors\/(\d+)\)/g, "]($1.md)") : text;
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => escapes[character] ?? character);
}

/** A line of text as HTML: `code`, **strong**, and links to places of this server. */
export function inline(text: string): string {
  return escapeHtml(text)
    .replaceAll(/`([^`]+)`/g, "<code>$1</code>")
    .replaceAll(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replaceAll(/\[([^\]]+)\]\(([/#][\w/.-]*)\)/g, '<a href="$2">$1</a>');
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
code{font:0.9em ui-monospace,monospace;background:#8882;padding:.1em .3em;border-radius:4px;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884;vertical-align:top}
h2{font-size:1.1rem;margin-top:2rem}`;

export function renderHtml(page: Page): string {
  const parts = page.blocks.map((block) => {
    if (block.type === "heading") return `<h2>${inline(block.text)}</h2>`;
    if (block.type === "text") return `<p>${inline(block.text)}</p>`;
    const row = (tag: string) => (cells: readonly string[]) =>
      `<tr>${cells.map((text) => `<${tag}>${inline(text)}</${tag}>`).join("")}</tr>`;
    return `<table><thead>${row("th")(block.head)}</thead><tbody>${block.rows.map(row("td")).join("")}</tbody></table>`;
  });
  const title = page.title === "Patchbay" ? "Patchbay" : `${page.title} · Patchbay`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main><h1>${inline(page.title)}</h1>${parts.join("")}</main></body></html>`;
}
