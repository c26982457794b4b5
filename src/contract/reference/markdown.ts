/** The reference as Markdown, for terminals and for programs that read. */

import type { Field } from "./fields.ts";
import type { Entry, Reference } from "./model.ts";

export function renderReferenceMarkdown(reference: Reference): string {
  const { version, server, about, families, schemas } = reference;
  const parts = [
    "# Reference",
    `Patchbay ${version} at ${server}`,
    ...about,
    "For programs: [openapi.json](/openapi.json). Refusals: [all errors](/docs/errors).",
    ...families.flatMap(({ name, about: told, entries }) => [
      `## ${name}`,
      told,
      ...entries.flatMap(operation),
    ]),
    "## Schemas",
    ...schemas.flatMap(({ name, description, fields }) => [
      `### ${name}`,
      ...(description === "" ? [] : [description]),
      ...fieldTable(fields),
    ]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function operation(entry: Entry): readonly string[] {
  const { id, method, path, summary, description, who, parameters, body, curl, accepted, result, refusals } =
    entry;
  const marks = [...(entry.own ? ["Patchbay's own"] : []), ...(entry.sandboxOnly ? ["sandbox only"] : [])];
  return [
    `### ${summary} (\`${id}\`)`,
    `\`${method} ${path}\`${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`,
    ...(description === "" ? [] : [description]),
    who,
    ...(parameters.length === 0
      ? []
      : [
          table(
            ["parameter", "in", "type", ""],
            parameters.map((one) => [named(one.name, one.required), one.in, typed(one), one.description]),
          ),
        ]),
    ...(body
      ? [`Body: ${body.type}.${body.required ? "" : " It may be left out."}`, ...fieldTable(body.fields)]
      : []),
    `\`\`\`sh\n${curl}\n\`\`\``,
    `200: ${accepted}`,
    ...(result ? fieldTable(result.fields) : []),
    table(
      ["status", "codes"],
      [
        ...(entry.notModified ? [["304 Not Modified", ""]] : []),
        ...refusals.map(({ status, name, codes }) => [
          `${status} ${name}`,
          codes.map(({ code }) => `[${code}](/docs/errors/${code})`).join(", "),
        ]),
      ],
    ),
  ];
}

function fieldTable(fields: readonly Field[]): readonly string[] {
  if (fields.length === 0) return [];
  const rows = fields.map((field) => [
    `${"· ".repeat(field.depth)}${named(field.name, field.required)}`,
    typed(field),
    field.description,
  ]);
  return [table(["field", "type", ""], rows)];
}

function named(name: string, required: boolean): string {
  return `\`${name}\`${required ? " (required)" : ""}`;
}

function typed({ type, limits }: { readonly type: string; readonly limits: string }): string {
  return limits === "" ? type : `${type}: ${limits}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return [row(head), `|${" --- |".repeat(head.length)}`, ...rows.map(row)].join("\n");
}
