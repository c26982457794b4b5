import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operations } from "../../src/contract/operations.ts";
import { demo } from "../../src/server/demo.ts";
import { published } from "../harness/contract.ts";
import { askRaw } from "../harness/raw.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const get = (path: string, accept = "*/*", base = server.url) => fetch(base + path, { headers: { accept } });
const names = Object.keys(operations);

describe("/openapi.json", () => {
  test("is the document that answers are judged by, at the address it was asked for under", async () => {
    for (const base of [server.url, server.url.replace("127.0.0.1", "localhost")]) {
      const response = await get("/openapi.json", "*/*", base);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/json");
      const document = (await response.json()) as Record<string, unknown>;
      expect(document).toMatchObject({ openapi: "3.1.1", servers: [{ url: base }] });
      const { info: _info, servers: _servers, ...rest } = document;
      const { info, servers, ...told } = JSON.parse(JSON.stringify(published));
      expect(rest).toEqual(told);
    }
  });

  test("asks for no credential, and takes none for a reason to refuse", async () => {
    for (const headers of [{}, { authorization: "Bearer x" }]) {
      expect((await fetch(`${server.url}/openapi.json`, { headers })).status).toBe(200);
    }
  });

  test("is for this origin alone", async () => {
    const foreign = await fetch(`${server.url}/openapi.json`, { headers: { origin: "http://evil.example" } });
    expect(foreign.status).toBe(403);
    expect((await get("/openapi.json")).headers.get("access-control-allow-origin")).toBeNull();
    expect((await askRaw(server.url, { path: "/openapi.json", host: "evil.example" }))?.status).toBe(403);
  });
});

describe("/docs", () => {
  test("is HTML for a browser, in which nothing runs and nothing is loaded", async () => {
    const response = await get("/docs", BROWSER);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("vary")).toBe("accept");
    const text = await response.text();
    expect(text).not.toMatch(/<script|\son\w+=|javascript:|src=|<link|<img|http-equiv|url\(/i);
    const open = [...text.matchAll(/<([a-z][a-z0-9]*)[ >]/g)].map(([, tag]) => tag);
    const closed = [...text.matchAll(/<\/([a-z][a-z0-9]*)>/g)].map(([, tag]) => tag);
    const without = (tags: (string | undefined)[]) =>
      tags.filter((tag) => !["meta", "wbr"].includes(tag ?? "")).sort();
    expect(without(closed)).toEqual(without(open));
  });

  test("has every operation and schema once, and every link leads somewhere", async () => {
    const text = await (await get("/docs", BROWSER)).text();
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining([...names, ...Object.keys(published.components.schemas)]));
    const links = new Set([...text.matchAll(/href="([^"]+)"/g)].map(([, link]) => link ?? ""));
    for (const link of links) {
      if (link.startsWith("#")) expect(ids).toContain(link.slice(1));
      else expect((await get(link)).status, link).toBe(200);
    }
  });

  test("has lines to paste that reach this server with the demonstration's tokens", async () => {
    const text = await (await get("/docs")).text();
    const lines = text.match(/^curl .*$/gm) ?? [];
    expect(lines).toHaveLength(names.length);
    for (const line of lines) expect(line).toContain(`${server.url}/`);
    const tokens = [...text.matchAll(/-H "Authorization: Bearer (.+?)"/g)].map(([, token]) => token);
    expect(tokens).toHaveLength(names.length);
    expect(tokens.filter((token) => token !== demo.token)).toEqual([demo.accountToken]);
    const html = await (await get("/docs", BROWSER, server.url.replace("127.0.0.1", "localhost"))).text();
    expect(html).toContain(server.url.replace("127.0.0.1", "localhost"));
    expect(html).not.toContain("patchbay.invalid");
  });

  test("names no token where there is none that everybody knows", async () => {
    const text = `accounts: [{ id: ${demo.account}, name: one }]`;
    await using serious = await startTestServer({}, { seed: { name: "serious", text } });
    for (const accept of ["*/*", BROWSER]) {
      const page = await (await get("/docs", accept, serious.url)).text();
      for (const token of demo.tokens) expect(page).not.toContain(token);
      expect(page).toContain("$PATCHBAY_TOKEN");
    }
  });

  test("is Markdown for others, with every operation, its codes and its fields", async () => {
    const response = await get("/docs");
    expect(response.headers.get("content-type")).toBe("text/markdown; charset=utf-8");
    const text = await response.text();
    for (const name of names) expect(text).toContain(`(\`${name}\`)`);
    expect(text).toContain("| `validate_only` | query | boolean: default `false` |");
    expect(text).toContain("[990023](/docs/errors/990023)");
    expect(text).toMatch(/\| · · `rate` \| string: `low`, `mid`, `high`; default `mid` \| How often/);
  });

  test("is linked from the start page, and so is the document", async () => {
    const text = await (await get("/")).text();
    expect(text).toContain("](/docs)");
    expect(text).toContain("](/openapi.json)");
  });
});
