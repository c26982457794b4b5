import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generatedPages } from "../src/admin/write-docs.ts";
import { type ErrorEntry, errorTable } from "../src/contract/errors.ts";
import { renderHtml, renderMarkdown } from "../src/contract/pages.ts";
import { LIST, ORD, one, startTestServer, type TestServer } from "./harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const page = (path: string, accept?: string) =>
  fetch(server.url + path, accept === undefined ? {} : { headers: { accept } });
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const entries: [string, ErrorEntry][] = Object.entries(errorTable);
const codes = [...new Set(entries.map(([, { code }]) => code))].sort((a, b) => a - b);

describe("the table of errors", () => {
  test.each(entries)("%s says when it happens and what to do, in whole sentences", (_, entry) => {
    for (const text of [entry.when, entry.todo]) expect(text).toMatch(/^[A-Z`].*[.]$/s);
    expect(entry.message).not.toBe("");
    expect(entry.status).toBeGreaterThanOrEqual(400);
    expect(entry.code >= 990000).toBe(entry.mark === "ours" || entry.mark === "documented");
  });

  test("has each of Patchbay's own codes once, in a range of their own", () => {
    const own = entries.map(([, { code }]) => code).filter((code) => code >= 990000);
    expect(new Set(own).size).toBe(own.length);
    expect(Math.max(...own)).toBeLessThan(991000);
  });
});

describe.each(codes)("the page of %d", (code) => {
  const path = `/docs/errors/${code}`;
  const own = entries.map(([, entry]) => entry).filter((entry) => entry.code === code);

  test("is Markdown, with every refusal of that code", async () => {
    const response = await page(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/markdown; charset=utf-8");
    const text = await response.text();
    expect(text).toMatch(new RegExp(`^# Error ${code}\n`));
    for (const { message, when, todo, status } of own) {
      for (const part of [message, when, todo, `HTTP status \`${status}\``]) expect(text).toContain(part);
    }
  });

  test("is HTML for a browser, in which nothing runs and nothing is loaded", async () => {
    const response = await page(path, BROWSER);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("vary")).toBe("accept");
    const text = await response.text();
    expect(text).toContain(`<h1>Error ${code}</h1>`);
    expect(text).not.toMatch(/<script|\son\w+=|javascript:|src=|<link|<img|http-equiv/i);
    // Placeholders and quotes of the table are text, never markup.
    const tags = new Set([...text.matchAll(/<\/?([a-z0-9]+)/g)].map(([, tag]) => tag));
    const known = ["html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "code", "a"];
    expect([...tags].filter((tag) => !known.includes(tag ?? ""))).toEqual([]);
  });

  test("is found under its name as a file too", async () => {
    expect(await (await page(`${path}.md`)).text()).toBe(await (await page(path)).text());
  });
});

describe("the address of a page", () => {
  test("is in every refusal, on the server itself, by the name it was reached by", async () => {
    for (const base of [server.url, server.url.replace("127.0.0.1", "localhost")]) {
      const response = await fetch(base + LIST);
      const { errors } = (await response.json()) as { errors: { code: number; documentation_url: string }[] };
      for (const { code, documentation_url } of errors) {
        expect(documentation_url).toBe(`${base}/docs/errors/${code}`);
        expect((await fetch(documentation_url)).status).toBe(200);
      }
    }
  });

  test("is told with each of many problems", async () => {
    const { body } = await server.ask("PUT", one(ORD), { body: { mtu: 1, x: 1, gre: null, name: "" } });
    expect(body.errors).toHaveLength(4);
    for (const { code, documentation_url } of body.errors) {
      expect(documentation_url).toBe(`${server.url}/docs/errors/${code}`);
    }
  });

  test.each(["1", "990999", "0990020", "9900200", "99002e1", "x", "", "README", "README.md", "990020.html"])(
    "of a code that there is not: 404 (%s)",
    async (code) => {
      const response = await page(`/docs/errors/${code}`, BROWSER);
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("application/json");
    },
  );
});

describe("the list of all codes", () => {
  test("names each with its page", async () => {
    const text = await (await page("/docs/errors")).text();
    for (const [, { code, status, message }] of entries) {
      expect(text).toContain(
        `| [${code}](/docs/errors/${code}) | ${status} | ${message.replaceAll("|", "\\|")} |`,
      );
    }
    const html = await (await page("/docs/errors", BROWSER)).text();
    for (const code of codes) expect(html).toContain(`<a href="/docs/errors/${code}">${code}</a>`);
  });

  test("is linked from the start page, which lists the operations and asks for no credential", async () => {
    const text = await (await page("/")).text();
    expect(text).toContain("](/docs/errors)");
    expect(text).toContain("Update multiple interconnects");
  });
});

test("what a page says is text in HTML, and one cell in a table of Markdown", () => {
  const text = '<script>alert("x")</script> & `<b>` | [x](javascript:alert)';
  const html = renderHtml({
    title: text,
    blocks: [
      { type: "heading", text },
      { type: "text", text },
      { type: "table", head: [text], rows: [[text]] },
    ],
  });
  expect(html).not.toMatch(/<script|<b>|href=/);
  expect(html).toContain("<code>&lt;b&gt;</code>");
  const markdown = renderMarkdown({
    title: "x",
    blocks: [{ type: "table", head: ["a"], rows: [["b | c"]] }],
  });
  expect(markdown).toContain("| b \\| c |");
});

describe("the files under docs/errors", () => {
  const directory = new URL("../docs/errors/", import.meta.url);

  test("are those that the table makes, no more and no fewer", () => {
    expect(readdirSync(directory).sort()).toEqual([...generatedPages().keys()].sort());
    expect(generatedPages().size).toBe(codes.length + 1);
  });

  test.each([...generatedPages()])("%s is as the table makes it (npm run docs)", (name, text) => {
    expect(readFileSync(new URL(name, directory), "utf8")).toBe(text);
  });

  test("link to each other by file name", () => {
    const index = generatedPages().get("README.md") ?? "";
    for (const [, name = ""] of index.matchAll(/\]\(([^)]+)\)/g))
      expect([...generatedPages().keys()]).toContain(name);
    expect(index).not.toContain("](/");
  });
});
