/** The reference as one page of HTML in which nothing runs and nothing is loaded. */

import { escapeHtml, inline } from "../pages.ts";
import type { Field } from "./fields.ts";
import type { Entry, ParameterRow, Reference, RefusalRow } from "./model.ts";
import { STYLE } from "./style.ts";

export function renderReference(reference: Reference): string {
  const { families, schemas, version, server } = reference;
  const body = [
    navigation(reference),
    "<main>",
    `<header><h1>Reference</h1><p class="lead">Patchbay ${escapeHtml(version)} at <code>${escapeHtml(server)}</code></p>`,
    ...reference.about.map((text) => `<p>${inline(text)}</p>`),
    '<p>For programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1). Refusals: <a href="/docs/errors">all errors</a>.</p>',
    "</header>",
    credentials,
    ...families.flatMap(({ id, name, about, entries }) => [
      `<section id="${id}"><h2>${escapeHtml(name)}</h2><p>${inline(about)}</p>`,
      ...entries.map(article),
      "</section>",
    ]),
    '<section id="schemas"><h2>Schemas</h2><p>What several operations take or answer.</p>',
    ...schemas.map(
      ({ name, description, fields }) =>
        `<article id="${escapeHtml(name)}"><h3 class="name">${anchor(name)}${escapeHtml(name)}</h3>${
          description === "" ? "" : `<p>${inline(description)}</p>`
        }${fieldTable(fields)}</article>`,
    ),
    "</section></main>",
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Reference · Patchbay</title><style>${STYLE}</style></head><body>${body.join("\n")}</body></html>`;
}

const credentials = `<section id="credentials"><h2>Credentials</h2>
<p>Every operation takes one of two. Any one of the permission groups that an operation names suffices; a group counts for the accounts that the token names.</p>
<table><thead><tr><th>Credential</th><th>Headers</th></tr></thead><tbody>
<tr><td>API token</td><td><code>Authorization: Bearer …</code></td></tr>
<tr><td>A user’s key</td><td><code>X-Auth-Email: …</code> and <code>X-Auth-Key: …</code></td></tr>
</tbody></table></section>`;

function navigation({ families, schemas }: Reference): string {
  const groups = families.map(
    ({ id, name, entries }) =>
      `<li><a class="family" href="#${id}">${escapeHtml(name)}</a><ul>${entries.map(navigated).join("")}</ul></li>`,
  );
  const names = schemas.map(({ name }) => `<li><a href="#${escapeHtml(name)}">${escapeHtml(name)}</a></li>`);
  return `<nav aria-label="Contents"><a class="home" href="/">Patchbay</a><ul><li><a class="family" href="#credentials">Credentials</a></li>${groups.join(
    "",
  )}<li><details><summary class="family">Schemas</summary><ul>${names.join("")}</ul></details></li></ul></nav>`;
}

function navigated({ id, method, summary }: Entry): string {
  return `<li><a href="#${id}"><span class="method ${method.toLowerCase()}">${shortMethod(method)}</span>${escapeHtml(summary)}</a></li>`;
}

function shortMethod(method: string): string {
  return method === "DELETE" ? "DEL" : method;
}

function anchor(id: string): string {
  return `<a class="anchor" href="#${escapeHtml(id)}" aria-label="Link to this">#</a>`;
}

function article(entry: Entry): string {
  const { id, method, path, summary } = entry;
  const parts = [
    `<article id="${id}"><h3>${anchor(id)}${escapeHtml(summary)}${badges(entry)}</h3>`,
    `<p class="route"><span class="method ${method.toLowerCase()}">${method}</span><code>${routed(path)}</code></p>`,
    entry.description === "" ? "" : `<p>${inline(entry.description)}</p>`,
    `<p class="who">${inline(entry.who)}</p>`,
    entry.parameters.length === 0 ? "" : `<h4>Parameters</h4>${parameterTable(entry.parameters)}`,
    bodyOf(entry),
    `<h4>To paste</h4><pre tabindex="0"><code>${escapeHtml(entry.curl)}</code></pre>`,
    answersOf(entry),
    "</article>",
  ];
  return parts.join("");
}

function badges({ id, own, sandboxOnly }: Entry): string {
  const badge = (text: string) => ` <span class="badge">${text}</span>`;
  return [
    ` <code class="id">${id}</code>`,
    own ? badge("Patchbay’s own") : "",
    sandboxOnly ? badge("sandbox only") : "",
  ].join("");
}

/** A path that may be broken before its slashes, what varies standing out. */
function routed(path: string): string {
  return escapeHtml(path)
    .replaceAll("/", "<wbr>/")
    .replaceAll(/\{(\w+)\}/g, "<var>{$1}</var>");
}

function bodyOf({ body }: Entry): string {
  if (!body) return "";
  const optional = body.required ? "" : " It may be left out.";
  return `<h4>Body</h4><p>JSON: ${inline(body.type)}.${optional}</p>${fieldTable(body.fields)}`;
}

function parameterTable(parameters: readonly ParameterRow[]): string {
  const rows = parameters.map(
    ({ name, in: place, type, required, limits, description }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? ' <span class="required">required</span>' : ""}<div class="type">${place}</div></td><td>${typed(type, limits)}</td><td>${inline(description)}</td></tr>`,
  );
  return table(["Name", "Type", ""], rows);
}

function fieldTable(fields: readonly Field[]): string {
  if (fields.length === 0) return "";
  const rows = fields.map(
    ({ name, depth, type, required, limits, description }) =>
      `<tr><td class="d${depth}"><code>${escapeHtml(name)}</code>${required ? ' <span class="required">required</span>' : ""}</td><td>${typed(type, limits)}</td><td>${inline(description)}</td></tr>`,
  );
  return table(["Field", "Type", ""], rows);
}

function typed(type: string, limits: string): string {
  return `${inline(type)}${limits === "" ? "" : `<div class="limits">${inline(limits)}</div>`}`;
}

function table(head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((text) => `<th>${text}</th>`).join("");
  return `<div class="wide"><table><thead><tr>${cells}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function answersOf({ accepted, result, example, headers, notModified, refusals }: Entry): string {
  const told = headers.map((name) => `<code>${name}</code>`).join(", ");
  const fields = result ? fieldTable(result.fields) : "";
  const shown = example === undefined ? "" : `<pre tabindex="0"><code>${escapeHtml(example)}</code></pre>`;
  const more =
    fields + shown === ""
      ? ""
      : `<details><summary>Fields and an example</summary>${fields}${shown}</details>`;
  const rows = [
    `<tr><td><strong class="ok">200</strong></td><td>${inline(accepted)} Headers: ${told}.${more}</td></tr>`,
    notModified
      ? "<tr><td><strong>304</strong></td><td>What <code>if-none-match</code> names is still current; no body.</td></tr>"
      : "",
    ...refusals.map(refusalRow),
  ];
  return `<h4>Answers</h4>${table(["Status", ""], rows)}`;
}

function refusalRow({ status, name, codes }: RefusalRow): string {
  const links = codes.map(
    ({ code, message }) =>
      `<a class="code" href="/docs/errors/${code}" title="${escapeHtml(message)}">${code}</a>`,
  );
  return `<tr><td><strong>${status}</strong></td><td>${escapeHtml(name)} <span class="codes">${links.join(" ")}</span></td></tr>`;
}
