import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { computed, eventually, noBrowser, type Page, useBrowser } from "../harness/browser.ts";
import { dashboardSeed, nameOf, reportHour } from "../harness/dashboard-world.ts";
import { needs } from "../harness/needs.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";

const COUNT = 10_000;
/** Of so many the last hour is known. */
const MEASURED = 150;

/** Milliseconds of CPU time. A page that is busy for longer is felt to stutter. */
const LONGEST_TASK = 100;
/** Milliseconds of CPU time that the page computes before somebody can sign in. */
const FIRST_PAGE = 1_000;
/** Bytes of script that the first page may load, compressed. */
const MOST_SCRIPT = 300 * 1024;

describe("with 10,000 interconnects", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, { seed: { name: "seed", text: dashboardSeed(COUNT) } });
    await reportHour(server, COUNT, MEASURED);
  }, 120_000);
  afterAll(async () => {
    await server.close();
  });
  const browser = useBrowser();

  const open = async (): Promise<Page> => {
    await reportHour(server, COUNT, 0);
    const page = await browser.signedIn(server.url, OWN_TOKEN);
    await eventually(() => status(page)).toBe("10,000");
    await eventually(() => page.locator(".one .cell-name").first().textContent()).toBe(nameOf(0));
    return page;
  };
  const status = (page: Page) => page.locator(".overview-head [role=status]").textContent();

  test("it scrolls without a stutter, and all that is passed is there", async () => {
    const page = await open();
    await page.getByRole("grid").hover();
    const { longest } = await computed(page, async () => {
      for (let turn = 0; turn < 40; turn++) {
        await page.mouse.wheel(0, turn < 30 ? 700 : 30_000);
        await page.waitForTimeout(30);
      }
    });

    expect(longest).toBeLessThan(LONGEST_TASK);
    await page.keyboard.press("End");
    await eventually(() => page.locator(".one.active").getAttribute("aria-rowindex")).toBe(String(COUNT + 1));
    // Only what is seen is made, and a little more.
    expect(await page.locator(".one").count()).toBeLessThan(70);
  });

  test("it finds, filters and sorts without a stutter", async () => {
    const page = await open();
    const { longest } = await computed(page, async () => {
      await page.getByLabel("Search").pressSequentially("transit fra", { delay: 60 });
      await eventually(() => status(page)).toMatch(/^1,66[67] of 10,000$|^0 of/);
      await page.getByLabel("Search").fill("");
      await eventually(() => status(page)).toBe("10,000");
      await page.getByRole("button", { name: "down" }).click();
      await eventually(() => status(page)).toMatch(/^271 of 10,000/);
      await page.getByRole("button", { name: "down" }).click();
      for (const column of ["Interface", "State", "Latency", "Last change"]) {
        await page.getByRole("columnheader").getByText(column, { exact: true }).click();
        await page.waitForTimeout(150);
      }
      await page.getByLabel("Select all that are shown").check();
      await eventually(() => status(page)).toBe("10,000 · 10,000 selected");
    });

    expect(longest).toBeLessThan(LONGEST_TASK);
  });

  test("the first page takes a second of computing at most, and the script weighs less than 300 KB", async () => {
    const page = await open();
    const { total } = await computed(page, async () => {
      const fresh = await browser.open(server.url);
      await fresh.getByLabel("API token").waitFor();
      await fresh.waitForFunction("performance.getEntriesByName('first-contentful-paint').length > 0");
    });
    expect(total).toBeLessThan(FIRST_PAGE);
    const sizes: Record<string, number> = await page.evaluate(`Object.fromEntries(
      performance.getEntriesByType("resource")
        .filter(({ name }) => name.endsWith(".js"))
        .map(({ name, encodedBodySize }) => [name, encodedBodySize]))`);
    const scripts = Object.keys(sizes);
    expect(scripts.length).toBeGreaterThan(1);
    for (const script of scripts) {
      const sent = await fetch(script, { headers: { "accept-encoding": "br" } });
      expect(sent.headers.get("content-encoding")).toBe("br");
    }
    expect(Object.values(sizes).reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_SCRIPT);
  });
});
