/**
 * The system's Chromium, driven as a person would. A page of it fails its test if it writes an error to the console,
 * throws, or is kept from something by its content-security policy.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { buildDashboard } from "./dashboard.ts";
import { missing } from "./programs.ts";
import { ACCOUNT } from "./server.ts";

export type { Page } from "playwright-core";

/** Why no page can be looked at here; `undefined` if one can. */
export const noBrowser = missing("chromium");

/** The overview of the demonstration's account. */
export const OVERVIEW = `/dashboard/${ACCOUNT}/interconnects`;

export interface Opened extends BrowserContextOptions {
  /** Parts of what the console may complain about: the browser itself reports every refused request there. */
  readonly expects?: readonly RegExp[];
}

export interface TestBrowser {
  /** A page of a browser profile of its own, gone with the test. */
  open(url: string, opened?: Opened): Promise<Page>;
}

/** One browser for the tests of a file, with the dashboard built. */
export function useBrowser(): TestBrowser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (noBrowser !== undefined) return;
    await buildDashboard();
    // As root, as in containers, Chromium has no sandbox.
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    });
  }, 120_000);
  afterAll(() => browser?.close());
  return {
    async open(url, { expects = [], ...options } = {}) {
      if (!browser) throw new Error(noBrowser ?? "the browser is not there");
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const complaints = listenTo(page);
      onTestFinished(async () => {
        await context.close();
        expect(complaints.filter((text) => !expects.some((expected) => expected.test(text)))).toEqual([]);
      });
      await page.goto(url);
      return page;
    },
  };
}

function listenTo(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    // The content-security policy speaks here too.
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("crash", () => complaints.push("the page crashed"));
  return complaints;
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds against WCAG 2.2 AA and good practice, a line each with the places. */
export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = await page.evaluate(async (): Promise<AxeResults> => {
    const { axe: engine } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
    return engine.run();
  });
  return results.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
  );
}

/** As `expect.poll`, with the patience that a page on a busy machine needs. */
export function eventually<T>(look: () => T | Promise<T>) {
  return expect.poll(look, { timeout: 15_000 });
}

/** By how many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
