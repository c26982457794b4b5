import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  axe,
  eventually,
  noBrowser,
  type Opened,
  type Page,
  readable,
  useBrowser,
} from "../harness/browser.ts";
import { dashboardSeed, nameOf } from "../harness/dashboard-world.ts";
import { needs } from "../harness/needs.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { ACCOUNT, LIST, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";
import { idOf } from "../harness/worlds.ts";

const HISTORY = `/dashboard/${ACCOUNT}/history`;
const READER = "reader-of-the-tests-".padEnd(40, "0");

/** The world of the overview, with a token that may only read. */
const seed = `${dashboardSeed(40)}  - id: "${idOf(2)}"
    name: reader
    value: ${READER}
    policies:
      - effect: allow
        accounts: ["*"]
        permission_groups: [Magic WAN Read, Patchbay Read]
`;

describe("the history", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, { seed: { name: "seed", text: seed } });
  });
  afterAll(() => server.close());
  const browser = useBrowser();

  const send = async (method: string, path: string, body: unknown, more: Record<string, string> = {}) => {
    const reply = await server.ask(method, path, { body, headers: more, token: OWN_TOKEN });
    expect(reply.status).toBe(200);
    return Number(reply.headers.get("x-patchbay-revision"));
  };
  const put = (number: number, body: unknown, more: Record<string, string> = {}) =>
    send("PUT", one(idOf(number)), body, more);

  const open = async (query = "", opened: Opened = {}, token = OWN_TOKEN): Promise<Page> => {
    const page = await browser.signedIn(`${server.url}${HISTORY}${query}`, token, opened);
    await page.locator("h1", { hasText: "History" }).waitFor({ state: "attached" });
    await eventually(() => page.getByRole("status").allTextContents()).toContain("Live");
    return page;
  };
  const row = (page: Page, revision: number) =>
    page.locator(".change-row").filter({ has: page.locator(`[data-revision="${revision}"]`) });
  const link = (page: Page, revision: number) => page.locator(`[data-revision="${revision}"]`);
  const revisions = (page: Page) => page.locator(".row-revision").allTextContents();
  const query = (page: Page) => decodeURIComponent(new URL(page.url()).search.replaceAll("+", " "));
  const status = (page: Page) => page.locator(".history-head [role=status]").textContent();
  /** Of all objects that are shown: `name: field before → after`. */
  const differences = (page: Page, within = ".panel-beside") =>
    page
      .locator(`${within} .difference`)
      .evaluateAll((all) =>
        all.flatMap((object) =>
          [...object.querySelectorAll("tbody tr")].map((line) =>
            [object.querySelector("h3"), ...line.children].map((cell) => cell?.textContent).join(" "),
          ),
        ),
      );
  const mtu = async (number: number) =>
    (await server.ask("GET", one(idOf(number)), { token: OWN_TOKEN })).body.result.interconnect.mtu;

  test("tells who did what, when and why, the newest first, and what is made while one looks", async () => {
    const page = await open();
    const first = await put(0, { mtu: 1400 }, { "x-patchbay-reason": "Less for the new carrier" });
    await eventually(() => link(page, first).textContent()).toBe(`${nameOf(0)}: mtu 1476 → 1400`);
    const told = row(page, first);
    expect(await told.locator(".row-reason").textContent()).toBe("Less for the new carrier");
    expect(await told.locator(".row-who").textContent()).toBe("network team");
    expect(await told.locator(".row-about").textContent()).toBe("update interconnect");
    expect(await told.locator(".row-time").textContent()).toMatch(/^\d\d:\d\d:\d\d$/);
    const many = await send("PUT", LIST, {
      interconnects: [1, 2, 3].map((number) => ({ id: idOf(number), mtu: 1410 })),
    });
    await eventually(() => link(page, many).textContent()).toBe("3 interconnects: mtu");
    expect((await revisions(page)).slice(0, 2)).toEqual([String(many), String(first)]);
    expect(await page.locator(".day h2").first().textContent()).toMatch(
      /^Today, [A-Z][a-z]+day \d+ [A-Z][a-z]+ \d{4}$/,
    );
  });

  test("tells what waits and for how long, what was confirmed, and what was undone and why", async () => {
    const page = await open();
    const waiting = await put(5, { mtu: 1401 }, { "x-patchbay-confirm-within": "300" });
    const outcome = (revision: number) => row(page, revision).locator(".row-outcome").textContent();
    await eventually(() => outcome(waiting)).toMatch(/^waits [45]:\d\d$/);
    await send("POST", `${OWN}/changes/${waiting}/extend`, { confirm_within: 7200 });
    await eventually(() => outcome(waiting)).toMatch(/^waits (1:59:\d\d|2:00:00)$/);
    await link(page, waiting).click();
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await eventually(() => outcome(waiting)).toBe("confirmed");
    await eventually(() => page.locator(".panel-beside .outcome-badge").textContent()).toBe(
      "confirmed by network team",
    );
    const late = await put(5, { mtu: 1402 }, { "x-patchbay-confirm-within": "5" });
    await link(page, late).click();
    await eventually(() => page.locator(".panel-beside .outcome-badge").textContent()).toBe(
      "undone: not confirmed in time",
    );
    expect(await outcome(late)).toBe("undone");
    expect(await page.getByRole("button", { name: "Revert …" }).count()).toBe(0);
  });

  test("finds by words, by who, and by object, and keeps that in the address", async () => {
    const revision = await put(7, { mtu: 1311 }, { "x-patchbay-reason": "Ticket 4711" });
    const page = await open();
    await page.getByLabel("Search").fill("ticket 4711");
    await eventually(() => query(page)).toBe("?q=ticket 4711");
    await eventually(() => revisions(page)).toEqual([String(revision)]);
    await eventually(() => status(page)).toMatch(/^1 found in (\d+) of \1 changes$/);
    await page.getByLabel("Search").fill("nothing has this");
    await page.getByText("None of the changes that were looked at fits.").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await eventually(() => query(page)).toBe("");
    await page.getByLabel("Who", { exact: true }).selectOption("Patchbay");
    await eventually(() => query(page)).toBe("?by=Patchbay");
    await eventually(async () => (await revisions(page)).at(-1)).toBe("1");
    // The rows follow the address.
    await eventually(async () => [...new Set(await page.locator(".row-who").allTextContents())]).toEqual([
      "Patchbay",
    ]);
    await link(page, 1).click();
    await eventually(() => query(page)).toBe("?by=Patchbay&change=1");

    const again = await open(`?object=${idOf(7)}&nonsense=1`);
    await eventually(() => revisions(again)).toEqual([String(revision), "1"]);
    await again.getByRole("button", { name: `Of ${nameOf(7)} alone. Show all` }).click();
    await eventually(async () => (await revisions(again)).length).toBeGreaterThan(2);
  });

  test("opens a change and shows it field by field", async () => {
    const revision = await put(8, { mtu: 1300, health_check: { rate: "high" } });
    const page = await open(`?change=${revision}`);
    await page.getByRole("heading", { name: `Change ${revision}` }).waitFor();
    await eventually(() => differences(page)).toEqual([
      `${nameOf(8)} health_check.rate low → high`,
      `${nameOf(8)} mtu 1476 → 1300`,
    ]);
    expect(await row(page, revision).getAttribute("class")).toContain("open");
    await page.getByRole("button", { name: `All its changes: ${nameOf(8)}` }).click();
    await eventually(() => revisions(page)).toEqual([String(revision), "1"]);
    const none = await open("?change=99999", { expects: [/status of 404/] });
    await none.getByRole("alert").getByText("99999").waitFor();
  });

  test("compares two revisions, net of what was changed back, in both directions", async () => {
    const before = await put(9, { mtu: 1400 });
    await put(9, { mtu: 1300 });
    await put(10, { mtu: 1222 });
    await put(10, { mtu: 1476 });
    const after = await put(9, { mtu: 1200, description: "moved" });
    const page = await open();
    await page.getByLabel(`Mark revision ${before}`).check();
    await page.getByLabel(`Mark revision ${after}`).check();
    await page.getByRole("button", { name: `Compare ${before} and ${after}` }).click();
    await eventually(() => query(page)).toBe(`?from=${before}&to=${after}`);
    await eventually(() => differences(page)).toEqual([
      `${nameOf(9)} description Transit of customer 1009 → moved`,
      `${nameOf(9)} mtu 1400 → 1200`,
    ]);
    await page.getByRole("button", { name: "Swap" }).click();
    await eventually(() => query(page)).toBe(`?from=${after}&to=${before}`);
    await eventually(() => differences(page)).toContain(`${nameOf(9)} mtu 1200 → 1400`);
    const now = await open(`?from=${after}`);
    await now.getByText("Nothing differs.").waitFor();
    await put(9, { mtu: 1444 });
    await eventually(() => differences(now)).toEqual([`${nameOf(9)} mtu 1200 → 1444`]);
    await now.getByLabel("to", { exact: true }).fill("99999");
    await now.getByRole("button", { name: "Compare" }).click();
    await now.getByText("There is no revision 99999: the newest is").waitFor();
  });

  test("reverts a change with a plan, a reason and a time to confirm", async () => {
    const revision = await put(11, { mtu: 1290 });
    const page = await open(`?change=${revision}`);
    await page.getByRole("button", { name: "Revert …" }).click();
    const dialog = page.getByRole("dialog", { name: `Revert change ${revision}` });
    await dialog.getByText("In one change, this is set back: 1 interconnect.").waitFor();
    expect(await differences(page, "dialog")).toEqual([`${nameOf(11)} mtu 1290 → 1476`]);
    expect(await axe(page)).toEqual([]);
    await dialog.getByLabel("Reason").fill("Für den Kunden – zurück");
    await dialog.getByLabel("To be confirmed within").fill("soon");
    await dialog.getByRole("button", { name: "Revert, to be confirmed" }).click();
    await dialog.getByText("It is a number of minutes").waitFor();
    expect(await mtu(11)).toBe(1290);
    await dialog.getByLabel("To be confirmed within").fill("5");
    await dialog.getByRole("button", { name: "Revert, to be confirmed" }).click();
    await page.getByRole("heading", { name: `Change ${revision + 1}` }).waitFor();
    await page.locator(".panel-facts").getByText("Für den Kunden – zurück").waitFor();
    expect(await mtu(11)).toBe(1476);
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await eventually(() => row(page, revision).locator(".row-outcome").textContent()).toBe("undone");
    await eventually(() =>
      row(page, revision + 1)
        .locator(".row-outcome")
        .textContent(),
    ).toBe("confirmed");
  });

  test("says why a change cannot be reverted that a later one overlaps", async () => {
    const revision = await put(12, { mtu: 1290 });
    const later = await put(12, { mtu: 1291 });
    const page = await open(`?change=${revision}`, { expects: [/status of 409/] });
    await page.getByRole("button", { name: "Revert …" }).click();
    const refused = page.getByRole("dialog").getByRole("alert");
    await refused
      .getByText(
        `Change ${revision} cannot be undone: mtu of interconnect ${idOf(12)} (${nameOf(12)}) was changed again by change ${later}.`,
      )
      .waitFor();
    expect(await refused.getByRole("link").getAttribute("href")).toBe("/docs/errors/990133");
    expect(await axe(page)).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
    expect(await mtu(12)).toBe(1291);
  });

  test("restores a revision with its plan, and plans again what was overtaken", async () => {
    const revision = await put(13, { mtu: 1300 });
    await put(13, { mtu: 1250 });
    await put(14, { description: "elsewhere" });
    const page = await open(`?change=${revision}`, { expects: [/status of 412/] });
    await page.getByRole("button", { name: `Restore revision ${revision} …` }).click();
    const dialog = page.getByRole("dialog", { name: `Restore revision ${revision}` });
    await dialog.getByText("In one change, this is set back: 2 interconnects.").waitFor();
    expect(new Set(await differences(page, "dialog"))).toEqual(
      new Set([
        `${nameOf(13)} mtu 1250 → 1300`,
        `${nameOf(14)} description elsewhere → Backup of customer 1014`,
      ]),
    );
    await put(13, { mtu: 1260 });
    await dialog.getByRole("button", { name: "Restore" }).click();
    await dialog.getByText("The account was changed since this plan was made.").waitFor();
    expect(await mtu(13)).toBe(1260);
    await dialog.getByRole("button", { name: "Plan again" }).click();
    await eventually(() => differences(page, "dialog")).toContain(`${nameOf(13)} mtu 1260 → 1300`);
    await dialog.getByLabel("Reason").fill("As it was on Monday");
    await dialog.getByRole("button", { name: "Restore" }).click();
    await page.locator(".panel-facts").getByText("As it was on Monday").waitFor();
    expect(await mtu(13)).toBe(1300);
    expect(await page.locator(".panel-facts").textContent()).toContain(`Back torevision ${revision}`);
  });

  test("offers no undo to a token that may only read", async () => {
    const revision = await put(15, { mtu: 1300 });
    await put(15, { mtu: 1301 });
    const page = await open(`?change=${revision}`, {}, READER);
    await page.getByRole("button", { name: "Compare with now" }).waitFor();
    expect(await page.getByRole("button", { name: /Revert|Restore|Confirm/ }).count()).toBe(0);
    await page.getByRole("button", { name: "Compare with now" }).click();
    await eventually(() => differences(page)).toEqual([`${nameOf(15)} mtu 1300 → 1301`]);
    expect(await page.getByRole("button", { name: /Restore/ }).count()).toBe(0);
  });

  test("is driven by the keyboard", async () => {
    const page = await open();
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await eventually(async () => (await revisions(page)).length).toBeGreaterThan(4);
    const order = await revisions(page);
    const focused = () => page.evaluate("document.activeElement.dataset.revision");
    await press("j", "j", "ArrowDown", "k");
    await eventually(focused).toBe(order[1]);
    await press("Enter");
    await eventually(() => query(page)).toBe(`?change=${order[1]}`);
    await press("j");
    await eventually(() => query(page)).toBe(`?change=${order[2]}`);
    await eventually(() => page.locator(".panel-head h2").textContent()).toBe(`Change ${order[2]}`);
    await press("Escape");
    await eventually(() => query(page)).toBe("");
    await eventually(focused).toBe(order[2]);
    await press("x", "Home", "x", "d");
    await eventually(() => query(page)).toBe(`?from=${order[2]}&to=${order[0]}`);
    await press("Escape", "?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await press("/");
    await page.keyboard.type("jk");
    await eventually(() => query(page)).toBe("?q=jk");
  });

  test("is readable for everybody", { timeout: 120_000 }, async () => {
    const revision = await put(16, { mtu: 1300 });
    const page = await open();
    await link(page, revision).waitFor();
    await page.getByLabel(`Mark revision ${revision}`).check();
    await readable(page);
    await link(page, revision).click();
    await eventually(async () => (await differences(page)).length).toBe(1);
    await readable(page);
    await page.getByRole("button", { name: "Revert …" }).click();
    await page.getByRole("dialog").getByText("In one change").waitFor();
    await readable(page);
  });

  test("loads older changes on demand, looks through them by a filter, and keeps some hundred lines", async () => {
    const wanted = await put(20, { mtu: 1299 }, { "x-patchbay-reason": "The needle" });
    for (let n = 0; n < 620; n++) await put(21, { mtu: 1000 + (n % 100) });
    const page = await open();
    await eventually(async () => (await revisions(page)).length).toBe(100);
    const older = page.getByRole("button", { name: "Show older changes" });
    for (let count = 200; count <= 500; count += 100) {
      await older.click();
      await eventually(async () => (await revisions(page)).length).toBe(count);
    }
    const newest = (await revisions(page))[0];
    await older.click();
    await page.getByText("Newer changes are not shown any more.").waitFor();
    expect((await revisions(page)).length).toBe(500);
    await page.getByRole("button", { name: "To the newest" }).click();
    await eventually(async () => (await revisions(page))[0]).toBe(newest);
    // And stays there.
    await page.waitForTimeout(500);
    expect((await revisions(page)).length).toBe(100);
    expect((await revisions(page))[0]).toBe(newest);
    await page.getByLabel("Search").fill("needle");
    await eventually(() => revisions(page)).toEqual([String(wanted)]);
  }, 120_000);

  test("after a reset shows the new history", async () => {
    // The browser complains of the 410 by which the page learns of it.
    const page = await open("", { expects: [/status of 410/] });
    await eventually(async () => (await revisions(page)).length).toBe(100);
    await server.reset();
    await eventually(() => revisions(page)).toEqual(["1"]);
    const revision = await put(1, { mtu: 1222 });
    await eventually(() => revisions(page)).toEqual([String(revision), "1"]);
  });
});
