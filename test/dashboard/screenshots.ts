/**
 * Pictures of the dashboard's pages for `docs/screenshots/`, in both themes, of a world like that of the tests:
 * `npm run screenshots`. The system's Chromium, as root or not.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { buildDashboard } from "../harness/dashboard.ts";
import { dashboardSeed, reportHour } from "../harness/dashboard-world.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { ACCOUNT, LIST, OWN, one, ROUTES, startTestServer, type TestServer } from "../harness/server.ts";
import { idOf } from "../harness/worlds.ts";

const COUNT = 60;
const WINDOW = { width: 1280, height: 800 };
const FOLDER = join(import.meta.dirname, "..", "..", "docs", "screenshots");
const PAGES = `/dashboard/${ACCOUNT}`;

/** A page, its address, and what is done there before the picture is taken. */
type Shot = readonly [name: string, path: string, arrange: (page: Page) => Promise<unknown>];

const three = [0, 6, 12].map(idOf).join(",");
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** The fields of three, with a new value in each. */
async function fill(page: Page, mtu: string): Promise<void> {
  await page.getByRole("heading", { name: "Change 3 interconnects" }).waitFor();
  await page.getByRole("navigation", { name: "Fields" }).getByRole("button", { name: "MTU" }).click();
  await page.getByLabel("For all 3").fill(mtu);
}

async function plan(page: Page): Promise<void> {
  await fill(page, "1380");
  await button(page, "Plan").click();
  await page.getByRole("heading", { name: "Apply" }).waitFor();
}

const SHOTS: readonly Shot[] = [
  ["interconnects", `${PAGES}/interconnects`, (page) => page.locator(".one svg[role=img]").first().waitFor()],
  [
    "interconnect",
    `${PAGES}/interconnects/${idOf(0)}`,
    (page) => page.locator(".uplot canvas").first().waitFor(),
  ],
  ["change", `${PAGES}/change?ids=${three}`, (page) => fill(page, "1500")],
  ["plan", `${PAGES}/change?ids=${three}`, plan],
  [
    "live",
    `${PAGES}/change?ids=${three}`,
    async (page) => {
      await plan(page);
      await page.getByLabel("Reason").fill("Less for the new carrier, ticket 4712");
      await page.getByLabel("To be confirmed within").fill("5");
      await page.getByLabel("or when one that was healthy is down").check();
      await button(page, "Apply, to be confirmed").click();
      await page.getByRole("timer").waitFor();
    },
  ],
  ["history", `${PAGES}/history`, (page) => page.locator(".change-row").nth(3).waitFor()],
  ["topology", `${PAGES}/topology`, (page) => page.locator(".port.healthy").first().waitFor()],
  [
    "inspector",
    `${PAGES}/inspector`,
    async (page) => {
      await page.getByRole("link", { name: /400/ }).first().click();
      await page.getByRole("heading", { name: /^Request \d+$/ }).waitFor();
    },
  ],
];

async function changeSome(server: TestServer): Promise<void> {
  const reason = (text: string) => ({ "x-patchbay-reason": text });
  const ask = (method: string, path: string, body: unknown, headers = {}) =>
    server.ask(method, path, { body, headers, token: OWN_TOKEN });
  await ask("PUT", one(idOf(0)), { mtu: 1400 }, reason("Less for the new carrier, ticket 4711"));
  await ask("POST", ROUTES, { prefix: "172.16.0.0/16", nexthop: "10.0.0.1", priority: 100 });
  const faster = [0, 6, 12].map((number) => ({ id: idOf(number), health_check: { rate: "high" } }));
  await ask("PUT", LIST, faster, reason("Watch Amsterdam closer while it moves"));
  await ask("PUT", one(idOf(1)), { mtux: 1400 });
}

/** Otherwise nothing else could be changed in the next theme. */
async function revertWhatWaits(server: TestServer): Promise<void> {
  const { body } = await server.ask("GET", `${OWN}/changes?limit=1`, { token: OWN_TOKEN });
  const path = `${OWN}/changes/${body.result[0].revision}/revert`;
  const { status } = await server.ask("POST", path, { body: {}, token: OWN_TOKEN });
  if (status !== 200) throw new Error(`${path}: ${status}`);
}

async function main(): Promise<void> {
  await buildDashboard();
  mkdirSync(FOLDER, { recursive: true });
  const server = await startTestServer(
    { sandbox: true },
    { seed: { name: "seed", text: dashboardSeed(COUNT) } },
  );
  await changeSome(server);
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ viewport: WINDOW, colorScheme });
      const page = await context.newPage();
      const shoot = (name: string) => page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}.png`) });
      await page.goto(server.url);
      await page.getByLabel("API token").waitFor();
      await shoot("sign-in");
      await page.getByLabel("API token").fill(OWN_TOKEN);
      await page.getByLabel("Remember until the browser is closed").check();
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Interconnects" }).waitFor();
      for (const [name, path, arrange] of SHOTS) {
        await reportHour(server, COUNT);
        await page.goto(server.url + path);
        await arrange(page);
        await page.waitForTimeout(1_500);
        await shoot(name);
      }
      await revertWhatWaits(server);
      await context.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

await main();
