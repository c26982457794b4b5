import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axe, eventually, noBrowser, OVERVIEW, type Page, readable, useBrowser } from "../harness/browser.ts";
import { needs } from "../harness/needs.ts";
import { makeSeed } from "../harness/seeds.ts";
import { ACCOUNT, demo, startTestServer, type TestServer } from "../harness/server.ts";

/** The browser itself writes this to the console, whatever the page does about it. */
const REFUSED = [/status of 40[03]/];
const UNKNOWN_TOKEN = "nobody-has-a-token-like-this-one-0000000";

describe("signing in", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());
  const browser = useBrowser();

  const submit = async (page: Page, token: string) => {
    await page.getByLabel("API token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  const signedIn = (page: Page) => page.getByRole("heading", { name: "Interconnects" }).waitFor();
  const cookies = async (page: Page) => (await page.context().cookies()).map(({ name }) => name);

  test("is where everybody begins, and the token field has the focus", async () => {
    const page = await browser.open(server.url);
    await page.waitForURL("**/dashboard/sign-in");
    expect(await page.title()).toBe("Sign in · Patchbay");
    expect(await page.evaluate("document.activeElement.type")).toBe("password");
  });

  test("with a token leads to the interconnects; the token is nowhere but in memory", async () => {
    const page = await browser.open(server.url);
    await submit(page, demo.token);
    await signedIn(page);
    expect(new URL(page.url()).pathname).toBe(OVERVIEW);
    expect(await cookies(page)).toEqual([]);
    const kept: string = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])");
    expect(kept).not.toContain(demo.token);
    await page.reload();
    await page.waitForURL("**/dashboard/sign-in?next=*");
  });

  test("with the box ticked outlives a reload, by a cookie that no script reads", async () => {
    const page = await browser.open(server.url);
    await page.getByLabel("Remember until the browser is closed").check();
    await submit(page, demo.token);
    await signedIn(page);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.reload();
    await signedIn(page);
    await page.getByRole("button", { name: "Who is signed in" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/dashboard/sign-in");
    expect(await cookies(page)).toEqual([]);
  });

  test("to the demonstration takes one click", async () => {
    const page = await browser.open(server.url);
    await page.getByRole("button", { name: "Open the demonstration" }).click();
    await signedIn(page);
  });

  test("to a server of one's own is by token alone", async () => {
    await using own = await startTestServer({}, { seed: { text: makeSeed(2), name: "seed" } });
    const page = await browser.open(own.url);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    expect(await page.getByRole("button", { name: "Open the demonstration" }).count()).toBe(0);
  });

  test("goes back to the page that was asked for", async () => {
    const page = await browser.open(`${server.url}${OVERVIEW}?q=ord`);
    await submit(page, demo.token);
    await page.waitForURL(`**${OVERVIEW}?q=ord`);
  });

  test("stays on this server, whatever page the address asks for", async () => {
    for (const next of ["http://127.0.0.1:1/", "//127.0.0.1:1/dashboard/", "/dashboard/..//127.0.0.1:1/"]) {
      const page = await browser.open(`${server.url}/dashboard/sign-in?next=${encodeURIComponent(next)}`);
      await submit(page, demo.token);
      await signedIn(page);
      expect(page.url()).toBe(`${server.url}${OVERVIEW}`);
    }
  });

  test("with a wrong token is refused with a sentence, which is gone with the right one", async () => {
    const page = await browser.open(server.url, { expects: REFUSED });
    for (const wrong of [UNKNOWN_TOKEN, "short"]) {
      await submit(page, wrong);
      await eventually(() => page.getByRole("alert").textContent()).toBe(
        "The server does not know this token, or it is expired or disabled. Check that all of it was copied.",
      );
      expect(await page.evaluate("document.activeElement.type")).toBe("password");
    }
    await submit(page, "");
    await eventually(() => page.getByRole("alert").textContent()).toBe("Type or paste a token.");
    await submit(page, demo.token);
    await signedIn(page);
  });

  test("shows only accounts of the token's own, and none that there is not", async () => {
    const page = await browser.open(`${server.url}/dashboard/${"0".repeat(32)}/interconnects`);
    await submit(page, demo.token);
    await page.getByRole("heading", { name: "This account is not yours to see" }).waitFor();
    expect(await axe(page)).toEqual([]);
    await page.getByLabel("Account").selectOption({ label: "Demonstration" });
    await page.waitForURL(`**/dashboard/${ACCOUNT}/interconnects`);
  });

  test("an address that is no page says so", async () => {
    const page = await browser.open(`${server.url}/dashboard/a/b/c`);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  });

  test("is readable for everybody", async () => {
    const page = await browser.open(server.url);
    await page.getByRole("button", { name: "Open the demonstration" }).waitFor();
    await readable(page);
  });
});
