import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ErrorEntry, errorTable } from "../src/contract/errors.ts";
import { LIST, one, startTestServer, type TestServer } from "./harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const entries = Object.entries<ErrorEntry>(errorTable);

describe("the table of errors", () => {
  test("keeps codes of Patchbay's own apart from the vendor's", () => {
    for (const [name, { code, mark }] of entries) {
      if (mark === "ours") expect(code, name).toBeGreaterThanOrEqual(990000);
      if (mark === "observed" || mark === "inferred") expect(code, name).toBeLessThan(990000);
      expect(code, name).toBeGreaterThanOrEqual(1000);
      expect(code, name).toBeLessThan(991000);
    }
  });

  test("gives each code of Patchbay's own to one refusal", () => {
    const own = entries.map(([, { code }]) => code).filter((code) => code >= 990000);
    expect(new Set(own).size).toBe(own.length);
  });
});

describe.each([...new Set(entries.map(([, { code }]) => code))])("the page of %i", (code) => {
  const own = entries.map(([, entry]) => entry).filter((entry) => entry.code === code);

  test("says when, with which status, and what to do", async () => {
    const page = await server.ask("GET", `/docs/errors/${code}`, { token: null });
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/markdown; charset=utf-8");
    for (const { when, todo, status, message } of own) {
      for (const text of [when, todo, `\`${status}\``, message]) expect(page.body).toContain(text);
    }
  });

  test("is a page without scripts in a browser", async () => {
    const headers = { accept: "text/html,application/xhtml+xml" };
    const page = await server.ask("GET", `/docs/errors/${code}`, { token: null, headers });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.body).toMatch(/^<!doctype html><html lang="en">/);
    expect(page.body).not.toMatch(/<script|onerror=|javascript:/i);
  });
});

test("documentation_url of a refusal leads to its page on the server itself", async () => {
  const refused = await server.ask("PUT", LIST, { body: [{ id: "x", nmae: 1, mtu: null }, 5] });
  expect(refused.body.errors.length).toBeGreaterThan(3);
  for (const { documentation_url, code } of refused.body.errors) {
    expect(documentation_url).toBe(`${server.url}/docs/errors/${code}`);
    const page = await fetch(documentation_url);
    expect(await page.text()).toContain(`# Error ${code}`);
  }
  const missing = await server.ask("GET", one("0".repeat(32)), { token: null });
  expect(missing.body.errors[0].documentation_url).toBe(`${server.url}/docs/errors/9106`);
});

test("the list of errors links every page", async () => {
  const page = await server.ask("GET", "/docs/errors", { token: null });
  for (const [, { code }] of entries) expect(page.body).toContain(`(/docs/errors/${code})`);
});

test("there is no page for what is no code", async () => {
  for (const code of ["1", "990999", "09106", "9106x", "..%2f..%2fpackage.json", "__proto__", "NaN"]) {
    expect((await server.ask("GET", `/docs/errors/${code}`, { token: null })).status, code).toBe(404);
  }
});

test("the start page lists the operations", async () => {
  const page = await server.ask("GET", "/", { token: null });
  expect(page.body).toContain("/client/v4/accounts/:account_id/magic/cf_interconnects");
});
