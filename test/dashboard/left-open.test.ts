import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, noBrowser, OVERVIEW, type Page, useBrowser } from "../harness/browser.ts";
import { dashboardSeed, reportHour } from "../harness/dashboard-world.ts";
import { needs } from "../harness/needs.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { ACCOUNT, one, startTestServer, type TestServer } from "../harness/server.ts";
import { idOf } from "../harness/worlds.ts";

const COUNT = 60;
/** As many as a busy account has on a day, one after the other. */
const CHANGES = 240;
const MEGABYTE = 1 << 20;

describe("a page that is left open", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, { seed: { name: "seed", text: dashboardSeed(COUNT) } });
    await reportHour(server, COUNT);
  });
  afterAll(() => server.close());
  const browser = useBrowser();

  /** What is held after everything that can go is gone: bytes of script, and elements. */
  const held = async (page: Page) => {
    const count = () => page.evaluate<number>("document.querySelectorAll('*').length");
    // Hours come after rows.
    await eventually(async () => {
      const nodes = await count();
      await page.waitForTimeout(1_500);
      return (await count()) - nodes;
    }).toBe(0);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize } = await devtools.send("Runtime.getHeapUsage");
    const nodes = await count();
    await devtools.detach();
    return { megabytes: usedSize / MEGABYTE, nodes };
  };
  const change = async (from: number, to: number) => {
    for (let number = from; number < to; number++) {
      const mtu = 1300 + (number % 100);
      const { status } = await server.ask("PUT", one(idOf(number % COUNT)), {
        body: { mtu },
        token: OWN_TOKEN,
      });
      expect(status).toBe(200);
      if (number % 40 === 0) await reportHour(server, COUNT);
    }
  };

  test.each([
    ["overview", OVERVIEW, (page: Page) => page.locator(`#row-${idOf(0)} .cell-mtu`)],
    ["topology", `/dashboard/${ACCOUNT}/topology`, (page: Page) => page.locator(".topology-details")],
  ])("is right after a day's changes and has not grown: %s", { timeout: 180_000 }, async (_, path, mtuIn) => {
    const page = await browser.signedIn(server.url + path, OWN_TOKEN);
    await eventually(() => page.getByRole("status").allTextContents()).toContain("Live");
    if (path !== OVERVIEW) await page.getByRole("link", { name: /pni_ams_0000/ }).hover();
    await change(0, 60);
    await eventually(() => mtuIn(page).textContent()).toContain("1300");
    const before = await held(page);
    await change(60, 60 + CHANGES);
    // The last of the first.
    await eventually(() => mtuIn(page).textContent()).toContain(String(1300 + (CHANGES % 100)));
    const after = await held(page);
    expect(Math.abs(after.nodes - before.nodes)).toBeLessThan(before.nodes / 20);
    expect(after.megabytes - before.megabytes).toBeLessThan(4);
  });
});
