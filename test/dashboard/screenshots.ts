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
import { ACCOUNT, LIST, one, ROUTES, startTestServer, type TestServer } from "../harness/server.ts";
import { idOf } from "../harness/worlds.ts";

const COUNT = 60;
const WINDOW = { width: 1280, height: 800 };
const FOLDER = join(import.meta.dirname, "..", "..", "docs", "screenshots");
const PAGES = `/dashboard/${ACCOUNT}`;

type Shot = readonly [name: string, path: string, ready: (page: Page) => Promise<unknown>];

const heading = (name: string) => (page: Page) => page.getByRole("heading", { name, level: 1 }).waitFor();

const SHOTS: readonly Shot[] = [
  ["interconnects", `${PAGES}/interconnects`, (page) => page.locator(".one svg[role=img]").first().waitFor()],
  ["topology", `${PAGES}/topology`, (page) => page.locator(".port.healthy").first().waitFor()],
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
      await heading("Sign in")(page).catch(() => page.getByLabel("API token").waitFor());
      await shoot("sign-in");
      await page.getByLabel("API token").fill(OWN_TOKEN);
      await page.getByLabel(/Remember|Stay/i).check();
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Interconnects" }).waitFor();
      for (const [name, path, ready] of SHOTS) {
        await reportHour(server, COUNT);
        await page.goto(server.url + path);
        await ready(page);
        await page.waitForTimeout(1_500);
        await shoot(name);
      }
      await context.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

await main();
