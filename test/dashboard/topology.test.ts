import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { neighbour } from "../../web/src/pages/topology/neighbour.ts";
import {
  eventually,
  noBrowser,
  type Opened,
  overflow,
  type Page,
  readable,
  useBrowser,
} from "../harness/browser.ts";
import { dashboardSeed, nameOf, reportHour, stateOf } from "../harness/dashboard-world.ts";
import { currentOf, HEALTH, reportOf } from "../harness/edge-report.ts";
import { needs } from "../harness/needs.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { ACCOUNT, startTestServer, type TestServer } from "../harness/server.ts";
import { idOf } from "../harness/worlds.ts";

const COUNT = 200;
/** Milliseconds from one report to the next. */
const REPORT_EVERY = 5_000;
const PATH = `/dashboard/${ACCOUNT}/topology`;
/** All that is written in the picture. */
const TEXTS = ".port-name, .port-end, .port-state svg, .panel-head h2, .edge-name";

interface Text extends Readonly<Record<"left" | "right" | "top" | "bottom" | "size", number>> {
  readonly text: string;
  readonly cut: boolean;
}

const numbers = Array.from({ length: COUNT }, (_, number) => number);

test("arrows lead to what lies beside, below and above", () => {
  const grid = [0, 1, 2, 3, 4].map((index) => ({ x: (index % 2) * 100, y: Math.floor(index / 2) * 20 }));
  const way = (key: string, from: number) => neighbour(key, from, grid);
  expect(["ArrowRight", "j", "ArrowDown", "End"].map((key) => way(key, 1))).toEqual([2, 2, 3, 4]);
  expect(["ArrowLeft", "k", "ArrowUp", "Home"].map((key) => way(key, 3))).toEqual([2, 2, 1, 0]);
  // Below the last of a row that is not full lies the nearest.
  expect(way("ArrowDown", 3)).toBe(4);
  expect([
    way("ArrowUp", 0),
    way("ArrowLeft", 0),
    way("ArrowRight", 4),
    way("ArrowDown", 4),
    way("x", 1),
  ]).toEqual(Array(5).fill(undefined));
  expect(neighbour("ArrowDown", -1, grid)).toBeUndefined();
});

