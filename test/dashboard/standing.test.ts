import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  axe,
  eventually,
  noBrowser,
  type Opened,
  OVERVIEW,
  type Page,
  useBrowser,
} from "../harness/browser.ts";
import { needs } from "../harness/needs.ts";
import { demo, ORD, one, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const READER = "demo-magic-read-only-token-0000000000000";
const LOG_READER = "demo-patchbay-read-token-000000000000000";

describe("a page that is left open", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());
  const browser = useBrowser();

  const open = async (base: string, token: string, opened: Opened = {}): Promise<Page> => {
    const page = await browser.signedIn(`${base}${OVERVIEW}`, token, opened);
    await page.locator(`#row-${ORD}`).waitFor();
    return page;
  };
  const mark = (page: Page) => page.locator(".live-mark").textContent();
  const mtu = (page: Page) => page.locator(`#row-${ORD} .cell-mtu`).textContent();

  test("shows that the server is unavailable, and continues when it is available again", async () => {
    const data = await temporaryDirectory();
    let running = await startTestServer({ data });
    const port = Number(new URL(running.url).port);
    const page = await open(running.url, demo.token, { expects: [/ERR_|status of 410/] });
    await eventually(() => mark(page)).toBe("Live");
    await running.close();
    await eventually(() => mark(page)).toBe("Not connected");
    expect(await axe(page)).toEqual([]);
    // A reset begins another history: what the page read before is read again.
    running = await startTestServer({ port, data });
    await running.reset();
    await running.ask("PUT", one(ORD), { body: { mtu: 1321 } });
    await eventually(() => mark(page)).toBe("Live");
    await eventually(() => mtu(page)).toBe("1321");
    await running.close();
  });

  test("goes to the sign-in page when the server starts again without the session", async () => {
    let running = await startTestServer();
    const port = Number(new URL(running.url).port);
    const page = await open(running.url, demo.token, { expects: [/ERR_|status of 40[03]/] });
    await running.close();
    await eventually(() => mark(page)).toBe("Not connected");
    running = await startTestServer({ port });
    await page.waitForURL("**/dashboard/sign-in?next=*");
    await running.close();
  });

  test("of a token that may not read the log asks for nothing that is refused, and says how it keeps up", async () => {
    const refused: string[] = [];
    const page = await open(server.url, READER);
    page.on("response", (response) => {
      if (response.status() >= 400) refused.push(response.url());
    });
    await eventually(() => mark(page)).toBe("Every 30 s");
    expect(await page.locator(`#row-${ORD} .cell-changed`).textContent()).toMatch(/^\d+ y ago $/);
    expect(refused).toEqual([]);
  });

  test("of a token that may read the log alone shows what the log tells", async () => {
    const page = await open(server.url, LOG_READER);
    await eventually(() => mark(page)).toBe("Live");
    await server.ask("PUT", one(ORD), { body: { mtu: 1300 } });
    await eventually(() => mtu(page)).toBe("1300");
  });

  test("goes to the sign-in page when the token ends, and back afterwards", async () => {
    const made = await server.ask("POST", "/patchbay/v1/tokens", {
      body: {
        name: "for an hour",
        policies: [
          {
            effect: "allow",
            resources: { "com.cloudflare.api.account.*": "*" },
            permission_groups: [{ id: "70617463686261790000000000000003" }],
          },
        ],
      },
    });
    const { id, value } = made.body.result;
    const page = await open(server.url, value, { expects: [/status of 40[03]/] });
    await server.ask("DELETE", `/patchbay/v1/tokens/${id}`);
    await page.waitForURL("**/dashboard/sign-in?next=*");
    await page.getByLabel("API token").fill(demo.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`**${OVERVIEW}`);
  });

  test("is refused where the account's interconnects may not be seen, with what to do", async () => {
    const page = await browser.open(server.url);
    await page.getByLabel("API token").fill("demo-other-permission-token-000000000000");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(/Sign in with one that has|Ask for one that may read/).waitFor();
  });
});
