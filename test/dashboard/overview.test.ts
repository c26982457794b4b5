import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  axe,
  eventually,
  noBrowser,
  type Opened,
  OVERVIEW,
  type Page,
  readable,
  useBrowser,
} from "../harness/browser.ts";
import { dashboardSeed, nameOf, reportHour, stateOf } from "../harness/dashboard-world.ts";
import { needs } from "../harness/needs.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { one, startTestServer, type TestServer } from "../harness/server.ts";
import { idOf } from "../harness/worlds.ts";

const COUNT = 120;
const numbers = Array.from({ length: COUNT }, (_, number) => number);

describe("the overview", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, { seed: { name: "seed", text: dashboardSeed(COUNT) } });
    await reportHour(server, COUNT);
  });
  afterAll(() => server.close());
  const browser = useBrowser();

  /** The overview, signed in, with its rows. */
  const open = async (query = "", opened: Opened = {}): Promise<Page> => {
    // Edges report every few seconds; what they said longer ago counts no more.
    await reportHour(server, COUNT, 0);
    const page = await browser.signedIn(`${server.url}${OVERVIEW}${query}`, OWN_TOKEN, opened);
    await page.getByRole("heading", { name: "Interconnects" }).waitFor();
    await eventually(() => page.getByRole("status").allTextContents()).toContain("Live");
    return page;
  };
  const names = (page: Page) => page.locator(".one .cell-name").allTextContents();
  const status = (page: Page) => page.locator(".overview-head [role=status]").textContent();
  const query = (page: Page) => decodeURIComponent(new URL(page.url()).search.replaceAll("+", " "));
  const row = (page: Page, number: number) => page.locator(`#row-${idOf(number)}`);
  const active = (page: Page) => page.locator(".one.active .cell-name").allTextContents();

  test("shows of each its state, site, address, MTU, hour, latency, loss, and who changed it last", async () => {
    const headers = { "x-patchbay-reason": "Less for the new carrier" };
    await server.ask("PUT", one(idOf(0)), { body: { mtu: 1333 }, headers, token: OWN_TOKEN });
    const page = await open();
    const cells = row(page, 0).getByRole("gridcell");
    await eventually(() => cells.last().textContent()).toMatch(/^\d+ s ago network team$/);
    expect(await cells.last().locator("span").first().getAttribute("title")).toMatch(
      / UTC · revision \d+ · by network team · Less for the new carrier$/,
    );
    const texts = await cells.allTextContents();
    expect(texts.slice(1, 6)).toEqual([
      expect.stringMatching(/^healthy\d+ s$/),
      "pni_ams_0000",
      "ams01",
      "10.0.0.0/31",
      "1333",
    ]);
    await eventually(() => row(page, 0).locator("svg[role=img]").first().getAttribute("aria-label")).toMatch(
      /^Last hour: (59|60) minutes without loss, 0 with some, 0 with no answer, [01] not probed$/,
    );
    expect(texts.at(7)).toMatch(/2\.0 ms$/);
    expect(texts.at(8)).toBe("0 %");
  });

  test("finds by words, keeps them in the address, and begins with those of the address", async () => {
    const page = await open();
    await page.getByLabel("Search").fill("backup iad");
    await eventually(() => query(page)).toBe("?q=backup iad");
    const wanted = numbers.filter((number) => number % 3 === 2 && nameOf(number).includes("iad"));
    await eventually(() => status(page)).toBe(`${wanted.length} of ${COUNT}`);
    expect(await names(page)).toEqual(wanted.map(nameOf));
    const again = await open("?q=10.0.0.14/31&sort=mtu&nonsense=1");
    expect(await names(again)).toEqual([nameOf(7)]);
    expect(await again.getByLabel("Search").inputValue()).toBe("10.0.0.14/31");
    await again.getByLabel("Search").fill("nothing is called so");
    await again.getByRole("heading", { name: "None fits" }).waitFor();
    expect(await axe(again)).toEqual([]);
    await again.getByRole("button", { name: "Show all" }).click();
    await eventually(() => status(again)).toBe(String(COUNT));
    expect(query(again)).toBe("");
  });

  test("filters by state and site, and counts what each state has", async () => {
    const page = await open();
    const down = numbers.filter((number) => stateOf(number) === "down");
    const chip = page.getByRole("button", { name: "down" });
    await eventually(() => chip.textContent()).toBe(`down ${down.length}`);
    await chip.click();
    await eventually(() => query(page)).toBe("?state=down");
    await eventually(() => names(page)).toEqual(down.map(nameOf).sort());
    await page.getByRole("button", { name: "degraded" }).click();
    await eventually(() => query(page)).toBe("?state=down,degraded");
    await page.getByLabel("Site").selectOption("sin01");
    await eventually(() => query(page)).toBe("?state=down,degraded&site=sin01");
    const there = numbers.filter((number) => number % 18 === 5 && stateOf(number) !== "healthy");
    await eventually(() => names(page)).toEqual(there.map(nameOf));
    await page.goBack().catch(() => undefined);
  });

  test("sorts by each column, both ways, the unknown last, and keeps that in the address", async () => {
    const page = await open();
    const sort = (title: string) => page.getByRole("columnheader").getByText(title, { exact: true }).click();
    await sort("State");
    await eventually(() => query(page)).toBe("?sort=state");
    const bad = numbers
      .filter((number) => stateOf(number) === "down")
      .map(nameOf)
      .sort();
    await eventually(async () => (await names(page)).slice(0, bad.length)).toEqual(bad);
    expect(await page.locator("[aria-sort=ascending]").allTextContents()).toEqual(["State"]);
    await sort("Interface");
    await sort("Interface");
    await eventually(() => query(page)).toBe("?sort=-address");
    await eventually(async () => (await names(page)).slice(0, 2)).toEqual([119, 118].map(nameOf));
    await sort("Loss");
    await sort("Loss");
    await eventually(async () => (await names(page)).slice(0, bad.length)).toEqual(bad);
    await sort("Latency");
    await sort("Latency");
    expect(bad).not.toContain((await names(page))[0]);
    await sort("Name");
    await eventually(() => query(page)).toBe("");
  });

  test("is driven by the keyboard", async () => {
    const page = await open();
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const order = [...numbers].map(nameOf).sort();
    await press("j", "j", "ArrowDown", "k");
    await eventually(() => active(page)).toEqual([order[1]]);
    await press("x", "j", "Space", "PageDown");
    await eventually(() => active(page)).toEqual([order[12]]);
    await eventually(() => status(page)).toBe(`${COUNT} · 2 selected`);
    expect(await page.locator("[role=row][aria-selected=true] .cell-name").allTextContents()).toEqual(
      order.slice(1, 3),
    );
    await press("End");
    await eventually(() => active(page)).toEqual([order.at(-1)]);
    await press("Home");
    await eventually(() => active(page)).toEqual([order[0]]);
    await press("Escape");
    await eventually(() => status(page)).toBe(String(COUNT));
    await press("/");
    await page.keyboard.type("lhr03 jk");
    await eventually(() => query(page)).toBe("?q=lhr03 jk");
    for (let n = 0; n < 3; n++) await press("Backspace");
    await eventually(() => query(page)).toBe("?q=lhr03");
    await press("Enter", "j");
    const here = order.filter((name) => name.includes("lhr")).filter((_, n) => n % 3 === 2);
    await eventually(() => names(page)).toEqual(here);
    await eventually(() => active(page)).toEqual([here[1]]);
    await press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    expect(await axe(page)).toEqual([]);
    await press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("grid").focus();
    await press("Enter");
    await page.getByRole("heading", { name: here[1] ?? "" }).waitFor();
    await page.goBack();
    await eventually(() => query(page)).toBe("?q=lhr03");
  });

  test("selects all that are shown, and keeps them over a page", async () => {
    const page = await open("?state=down");
    const count = numbers.filter((number) => stateOf(number) === "down").length;
    await page.getByLabel("Select all that are shown").check();
    await eventually(() => status(page)).toBe(`${count} of ${COUNT} · ${count} selected`);
    await page.locator(".one .cell-name a").first().click();
    await page.getByText("Settings").waitFor();
    await page.getByRole("link", { name: "Interconnects" }).first().click();
    await eventually(() => status(page)).toBe(`${COUNT} · ${count} selected`);
    await page.getByRole("button", { name: "Select nothing" }).click();
    await eventually(() => status(page)).toBe(String(COUNT));
  });

  test("shows a change as it is made, of one or of many, and what edges report", async () => {
    const page = await open("?q=_000");
    const put = (body: unknown) => server.ask("PUT", one("").slice(0, -1), { body, token: OWN_TOKEN });
    await put([{ id: idOf(1), mtu: 1290, description: "moved" }]);
    await eventually(() => row(page, 1).locator(".cell-mtu").textContent()).toBe("1290");
    await eventually(() => row(page, 1).locator(".cell-changed").textContent()).toMatch(
      /s ago network team$/,
    );
    await put(numbers.map((id) => ({ id: idOf(id), mtu: 1234 })));
    await eventually(() => row(page, 2).locator(".cell-mtu").textContent()).toBe("1234");
    await reportHour(server, 1, 0);
    // What was told counts for some seconds yet.
    await expect
      .poll(() => row(page, 2).locator(".cell-state").textContent(), { timeout: 45_000 })
      .toBe("unknown");
  });

  test("after a reset shows the new world", async () => {
    // The browser complains of the 410 by which the page learns of it.
    const page = await open("?q=_0001", { expects: [/status of 410/] });
    await server.ask("PUT", one(idOf(1)), { body: { mtu: 1111 }, token: OWN_TOKEN });
    await eventually(() => row(page, 1).locator(".cell-mtu").textContent()).toBe("1111");
    await server.reset();
    await eventually(() => row(page, 1).locator(".cell-mtu").textContent()).toBe("1476");
    await server.ask("PUT", one(idOf(1)), { body: { mtu: 1222 }, token: OWN_TOKEN });
    await eventually(() => row(page, 1).locator(".cell-mtu").textContent()).toBe("1222");
    await reportHour(server, COUNT);
  });

  test("is readable for everybody", { timeout: 120_000 }, async () => {
    const page = await open("?q=_000");
    await page.getByLabel(`Select ${nameOf(0)}`).check();
    await page.keyboard.press("j");
    await readable(page);
    await page.getByRole("button", { name: "Who is signed in" }).click();
    await readable(page);
    await page.setViewportSize({ width: 360, height: 700 });
    await eventually(() => row(page, 0).evaluate((element) => element.clientHeight)).toBeGreaterThan(60);
  });

  test("the theme that was chosen stays", async () => {
    const page = await browser.open(server.url + OVERVIEW);
    await page.getByLabel("API token").waitFor();
    const theme = () => page.evaluate("document.documentElement.dataset.theme");
    expect(await theme()).toBe("light");
    await page.getByRole("button", { name: /^Theme/ }).click();
    await page.getByRole("button", { name: /^Theme/ }).click();
    expect(await theme()).toBe("dark");
    await page.reload();
    await page.getByLabel("API token").waitFor();
    expect(await theme()).toBe("dark");
  });
});