describe("the topology", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, { seed: { name: "seed", text: dashboardSeed(COUNT) } });
  });
  afterAll(() => server.close());
  const browser = useBrowser();

  // As edges do: what they said longer ago than some seconds counts no more, however long the page takes.
  let reporting: NodeJS.Timeout | undefined;
  const keepReporting = async (report: () => Promise<unknown>) => {
    clearInterval(reporting);
    await report();
    reporting = setInterval(() => void report(), REPORT_EVERY);
  };
  afterEach(() => clearInterval(reporting));

  const open = async (query = "", opened: Opened = {}): Promise<Page> => {
    await keepReporting(() => reportHour(server, COUNT, 0));
    const page = await browser.signedIn(`${server.url}${PATH}${query}`, OWN_TOKEN, opened);
    await page.getByRole("heading", { name: "Topology" }).waitFor();
    await eventually(() => page.locator(".site-counts .healthy, .site-counts .down").count()).toBeGreaterThan(
      0,
    );
    return page;
  };
  const names = (page: Page) => page.locator(".port-name").allTextContents();
  const query = (page: Page) => decodeURIComponent(new URL(page.url()).search.replaceAll("+", " "));

  test.each([
    ["1440", 1440],
    ["360", 360],
  ])(
    "shows 200 with names that are read whole, and nothing over anything, at %s pixels",
    async (_, width) => {
      const page = await open("", { viewport: { width, height: 900 } });
      expect((await names(page)).toSorted()).toEqual(numbers.map(nameOf).toSorted());
      const texts: Text[] =
        await page.evaluate(`[...document.querySelectorAll(${JSON.stringify(TEXTS)})].map((one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect();
      const size = Number.parseFloat(getComputedStyle(one).fontSize);
      return { text: one.textContent, left, right, top, bottom, size, cut: one.scrollWidth > one.clientWidth + 1 };
    })`);
      expect(texts.length).toBeGreaterThan(3 * COUNT);
      expect(texts.filter(({ size }) => size < 11)).toEqual([]);
      expect(texts.filter(({ text, cut }) => cut && text !== "")).toEqual([]);
      const over = texts.flatMap((one, index) =>
        texts
          .slice(index + 1)
          .filter(
            (other) =>
              Math.min(one.right, other.right) - Math.max(one.left, other.left) > 0.5 &&
              Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 0.5,
          )
          .map((other) => `${one.text} and ${other.text}`),
      );
      expect(over).toEqual([]);
      expect(await overflow(page)).toBe(0);
    },
  );

  test("tells of each site how many are in which state, and which edges watch", async () => {
    const page = await open();
    const site = page.getByRole("region", { name: "ams01" });
    const here = numbers.filter((number) => number % 6 === 0 && Math.floor(number / 6) % 3 === 0);
    const counted = (state: string) => here.filter((number) => stateOf(number) === state).length;
    expect(await site.locator(".site-counts li").allTextContents()).toEqual(
      ["down", "degraded", "healthy"].flatMap((state) =>
        counted(state) > 0 ? [`${counted(state)} ${state}`] : [],
      ),
    );
    expect(await site.getByRole("list", { name: "Watched by" }).textContent()).toContain("core-1 provider");
    expect(await page.getByRole("list", { name: "Edges" }).textContent()).toContain(
      "core-1 provider at core",
    );
  });

  test("finds by typing and by state, folds sites, and keeps all of it in the address", async () => {
    const page = await open();
    await page.keyboard.press("/");
    await page.keyboard.type("ams03 backup");
    await eventually(() => query(page)).toBe("?q=ams03 backup");
    const wanted = numbers.filter((n) => n % 6 === 0 && Math.floor(n / 6) % 3 === 2 && n % 3 === 2);
    await eventually(() => names(page)).toEqual(wanted.map(nameOf));
    await page.getByLabel("Search").fill("ams");
    await eventually(() => page.getByRole("region").count()).toBe(3);
    await page.getByRole("button", { name: "ams02" }).click();
    await eventually(() => query(page)).toBe("?q=ams&folded=ams02");
    expect(await page.getByRole("region", { name: "ams02" }).locator(".port").count()).toBe(0);
    const again = await open("?q=ams&folded=ams01,ams02,ams03");
    expect(await names(again)).toEqual([]);
    await again.getByRole("button", { name: "Unfold all" }).click();
    await eventually(() => names(again).then(({ length }) => length)).toBe(34);
    const down = await open("?state=down");
    expect((await names(down)).toSorted()).toEqual(
      numbers
        .filter((number) => stateOf(number) === "down")
        .map(nameOf)
        .toSorted(),
    );
  });

  test("is gone through by keys, tells of the one that has the focus, and opens it", async () => {
    const page = await open("?q=ams01");
    await page.getByLabel("Search").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowRight");
    const second = numbers.filter((number) => number % 6 === 0 && Math.floor(number / 6) % 3 === 0)[1] ?? 0;
    await eventually(() => page.locator(".topology-details").textContent()).toContain(nameOf(second));
    expect(await page.locator(".topology-details").textContent()).toMatch(
      /10\.0\.0\.\d+\/31 – 10\.0\.0\.\d+MTU \d+/,
    );
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/interconnects/${idOf(second)}`);
  });

  test("shows a state as soon as an edge tells of another", async () => {
    const page = await open("?q=pni_ams_0000");
    await page.locator(".port.healthy").waitFor();
    const states = [currentOf("down", new Date().toISOString(), idOf(0))];
    const body = reportOf({ edge: "core-1", site: "core", states });
    await keepReporting(async () => {
      const { status } = await server.ask("POST", `${HEALTH}/reports`, { body, token: OWN_TOKEN });
      expect(status).toBe(200);
    });
    await page.locator(".port.down").waitFor({ timeout: 30_000 });
    expect(await page.getByRole("link", { name: "down: pni_ams_0000 10.0.0.1" }).count()).toBe(1);
  });

  test("is readable for everybody", { timeout: 120_000 }, async () => {
    await readable(await open("?q=ams01"));
  });
});
