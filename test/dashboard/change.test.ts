import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  eventually,
  noBrowser,
  type Opened,
  OVERVIEW,
  type Page,
  readable,
  useBrowser,
} from "../harness/browser.ts";
import { currentOf, report, transitionOf } from "../harness/edge-report.ts";
import { needs } from "../harness/needs.ts";
import { ACCOUNT, AMS, demo, ORD, OWN, one, SIN, startTestServer } from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";

const NOON = "2026-03-01T12:00:00.000Z";
const READER = "demo-magic-read-only-token-0000000000000";
/** May change interconnects, and read neither log nor settings. */
const WRITER = "demo-wan-write-token-0000000000000000000";
/** The page's clock goes on while the server's stands, until it is asked again. */
const FIVE_MINUTES = /^(5:00|4:\d\d)$/;
/** The browser itself writes this to the console, whatever the page does about it. */
const REFUSED = [/status of 4\d\d/];
const CHANGE = `/dashboard/${ACCOUNT}/change`;

describe("a change", needs(noBrowser), async () => {
  const clock = new SetClock(NOON);
  const server = await startTestServer({ healthSettle: 10 }, { clock });
  afterAll(() => server.close());
  beforeEach(async () => {
    clock.set(NOON);
    await server.reset();
  });
  const browser = useBrowser();

  /** Signed in, at a page. */
  const open = async (path: string, opened: Opened = {}, token: string = demo.token): Promise<Page> => {
    return browser.signedIn(`${server.url}${path}`, token, opened);
  };
  const field = (page: Page, name: string) => page.getByRole("textbox", { name, exact: true });
  const choose = (page: Page, name: string) =>
    page.getByRole("navigation", { name: "Fields" }).getByRole("button", { name, exact: true }).click();
  const summary = (page: Page) => page.locator(".change-bar [role=status]").textContent();
  const plan = (page: Page) => page.getByRole("button", { name: "Plan", exact: true }).click();
  const planned = (page: Page) => page.getByRole("heading", { name: "Apply" }).waitFor();
  const troubles = (page: Page) => page.locator(".trouble-list li").allTextContents();
  const differences = async (page: Page) =>
    (await page.locator(".differences tbody tr").allInnerTexts()).map((text) =>
      text.split(/\s*\t\s*/).join(" "),
    );
  const focused = (page: Page) => page.evaluate("document.activeElement.id");
  const inputOf = (id: string, path: string) => `f-${id}-${path}`;
  const outcome = (page: Page) => page.locator(".live-outcome [role=status]").textContent();
  const read = async (id: string) => (await server.ask("GET", one(id))).body.result.interconnect;
  const records = async () => (await server.ask("GET", `${OWN}/changes`)).body.result;

  test("of three is refused while typing, mended, refused by the server, mended, and confirmed in time", async () => {
    // Once with the token in the page's memory, and not in a cookie.
    const page = await browser.open(`${server.url}${OVERVIEW}`, { expects: REFUSED });
    await page.getByLabel("API token").fill(demo.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Interconnects" }).waitFor();
    await page.getByLabel("Select all that are shown").check();
    await page.getByRole("link", { name: "Change" }).last().click();
    await page.getByRole("heading", { name: "Change 3 interconnects" }).waitFor();

    await page.getByLabel("For all 3").fill("1490");
    await eventually(() => troubles(page)).toEqual([
      "mtu is 1490, but must be from 576 to 1476 on a version 1 interconnect. ",
    ]);
    expect(await summary(page)).toBe("3 fields of 3 interconnects. 1 problem.");
    await plan(page);
    expect(await focused(page)).toBe(inputOf(ORD, "mtu"));
    await page.keyboard.type("1400");
    await page.getByLabel("For all 3").fill("1400");
    await eventually(() => troubles(page)).toEqual([]);

    await choose(page, "Name");
    await field(page, "Name of pni_ord").fill("pni_ams");
    await eventually(() => troubles(page)).toEqual([
      `The name "pni_ams" is taken by interconnect ${AMS} (pni_ams). Choose another name, or rename the other one in the same request.`,
    ]);
    await field(page, "Name of pni_ord").fill("pni_new");
    await eventually(() => summary(page)).toBe("4 fields of 3 interconnects.");
    await plan(page);
    await planned(page);
    expect(await differences(page)).toEqual([
      "pni_ord",
      "Name pni_ord → pni_new",
      "MTU 1476 → 1400",
      "pni_ams",
      "MTU 1476 → 1400",
      "pni_sin",
      "MTU 1500 → 1400",
    ]);
    expect(await page.locator(".change-touched li").allInnerTexts()).toContainEqual(
      expect.stringContaining("pni_ord gives up pni_ord; nobody has it afterwards."),
    );

    // Somebody else is faster.
    await server.ask("PUT", one(SIN), { body: { name: "pni_new" } });
    await page.getByText("pni_sin changed since this plan was made.").waitFor();
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("Somebody changed an interconnect since this plan was made.").waitFor();
    await page.getByRole("button", { name: "Plan again" }).click();
    await page.getByText("The server refuses this plan. Nothing was changed.").waitFor();
    await page.getByRole("button", { name: "pni_ord, Name" }).click();
    await eventually(() => focused(page)).toBe(inputOf(ORD, "name"));
    await eventually(() => troubles(page)).toHaveLength(1);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("pni_chicago");
    await eventually(() => summary(page)).toBe("4 fields of 3 interconnects.");
    await page.keyboard.press("Control+Enter");
    await planned(page);

    await page.getByLabel("Reason").fill("Kleiner für ORD 😀");
    await page.getByLabel("To be confirmed within").fill("5");
    await page.getByLabel("or when one that was healthy is down").check();
    await page.getByRole("button", { name: "Apply, to be confirmed" }).click();
    await page.waitForURL(`**/dashboard/${ACCOUNT}/live/3`);
    await eventually(() => page.getByRole("timer").textContent()).toMatch(FIVE_MINUTES);
    expect(await outcome(page)).toContain("Made, and waits to be confirmed.");
    expect(await read(ORD)).toMatchObject({ name: "pni_chicago", mtu: 1400 });

    await page.getByLabel("Time to extend to").selectOption({ label: "to 15 minutes from now" });
    await page.getByRole("button", { name: "Extend" }).click();
    await eventually(() => page.getByRole("timer").textContent()).toMatch(/^1[45]:\d\d$/);
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await eventually(() => outcome(page)).toBe(
      "Confirmed: it stays. By token everything, 2026-03-01 12:00:00 UTC, as revision 5.",
    );
    const [confirmation, , made] = await records();
    expect(confirmation).toMatchObject({ operation: "confirmChange" });
    expect(made).toMatchObject({ revision: 3, reason: "Kleiner für ORD 😀" });
    expect(await page.getByRole("button", { name: "Confirm", exact: true }).count()).toBe(0);
  });

  test("with a timer that runs out is seen undone, without a touch", async () => {
    const page = await open(`${CHANGE}?ids=${ORD}`);
    await page.getByRole("heading", { name: "Change pni_ord" }).waitFor();
    await field(page, "MTU").fill("1300");
    await plan(page);
    await planned(page);
    await page.getByLabel("To be confirmed within").fill("2,5");
    await page.getByRole("button", { name: "Apply, to be confirmed" }).click();
    await eventually(() => page.getByRole("timer").textContent()).toMatch(/^2:[0-3]\d$/);
    expect((await read(ORD)).mtu).toBe(1300);
    clock.pass(151);
    await eventually(() => outcome(page)).toMatch(/^Undone: all is as before\. Its time was over, /);
    expect((await read(ORD)).mtu).toBe(1476);
  });

  test("that makes what it touched fall is seen undone by health", async () => {
    const since = new Date(Date.parse(NOON) - 60_000).toISOString();
    const told = async (revision: number) => {
      const { epoch } = (await server.ask("GET", `${OWN}/state`)).body.result;
      return { configuration: { status: "applied" as const, epoch, revision, problems: [] } };
    };
    await report(server, { ...(await told(1)), states: [currentOf("healthy", since)] });
    const page = await open(`${CHANGE}?ids=${ORD}`);
    await field(page, "MTU").fill("1300");
    await plan(page);
    await planned(page);
    expect(await page.locator(".change-touched li").allInnerTexts()).toContainEqual(
      expect.stringContaining("ord-1 (provider) carries pni_ord, and is configured anew."),
    );
    await page.getByLabel("To be confirmed within").fill("5");
    await page.getByLabel("or when one that was healthy is down").check();
    await page.getByRole("button", { name: "Apply, to be confirmed" }).click();
    await page.getByRole("timer").waitFor();
    await eventually(() => page.locator(".live-health tbody").textContent()).toContain("healthy");
    clock.pass(5);
    const down = transitionOf("down", new Date(clock.now()).toISOString(), { from: "healthy" });
    await report(server, { ...(await told(2)), transitions: [down] });
    await eventually(() => outcome(page)).toMatch(
      /^Undone: all is as before\. By health: pni_ord is down at edge ord-1, /,
    );
  });

  test("is pasted as a file, told what is wrong by line, made for good, and reverted with its plan", async () => {
    const page = await open(`${CHANGE}?paste`);
    const area = page.getByLabel("File of interconnects");
    const marks = () => page.locator(".paste-marks li").allInnerTexts();
    await area.fill("interconnects:\n  pni_ord: {mtu: '1400'}\n  pni_xyz: {}\n");
    await eventually(marks).toEqual([expect.stringContaining("mtu must be a whole number, not a text")]);
    await area.fill(
      "defaults: {mtu: 1400}\ninterconnects:\n  pni_ord:\n    health_check: {rate: fast}\n  pni_sin: {mtu: 1501}\n",
    );
    await eventually(marks).toEqual([
      expect.stringMatching(/^line 4\s+pni_ord: health_check.rate is "fast", but must be one of/),
      expect.stringMatching(/^line 5\s+pni_sin: mtu is 1501, but must be from 576 to 1500 on a version 2/),
    ]);
    await plan(page);
    const selected: string = await area.evaluate((element) => {
      const { value, selectionStart, selectionEnd } = element as unknown as {
        value: string;
        selectionStart: number;
        selectionEnd: number;
      };
      return value.slice(selectionStart, selectionEnd);
    });
    expect(selected).toBe("fast}");
    await page.keyboard.type("high}");
    await area.fill((await area.inputValue()).replace("1501", "1450"));
    await eventually(() => summary(page)).toBe("3 fields of 2 interconnects.");
    await plan(page);
    await planned(page);
    await page.getByRole("button", { name: "Apply" }).click();
    await eventually(() => outcome(page)).toBe("Made. It needs no confirmation.");
    expect(await read(SIN)).toMatchObject({ mtu: 1450 });
    await page.getByRole("button", { name: "Revert …" }).click();
    const dialog = page.getByRole("dialog");
    await eventually(() => dialog.locator("tbody tr").allInnerTexts()).toContainEqual(
      expect.stringMatching(/mtu\s+1450\s+→ 1500/),
    );
    await dialog.getByRole("button", { name: "Revert" }).click();
    await page.waitForURL(`**/dashboard/${ACCOUNT}/live/3`);
    expect(await read(SIN)).toMatchObject({ mtu: 1500 });
    await page.goBack();
    await eventually(() => outcome(page)).toMatch(/^Undone: all is as before\. By token everything/);
  });

  test("waits for another that waits, and leads to it", async () => {
    const headers = { "x-patchbay-confirm-within": "300", "x-patchbay-reason": "first" };
    await server.ask("PUT", one(AMS), { body: { mtu: 1300 }, headers });
    const page = await open(`${CHANGE}?ids=${ORD}`, { expects: REFUSED });
    await field(page, "Description").fill("later");
    await plan(page);
    await page.getByText("Change 2 by everything waits to be confirmed").waitFor();
    await page.getByRole("link", { name: "Look at it" }).click();
    await page.getByRole("button", { name: "Leave" }).click();
    await eventually(() => page.getByRole("timer").textContent()).toMatch(FIVE_MINUTES);
    await page.getByRole("button", { name: "Revert now" }).click();
    await eventually(() => outcome(page)).toMatch(/^Undone/);
    expect((await read(AMS)).mtu).toBe(1476);
  });

  test("that moves addresses says which routes go, and is not applied without a look", async () => {
    const page = await open(`${CHANGE}?ids=${ORD}`);
    await field(page, "Interface address").fill("10.213.0.10/31");
    await eventually(() => troubles(page)).toEqual([
      expect.stringContaining(`10.213.0.10/31 overlaps with the subnet of interconnect ${AMS} (pni_ams).`),
    ]);
    await field(page, "Interface address").fill("10.213.0.20/31");
    await eventually(() => troubles(page)).toEqual([]);
    await plan(page);
    await planned(page);
    expect(await page.locator(".change-touched .warning").innerText()).toContain(
      "172.16.10.0/24 via 10.213.0.9 leads over pni_ord, which gives that next hop up",
    );
    const apply = page.getByRole("button", { name: "Apply, to be confirmed" });
    expect(await apply.isDisabled()).toBe(true);
    await page.getByLabel("I have looked at it").check();
    expect(await apply.isEnabled()).toBe(true);
  });

  test("is offered nowhere to a token that may only read", async () => {
    const page = await open(OVERVIEW, {}, READER);
    await page.getByLabel("Select pni_ord").check();
    expect(await page.getByRole("link", { name: "Change" }).count()).toBe(0);
    const other = await open(`${CHANGE}?ids=${ORD}`, {}, READER);
    await other.getByRole("heading", { name: "The token may not change interconnects" }).waitFor();
    expect(await other.getByRole("textbox").count()).toBe(0);
  });

  test("can be made and confirmed by a token that may not read the log", async () => {
    const page = await open(`${CHANGE}?ids=${AMS}`, { expects: REFUSED }, WRITER);
    // Whether the account may have this address is not known here; the server knows.
    await field(page, "Interface address").fill("203.0.113.4/31");
    await eventually(() => summary(page)).toBe("1 field of 1 interconnect.");
    await plan(page);
    await page.getByText("The server refuses this plan. Nothing was changed.").waitFor();
    await page.getByRole("button", { name: "pni_ams, Interface address" }).click();
    await eventually(() => troubles(page)).toEqual([
      expect.stringContaining("203.0.113.4/31 is outside of the ranges that may be used"),
    ]);
    await page.getByRole("button", { name: "Undo Interface address" }).click();
    await field(page, "MTU").fill("1400");
    await plan(page);
    await planned(page);
    await page.getByLabel("To be confirmed within").fill("5");
    await page.getByRole("button", { name: "Apply, to be confirmed" }).click();
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await eventually(() => outcome(page)).toMatch(/^Confirmed: it stays\. By token/);
    expect(await read(AMS)).toMatchObject({ mtu: 1400 });
    // An undo that waits it could not follow: it is offered at once.
    await page.getByRole("button", { name: "Revert …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("not after all");
    expect(await dialog.getByLabel("To be confirmed within").count()).toBe(0);
    await dialog.getByRole("button", { name: "Revert", exact: true }).click();
    await eventually(() => outcome(page)).toMatch(/^Undone: all is as before\. By token/);
    expect(await read(AMS)).toMatchObject({ mtu: 1476 });
  });

  test("is left by Escape, with a question where something is typed", async () => {
    const page = await open(`${CHANGE}?ids=${ORD},${AMS}`);
    await page.getByRole("button", { name: "By interconnect" }).click();
    await field(page, "Description").fill("something");
    await eventually(() => summary(page)).toBe("1 field of 1 interconnect.");
    await page.keyboard.press("Control+Enter");
    await planned(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Plan", exact: true }).waitFor();
    expect(await field(page, "Description").inputValue()).toBe("something");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").getByRole("button", { name: "Stay" }).click();
    expect(new URL(page.url()).pathname).toBe(CHANGE);
    await page.getByRole("button", { name: "Who is signed in" }).click();
    await page.keyboard.press("Escape");
    expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(0);
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.getByRole("button", { name: "Start over" }).click();
    await eventually(() => summary(page)).toBe("Nothing is changed yet.");
    await page.keyboard.press("Escape");
    await page.waitForURL(`**${OVERVIEW}`);
  });

  test("is readable for everybody", { timeout: 120_000 }, async () => {
    const page = await open(`${CHANGE}?ids=${ORD},${AMS},${SIN}`);
    await page.getByLabel("For all 3").fill("9000");
    await eventually(() => troubles(page)).toHaveLength(3);
    await readable(page);
    await page.getByRole("button", { name: "By interconnect" }).click();
    await readable(page);
    await page.getByRole("button", { name: "By field" }).click();
    await page.getByLabel("For all 3").fill("1400");
    await choose(page, "Interface address");
    await field(page, "Interface address of pni_ord").fill("10.213.0.20/31");
    await eventually(() => summary(page)).toBe("4 fields of 3 interconnects.");
    await plan(page);
    await planned(page);
    await readable(page);
    await page.getByLabel("I have looked at it").check();
    await page.getByRole("button", { name: "Apply, to be confirmed" }).click();
    await page.getByRole("timer").waitFor();
    await readable(page);
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await page.getByRole("button", { name: "Revert …" }).click();
    await page.getByRole("dialog").getByText("In one change").waitFor();
    await readable(page);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Change" }).click();
    await page.getByRole("heading", { name: "Nothing is selected" }).waitFor();
    await readable(page);
    await page.getByRole("link", { name: "Paste a file", exact: true }).click();
    await page.getByLabel("File of interconnects").fill("interconnects: {pni_x: {mtu: 1}}");
    await page.getByText("There is no interconnect pni_x.").waitFor();
    await readable(page);
  });
});
