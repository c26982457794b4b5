/**
 * The system's Chromium, driven as a person would. A page of it fails its test if it writes an error to the console,
 * throws, or is kept from something by its content-security policy.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page, type ViewportSize } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { buildDashboard } from "./dashboard.ts";
import { missing } from "./programs.ts";
import { ACCOUNT } from "./server.ts";

export type { Page } from "playwright-core";

/** Why no page can be looked at here; `undefined` if one can. */
export const noBrowser = missing("chromium");

/** The overview of the demonstration's account. */
export const OVERVIEW = `/dashboard/${ACCOUNT}/interconnects`;

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 700 };
/** As the page itself keeps it. */
const REMEMBERED = { name: "patchbay.remembered", value: "yes" };

export interface Opened {
  readonly viewport?: ViewportSize;
  /** Parts of what the console may complain about: the browser itself reports every refused request there. */
  readonly expects?: readonly RegExp[];
}

export interface TestBrowser {
  /** A page of a browser profile of its own, gone with the test. */
  open(url: string, opened?: Opened): Promise<Page>;
  /** A page, gone with the test, of the profile in which this token is signed in, which the tests of a file share. */
  signedIn(url: string, token: string, opened?: Opened): Promise<Page>;
}

/** One browser for the tests of a file, with the dashboard built. */
export function useBrowser(): TestBrowser {
  let browser: Browser | undefined;
  const profiles = new Map<string, Promise<BrowserContext>>();
  beforeAll(async () => {
    if (noBrowser !== undefined) return;
    await buildDashboard();
    // As root, as in containers, Chromium has no sandbox. What a graphics card would do takes longer without one.
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--disable-gpu", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    });
  }, 120_000);
  afterAll(() => browser?.close());
  const running = () => {
    if (!browser) throw new Error(noBrowser ?? "the browser is not there");
    return browser;
  };
  const show = async (context: BrowserContext, url: string, opened: Opened, over: () => Promise<void>) => {
    const { expects = [], viewport = WIDE } = opened;
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints = listenTo(page);
    onTestFinished(async () => {
      await over();
      await page.close();
      expect(complaints.filter((text) => !expects.some((expected) => expected.test(text)))).toEqual([]);
    });
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto(url);
    return page;
  };
  return {
    async open(url, opened = {}) {
      const context = await running().newContext();
      return show(context, url, opened, () => context.close());
    },
    async signedIn(url, token, opened = {}) {
      const { origin } = new URL(url);
      const key = `${origin} ${token}`;
      const profile = profiles.get(key) ?? signIn(running(), origin, token);
      profiles.set(key, profile);
      return show(await profile, url, opened, async () => undefined);
    },
  };
}

/** A profile in which somebody signed in and chose to be remembered. */
async function signIn(browser: Browser, origin: string, token: string): Promise<BrowserContext> {
  const context = await browser.newContext({
    storageState: { cookies: [], origins: [{ origin, localStorage: [REMEMBERED] }] },
  });
  const reply = await context.request.post(`${origin}/patchbay/v1/session`, {
    headers: { authorization: `Bearer ${token}` },
    data: { remember: true },
  });
  expect(reply.status()).toBe(200);
  return context;
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

/** What axe finds against WCAG 2.2 AA and good practice, or of some rules alone: a line each, with the places. */
export async function axe(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (await page.evaluate<boolean>("globalThis.axe === undefined")) await page.evaluate(axeSource);
  const options = rules ? { runOnly: { type: "rule", values: rules } } : {};
  const results = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return results.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
  );
}

/** Fails unless everybody can read a page as it stands: in both themes, on a desk and on a phone. */
export async function readable(page: Page): Promise<void> {
  for (const viewport of [PHONE, WIDE]) {
    await page.setViewportSize(viewport);
    await painted(page);
    expect(await overflow(page)).toBe(0);
    expect(await axe(page), `${viewport.width} pixels`).toEqual([]);
  }
  // All else is the same in both.
  await turn(page, "dark");
  expect(await axe(page, ["color-contrast"]), "dark").toEqual([]);
  await turn(page, "light");
}

async function turn(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await painted(page);
  expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(colorScheme);
}

/** Resolves once what was changed is laid out, also what follows from it. */
async function painted(page: Page): Promise<void> {
  await page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))",
  );
}

/** As `expect.poll`, with the patience that a page on a busy machine needs. */
export function eventually<T>(look: () => T | Promise<T>) {
  return expect.poll(look, { timeout: 15_000, interval: 100 });
}

/** What the main threads of pages computed while something was done, in milliseconds of CPU time. */
export interface Computed {
  /** Of the longest task: while it runs, a page answers no key and draws nothing. */
  readonly longest: number;
  readonly total: number;
}

/** An event of a trace, where it is one of those that are read. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of CPU time of the thread, which does not grow while another process has the processor. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Measures what pages compute while something is done. */
export async function computed(page: Page, act: () => Promise<unknown>): Promise<Computed> {
  const browser = page.context().browser();
  if (browser === null) throw new TypeError("the page has no browser");
  await browser.startTracing(undefined, { categories: ["disabled-by-default-devtools.timeline"] });
  let trace: Buffer;
  try {
    await act();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents }: { traceEvents: readonly TraceEvent[] } = JSON.parse(trace.toString());
  const thread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(thread),
  );
  // One that runs when the trace ends has no end.
  const tasks = traceEvents
    .filter((event) => event.name === "RunTask" && main.has(thread(event)))
    .map(({ tdur = 0 }) => tdur / 1000);
  const total = tasks.reduce((sum, time) => sum + time, 0);
  if (total === 0) throw new Error("The browser does not measure the CPU time of its threads.");
  return { longest: Math.max(...tasks), total };
}

/** By how many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
