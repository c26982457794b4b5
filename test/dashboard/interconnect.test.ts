import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fieldWords } from "../../src/contract/interconnect-words.ts";
import {
  eventually,
  noBrowser,
  type Opened,
  OVERVIEW,
  type Page,
  readable,
  useBrowser,
} from "../harness/browser.ts";
import { currentOf, minuteOf, report, transitionOf } from "../harness/edge-report.ts";
import { needs } from "../harness/needs.ts";
import {
  ACCOUNT,
  AMS,
  demo,
  ORD,
  OWN,
  one,
  SIN,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";

const MINUTE = 60_000;
const READ_ONLY = "demo-magic-read-only-token-0000000000000";
const V6 = "2606:54c1:7:0:a9fe:12d2:1";

describe("the page of one interconnect", needs(noBrowser), () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  beforeEach(() => server.reset());
  afterAll(() => server.close());
  const browser = useBrowser();

  const open = async (
    id: string,
    opened: Opened & { token?: string; search?: string } = {},
  ): Promise<Page> => {
    const { token = demo.token, search = "", ...options } = opened;
    const page = await browser.signedIn(`${server.url}${OVERVIEW}/${id}${search}`, token, options);
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    return page;
  };
  const put = (id: string, body: unknown, reason?: string) => {
    const headers = reason === undefined ? {} : { "x-patchbay-reason": reason };
    return server.ask("PUT", one(id), { body, headers });
  };
  /** The minute so many minutes ago. */
  const ago = (minutes: number) =>
    new Date(Math.floor(Date.now() / MINUTE) * MINUTE - minutes * MINUTE).toISOString();
  const ends = (page: Page) => page.locator(".way .ends").allTextContents();
  const boxes = (page: Page) => page.locator(".way .box").allInnerTexts();
  const row = (page: Page, field: string) =>
    page.locator(".fields tr").filter({ has: page.getByText(field, { exact: true }) });
  const setter = (page: Page, field: string) => row(page, field).locator(".setter").innerText();

  test("draws the way of version 1: link, GRE with both outer addresses, interface, check", async () => {
    const page = await open(ORD);
    expect(await page.title()).toBe("pni_ord · Patchbay");
    expect(await ends(page)).toEqual([
      "192.0.2.0/31 to 192.0.2.1/31",
      "203.0.113.1 to 192.0.2.1",
      "10.213.0.8/31 to 10.213.0.9/31",
      `${V6}:200/127 to ${V6}:201/127`,
      "203.0.113.1 probes 203.0.113.1",
    ]);
    const titles = await page.locator(".way .pipe-title").allInnerTexts();
    expect(titles).toEqual([
      "Link not made by the CNI API",
      "GRE over IPv4, protocol 47",
      "Interface packets of up to 1476 bytes",
      "Health check echo request, low rate",
    ]);
    expect(await page.locator(".check-note").innerText()).toBe(
      "The target is the provider's end of the tunnel. The answer may come back any way.",
    );
    expect((await boxes(page))[0]).toContain("c4a7362d577a6c3019a474fd6f485821");
  });

  test("draws the way of version 2 from slot and port on, without a tunnel", async () => {
    const page = await open(SIN);
    const [slot, port, router] = await boxes(page);
    for (const text of ["Slot", "Demonstration Singapore", "SIN", "10G", "ccr01.sin"])
      expect(slot).toContain(text);
    expect(port).toContain("sin-c1d7e5a24b98");
    expect(router).toContain("65010");
    expect(router).toContain("192.0.2.0/24");
    expect(await ends(page)).toEqual([
      "192.0.2.4/31 to 192.0.2.5/31",
      "10.213.0.13/30 to 10.213.0.14/30",
      "192.0.2.4 probes 192.0.2.5",
    ]);
    expect(await page.locator(".way .gre").count()).toBe(0);
    expect(await page.locator(".way .pipe-title").first().innerText()).toBe(
      "CNI 5d41402a-bc4b-2a76-b971-9d911017c592",
    );
  });

  test("draws a check that comes back the same way, and one that is off", async () => {
    const page = await open(AMS);
    expect((await ends(page)).at(-1)).toBe("10.213.255.1 probes 10.213.0.11");
    const note = page.locator(".check-note");
    expect(await note.innerText()).toBe(
      "The target is the customer's interface. The answer comes back through the interconnect.",
    );
    await put(AMS, { health_check: { enabled: false } });
    await eventually(() => page.locator(".way .check").innerText()).toBe("Health check off");
  });

  test("explains every field in the contract's words", async () => {
    const page = await open(ORD);
    const fields = await page.locator(".fields th[scope=row]").allInnerTexts();
    expect(fields.length).toBeGreaterThan(14);
    for (const text of fields) {
      const [path = "", explained] = text.split("\n");
      expect(explained, path).toBe(fieldWords[path]?.description.replaceAll("`", ""));
    }
    expect(await row(page, "mtu").locator(".value").innerText()).toBe("1476");
  });

  test("names who set a field last, when, in which revision and why, as it happens", async () => {
    await put(ORD, { mtu: 1400 }, "Less for the new carrier");
    // What others did since is passed over.
    for (let mtu = 1300; mtu < 1330; mtu++) await put(AMS, { mtu });
    const page = await open(ORD);
    await eventually(() => setter(page, "mtu")).toMatch(
      /^everything \d+ s ago · revision 2\nLess for the new carrier$/,
    );
    expect(await setter(page, "name")).toMatch(/^From the start \d+ [sm] ago · revision 1$/);
    expect(await setter(page, "id")).toBe("");
    const href = await row(page, "mtu").getByRole("link").getAttribute("href");
    expect(href).toBe(`/dashboard/${ACCOUNT}/history?change=2`);
    await put(ORD, { health_check: { rate: "high" } }, "Closer watch");
    await eventually(() => setter(page, "health_check.rate")).toMatch(/revision 33\nCloser watch$/);
    expect(await setter(page, "mtu")).toContain("revision 2");
    expect(await row(page, "health_check.rate").locator(".value").innerText()).toBe("high");
    await server.ask("POST", `${OWN}/changes/33/revert`, { body: {} });
    await eventually(() => setter(page, "health_check.rate")).toMatch(/revision 34\nundid revision 33$/);
  });

  test("charts latency, loss and jitter once an edge has told of minutes", async () => {
    const page = await open(ORD);
    await page.getByText("No edge has told of any minute of the last 1 h.").waitFor();
    expect(await page.locator("canvas").count()).toBe(0);
    const minutes = [3, 2, 1].map((number) =>
      minuteOf(ago(number), { lost: number, latency: { min: 0.4, median: number, p99: 9 } }),
    );
    await report(server, { minutes, states: [currentOf("healthy", ago(5))] });
    const labels = () =>
      page.getByRole("img").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
    await eventually(labels).toEqual(["Latency: 1.0 ms to 3.0 ms", "Loss: 17 % to 50 %", "Jitter: 0.08 ms"]);
    expect(await page.locator("canvas").count()).toBe(3);
    // Two edges are two lines, each with its name.
    await report(server, {
      edge: "ord-2",
      minutes: [minuteOf(ago(2), { latency: { min: 5, median: 7, p99: 9 } })],
    });
    await eventually(() => page.locator(".chart-legend li").allInnerTexts()).toEqual(["ord-1", "ord-2"]);
    await eventually(labels).toContain("Latency: 1.0 ms to 7.0 ms");
    const last = page.locator(".chart .readout").first();
    await page.locator(".plot").first().hover();
    await eventually(() => last.textContent()).toMatch(/^\d\d:\d\d UTC · /);
  });

  test("looks as far back as is asked for, and keeps that in the address", async () => {
    const minutes = [30, 200, 800].map((number) =>
      minuteOf(ago(number), { latency: { min: 1, median: number, p99: 900 } }),
    );
    await report(server, { minutes });
    const page = await open(ORD);
    const latency = () => page.getByRole("img", { name: "Latency" }).getAttribute("aria-label");
    await eventually(latency).toBe("Latency: 30.0 ms");
    for (const [name, query, told] of [
      ["6 h", "?range=6h", "30.0 ms to 200 ms"],
      ["24 h", "?range=24h", "30.0 ms to 800 ms"],
      ["7 d", "?range=7d", "30.0 ms to 800 ms"],
      ["1 h", "", "30.0 ms"],
    ] as const) {
      await page.getByRole("button", { name, exact: true }).click();
      await eventually(latency).toBe(`Latency: ${told}`);
      await eventually(() => new URL(page.url()).search).toBe(query);
      expect(await page.locator("[aria-pressed=true]").allInnerTexts()).toEqual([name]);
    }
    const again = await open(ORD, { search: "?range=24h" });
    expect(await again.locator("[aria-pressed=true]").innerText()).toBe("24 h");
  });

  test("tells its state and since when, what each edge says, and how it came about", async () => {
    await report(server, { states: [currentOf("healthy", ago(9))], minutes: [minuteOf(ago(1))] });
    const page = await open(ORD);
    const head = page.locator(".interconnect-head");
    await eventually(() => head.innerText()).toContain("healthy");
    await report(server, {
      states: [currentOf("down", ago(4))],
      transitions: [transitionOf("healthy", ago(9)), transitionOf("down", ago(4), { from: "healthy" })],
    });
    await eventually(() => head.innerText()).toMatch(/down\s+for [45] m\s+it is down/);
    const edge = page.locator(".edges li");
    expect(await edge.innerText()).toMatch(
      /^ord-1\s+down\s+for [45] m\s+provider at ord · it is down\s+0\.51 ms median, 1\.9 ms p99 · 17 % lost · 0\.08 ms jitter/,
    );
    const transitions = await page.locator(".transitions li").allInnerTexts();
    expect(transitions).toEqual([
      expect.stringMatching(/UTC\s+ord-1\s+healthy\s+→[\s\S]*down\s+it became down$/),
      expect.stringMatching(/UTC\s+ord-1\s+healthy\s+it became healthy$/),
    ]);
  });

  test("leads to a change of it and to its changes, as far as the token may", async () => {
    const page = await open(ORD);
    const href = (name: string) => page.getByRole("link", { name }).getAttribute("href");
    expect(await href("Change it")).toBe(`/dashboard/${ACCOUNT}/change?ids=${ORD}`);
    expect(await href("Its changes")).toBe(`/dashboard/${ACCOUNT}/history?object=${ORD}`);
    const reader = await open(ORD, { token: READ_ONLY });
    expect(await reader.getByRole("link", { name: "Change it" }).count()).toBe(0);
    expect(await reader.getByRole("link", { name: "Its changes" }).count()).toBe(0);
    await reader.getByText("The token may not read who set what: it needs Patchbay Read.").waitFor();
    await reader.getByText("What it runs over is not shown: the token needs Patchbay Read.").waitFor();
    expect(await ends(reader)).toContain("10.213.0.8/31 to 10.213.0.9/31");
  });

  test("is shown, as all pages, without characters that hide or turn text around", async () => {
    const [name, description] = ["pni\u200b_ord", "\u202egnp.exe\u{e0041}"];
    expect((await put(ORD, { name, description })).status).toBe(200);
    const account = `${server.url}/dashboard/${ACCOUNT}`;
    for (const path of [
      `/interconnects/${ORD}`,
      "/interconnects",
      "/topology",
      "/history?change=2",
      `/change?ids=${ORD}`,
    ]) {
      const page = await browser.signedIn(account + path, demo.token);
      await eventually(() => page.locator("body").innerText()).toContain("pni\\u200b_ord");
      const shown: string = await page.evaluate(
        "document.title + document.body.innerText + [...document.querySelectorAll('[title]')].map((one) => one.title)",
      );
      expect(shown.match(/[\u200b\u202e\u{e0041}]/u)).toBeNull();
    }
  });

  test("an interconnect that is gone says so", async () => {
    const page = await browser.signedIn(`${server.url}${OVERVIEW}/${"0".repeat(32)}`, demo.token);
    await page.getByRole("heading", { name: "There is no such interconnect" }).waitFor();
  });

  test("is readable for everybody", { timeout: 120_000 }, async () => {
    const minutes = [3, 2, 1].map((number) => minuteOf(ago(number)));
    const transitions = Array.from({ length: 12 }, (_, number) => transitionOf("down", ago(20 - number)));
    await report(server, { minutes, transitions, states: [currentOf("degraded", ago(5))] });
    await report(server, { edge: "ord-2", minutes });
    const page = await open(ORD);
    await page.locator("canvas").first().waitFor();
    await eventually(() => setter(page, "mtu")).toContain("From the start");
    await readable(page);
    await page.getByRole("button", { name: "Show 4 more" }).click();
    await readable(page);
  });
});
