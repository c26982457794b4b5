import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  axe,
  eventually,
  noBrowser,
  type Opened,
  type Page,
  readable,
  useBrowser,
} from "../harness/browser.ts";
import { needs } from "../harness/needs.ts";
import { makeSeed, OWN_TOKEN } from "../harness/seeds.ts";
import {
  ACCOUNT,
  demo,
  LIST,
  ORD,
  one,
  ROUTES,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";

const INSPECTOR = `/dashboard/${ACCOUNT}/inspector`;
const READ_ONLY = "demo-magic-read-only-token-0000000000000";
const SECRET = "a-secret-of-ours";
const FAULTS = "/patchbay/v1/faults";

describe("the inspector", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  beforeEach(() => server.reset());
  afterAll(() => server.close());
  const browser = useBrowser();

  const open = async (search = "", opened: Opened = {}): Promise<Page> => {
    const page = await browser.signedIn(`${server.url}${INSPECTOR}${search}`, demo.token, opened);
    await page.getByRole("heading", { name: "Inspector" }).waitFor();
    await page.getByText(/of the last \d+ requests/).waitFor();
    return page;
  };
  const rows = (page: Page) =>
    page
      .locator(".request-row")
      .evaluateAll((all) =>
        all.map((row) =>
          ["method", "status-mark", "path"]
            .map((part) => row.querySelector(`.${part}`)?.textContent)
            .join(" "),
        ),
      );
  const query = (page: Page) => new URL(page.url()).search;
  const faults = (page: Page) => page.locator(".fault-list li").allInnerTexts();
  const refused = { interconnects: [{ id: ORD, mtu: 99, bgp: { md5_key: SECRET } }] };

  test("shows what another client asked, as it comes, its secrets masked and what was wrong marked", async () => {
    const page = await open();
    await server.ask("PUT", LIST, { body: refused });
    await eventually(async () => (await rows(page))[0]).toBe(
      "PUT 400 /client/v4/accounts/023e…/magic/cf_interconnects",
    );
    await page.locator(".request-row").first().click();
    const detail = page.locator(".detail");
    await detail.getByRole("heading", { name: /^Request \d+$/ }).waitFor();
    expect(await page.locator(".request-row[aria-current=page]").count()).toBe(1);
    const request = detail.getByRole("region", { name: "Request", exact: true });
    const marked = request.locator(".marked");
    expect(await marked.allInnerTexts()).toEqual([
      expect.stringMatching(
        /^ *"mtu": 99,\s+▲ \/interconnects\/0\/mtu 990023 mtu is 99, but must be from 576 to 1476/,
      ),
    ]);
    expect(await request.locator(".body").innerText()).toContain('"md5_key": "(masked)"');
    expect(await request.locator(".headers").innerText()).toMatch(/authorization\s+Bearer \(masked\)/);
    const answer = detail.getByRole("region", { name: "Answer" });
    expect(await answer.locator(".body").innerText()).toContain('"success": false');
    expect(await detail.locator(".facts").innerText()).toMatch(/Took\s+[\d.]+ ms[\s\S]*updateInterconnects/);
    const html = await page.content();
    expect(html).not.toContain(SECRET);
    expect(html).not.toContain(demo.token);
  });

  test("tells which fields of an accepted body nothing was taken from", async () => {
    await server.ask("PUT", one(ORD), { body: { mtu: 1400, modified_on: "2020-01-01T00:00:00Z" } });
    const page = await open();
    await page.getByRole("link", { name: "1 ignored" }).click();
    expect(await page.locator(".detail .marked").allInnerTexts()).toEqual([
      expect.stringMatching(/"modified_on"[\s\S]*read-only: nothing was taken from it/),
    ]);
  });

  test("copies a request as a line for a shell, with the token's variable in the place of the token", async () => {
    const body = `{"description":"It's ${SECRET.length} long"}`;
    await server.ask("PUT", `${one(ORD)}?validate_only=true`, {
      body,
      headers: { "x-patchbay-reason": "Why not" },
    });
    const page = await open();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator(".request-row").first().click();
    await page.getByRole("button", { name: "Copy as curl" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const lines = [
      `curl '${server.url}${one(ORD)}?validate_only=true'`,
      "-X PUT",
      '-H "Authorization: Bearer $CLOUDFLARE_API_TOKEN"',
      "-H 'content-type: application/json'",
      "-H 'x-patchbay-reason: Why not'",
      `--data-raw '{"description":"It'\\''s 16 long"}'`,
    ];
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(lines.join(" \\\n  "));
  });

  test("filters by method, status and path, hides the dashboard's own, and keeps that in the address", async () => {
    await server.ask("GET", ROUTES);
    await server.ask("PUT", LIST, { body: refused });
    await server.ask("GET", `${LIST}/1234`);
    const page = await open();
    const all = ["GET 404", "PUT 400", "GET 200"];
    const short = async () => (await rows(page)).map((row) => row.split(" ").slice(0, 2).join(" "));
    await eventually(async () => (await short()).slice(0, 3)).toEqual(all);
    expect((await rows(page)).filter((row) => row.includes("/state"))).toEqual([]);
    await page.getByLabel("Method").selectOption("GET");
    await eventually(async () => (await short()).slice(0, 2)).toEqual(["GET 404", "GET 200"]);
    await page.getByLabel("Status").selectOption("4xx");
    await eventually(short).toEqual(["GET 404"]);
    await eventually(() => query(page)).toBe("?method=GET&status=4xx");
    await page.getByLabel("Status").selectOption("");
    await page.getByLabel("Path").fill("ROUTES");
    await eventually(short).toEqual(["GET 200"]);
    await eventually(() => query(page)).toBe("?method=GET&path=ROUTES");
    await page.getByLabel("Path").fill("/state");
    await page.getByText("No request fits.").waitFor();
    await page.getByLabel("The dashboard's own").check();
    await eventually(short).toContain("GET 200");
    const again = await open("?path=1234&method=GET");
    await eventually(async () => (await rows(again)).length).toBe(1);
    expect(await again.getByLabel("Path").inputValue()).toBe("1234");
    await again.locator(".request-row").click();
    await again.getByRole("heading", { name: /^Request \d+$/ }).waitFor();
    await again.getByRole("button", { name: "Close the request" }).click();
    await eventually(() => query(again)).toBe("?path=1234&method=GET");
  });

  test("pauses, and goes on with what came meanwhile", async () => {
    const page = await open("?path=routes");
    const before = (await rows(page)).length;
    await page.getByRole("button", { name: "Pause" }).click();
    await server.ask("GET", ROUTES);
    await page.getByRole("button", { name: "Go on" }).click();
    await eventually(async () => (await rows(page)).length).toBe(before + 1);
  });

  test("arms a fault for one call, which is refused, and the next succeeds", async () => {
    const page = await open();
    await page.getByText("None is armed.").waitFor();
    await page.getByRole("button", { name: "Arm a fault" }).click();
    const dialog = page.getByRole("dialog", { name: "Arm a fault" });
    await dialog.getByLabel("Operation").fill("listRoutes");
    await dialog.getByRole("button", { name: "Arm", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await eventually(() => faults(page)).toEqual([
      expect.stringMatching(/^listRoutes\s+answers 429\s+1 of 1 left\s+Disarm$/),
    ]);
    expect((await server.ask("GET", ROUTES)).status).toBe(429);
    expect((await server.ask("GET", ROUTES)).status).toBe(200);
    await eventually(async () => (await rows(page)).slice(0, 2)).toEqual([
      "GET 200 /client/v4/accounts/023e…/magic/routes",
      "GET 429 /client/v4/accounts/023e…/magic/routes",
    ]);
    await eventually(() => faults(page)).toEqual([expect.stringContaining("used up after 1")]);
    await page.getByRole("link", { name: /429.*fault/ }).click();
    expect(await page.locator(".detail .facts").innerText()).toMatch(/Fault\s+status=429/);
    await page.getByRole("button", { name: /^Disarm/ }).click();
    await page.getByText("None is armed.").waitFor();
  });

  test("arms for all of the vendor's operations, later or dropped, and disarms before it strikes", async () => {
    const page = await open();
    const arm = async (fields: Readonly<Record<string, string>>) => {
      await page.getByRole("button", { name: "Arm a fault" }).click();
      await page.getByLabel("Answer").selectOption("");
      for (const [label, text] of Object.entries(fields)) await page.getByLabel(label).fill(text);
    };
    await arm({ "Later by": "5", "How often": "3" });
    await page.getByRole("button", { name: "Arm", exact: true }).click();
    await eventually(() => faults(page)).toEqual([
      expect.stringMatching(/^all of the vendor's\s+5 ms later\s+3 of 3 left/),
    ]);
    await arm({ Operation: "getState" });
    await page.getByLabel("Connection").selectOption("after");
    await page.getByRole("button", { name: "Arm", exact: true }).click();
    await eventually(async () => (await faults(page)).length).toBe(2);
    await page.getByRole("button", { name: "Disarm all" }).click();
    await page.getByText("None is armed.").waitFor();
    expect((await server.ask("GET", FAULTS)).body.result.faults).toEqual([]);
    await server.ask("PUT", FAULTS, { body: { operation: "listRoutes", status: 503 } });
    await page.reload();
    await page.getByRole("button", { name: "Disarm answers 503 of listRoutes" }).click();
    await page.getByText("None is armed.").waitFor();
    expect((await server.ask("GET", ROUTES)).status).toBe(200);
  });

  test("shows a refusal at the field that it is of, and offers operations by name", async () => {
    // The browser itself complains of every refused request.
    const page = await open("", { expects: [/status of 400/] });
    await page.getByRole("button", { name: "Arm a fault" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Operation").waitFor();
    const offered = await dialog
      .locator("datalist option")
      .evaluateAll((all) => all.map((one) => one.getAttribute("value")));
    expect(offered).toContain("updateInterconnects");
    expect(offered).not.toContain("clearFaults");
    await dialog.getByLabel("Operation").fill("listRoute");
    await dialog.getByLabel("Answer").selectOption("");
    await dialog.getByLabel("How often").fill("none");
    await dialog.getByRole("button", { name: "Arm", exact: true }).click();
    const field = (label: string) => dialog.locator(".field").filter({ has: page.getByLabel(label) });
    await eventually(() => field("Operation").getByRole("alert").allTextContents()).toEqual([
      'There is no operation "listRoute" that a fault can strike. Did you mean listRoutes?',
    ]);
    expect(await field("How often").getByRole("alert").innerText()).toContain("times");
    expect(await dialog.getByLabel("How often").getAttribute("aria-invalid")).toBe("true");
    expect(await axe(page)).toEqual([]);
    await dialog.getByLabel("Operation").fill("");
    await dialog.getByLabel("How often").fill("1");
    await dialog.getByRole("button", { name: "Arm", exact: true }).click();
    await eventually(() => dialog.getByRole("alert").allTextContents()).toEqual([
      "The fault would do nothing: it needs status, latency_ms or drop.",
    ]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  test("is offered to administrators of a sandbox alone", async () => {
    await using own = await startTestServer(
      { sandbox: false },
      { seed: { text: makeSeed(1), name: "seed" } },
    );
    for (const [at, token] of [
      [own, OWN_TOKEN],
      [server, READ_ONLY],
    ] as const) {
      const page = await browser.signedIn(`${at.url}${INSPECTOR}`, token);
      await page.getByRole("heading", { name: "There is no inspector here" }).waitFor();
      expect(await page.getByRole("link", { name: "Interconnects" }).count()).toBe(1);
      expect(await page.getByRole("link", { name: "Inspector" }).count()).toBe(0);
      await page.close();
    }
    const page = await browser.signedIn(server.url, demo.token);
    await page.getByRole("link", { name: "Inspector" }).click();
    await page.waitForURL(`**${INSPECTOR}`);
  });

  test("is readable for everybody", { timeout: 120_000 }, async () => {
    await server.ask("PUT", LIST, { body: refused });
    await server.ask("PUT", one(ORD), { body: { mtu: 1400, modified_on: "2020-01-01T00:00:00Z" } });
    await server.ask("PUT", FAULTS, { body: { operation: "listRoutes", status: 429, times: 2 } });
    await server.ask("GET", ROUTES);
    const page = await open();
    await eventually(async () => (await faults(page)).length).toBe(1);
    await readable(page);
    await page.getByRole("link", { name: "1 problem" }).last().click();
    await page.getByText("Headers").last().click();
    await readable(page);
  });
});
