import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parsePrefix } from "../../src/contract/addresses.ts";
import { createPatchbay } from "../../src/index.ts";
import { serve } from "../harness/command.ts";
import { askRaw, type RawRequest, rawVerdict } from "../harness/raw.ts";
import { makeSeed, OWN_TOKEN } from "../harness/seeds.ts";
import { ask, demo, LIST, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { refusalOf } from "../harness/terminal.ts";

const PUBLIC = "https://patchbay.example.net";
const seed = { name: "own", text: makeSeed(1) };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ host: "0.0.0.0", publicUrl: PUBLIC }, { seed });
});
afterAll(() => server.close());

const base = () => server.url.replace("0.0.0.0", "127.0.0.1");
const askOwn = (request: Partial<RawRequest>) => askRaw(base(), { path: LIST, token: OWN_TOKEN, ...request });
const told = async (request: Partial<RawRequest>) => rawVerdict(await askOwn(request));

describe("with --public-url", () => {
  test.each([
    "patchbay.example.net",
    "PATCHBAY.example.NET",
    "patchbay.example.net:443",
    "localhost",
    "127.0.0.1:1",
  ])("Host: %s is answered", async (host) => {
    expect(await told({ host })).toBe("200");
  });

  test.each([
    "patchbay.example.net:8443",
    "patchbay.example.net:80",
    "other.example.net",
    "10.0.0.1",
    "evil.example",
    "patchbay.example.net.evil.example",
    "patchbay.example.net@evil",
  ])("Host: %s is not", async (host) => {
    expect(await told({ host })).toBe("403 990009");
  });

  test("a page of that address may send requests, by its scheme alone", async () => {
    const from = (origin: string, host = "patchbay.example.net") =>
      told({ host, headers: [`Origin: ${origin}`] });
    expect(await from(PUBLIC)).toBe("200");
    expect(await from("http://patchbay.example.net")).toBe("403 990010");
    expect(await from("https://evil.example")).toBe("403 990010");
    expect(await from(PUBLIC, "localhost")).toBe("403 990010");
    expect(await from("http://localhost", "localhost")).toBe("200");
  });

  test("links to pages lead there, by whatever name the server was reached", async () => {
    for (const host of ["localhost", "patchbay.example.net", "evil.example"]) {
      const reply = await askOwn({ path: `${LIST}/x`, host });
      expect(reply?.body.errors[0].documentation_url).toMatch(
        /^https:\/\/patchbay\.example\.net\/docs\/errors\/9900/,
      );
    }
  });

  test("the greeting tells both addresses", async () => {
    const directory = temporaryDirectory();
    const file = join(directory, "seed.yaml");
    writeFileSync(file, makeSeed(1));
    const args = ["--port", "0", "--metrics-port", "off", "--data", join(directory, "data"), "--seed", file];
    const { said } = await serve([...args, "--public-url", `${PUBLIC}/`]);
    const local = /^ {2}listens at (http:\/\/127\.0\.0\.1:\d+)$/m.exec(said.stdout)?.[1] ?? "";
    expect(said.stdout).toContain(`Patchbay answers at ${PUBLIC}\n`);
    expect((await ask(local, "GET", LIST, { token: OWN_TOKEN })).status).toBe(200);
  });

  test.each([
    "patchbay.example.net",
    "ftp://patchbay.example.net",
    "https://",
    "https://patchbay.example.net/api",
    "https://patchbay.example.net/?",
    "https://patchbay.example.net?a=b",
    "https://patchbay.example.net#a",
    "https://user@patchbay.example.net",
    "https://patch bay.example.net",
    "https://patchbay.example.net:99999",
    "https:/patchbay",
    "https:\\\\patchbay",
    "true",
  ])("%s is refused with one plain sentence", async (publicUrl) => {
    const options = { port: "0", metricsPort: "off", data: temporaryDirectory() };
    const sentence = (as: string) =>
      `${as} is ${publicUrl}, but must be an http or https address with no path, such as https://patchbay.example.net.`;
    expect(await refusalOf({ ...options, publicUrl })).toBe(sentence("--public-url"));
    expect(await refusalOf(options, { PATCHBAY_PUBLIC_URL: publicUrl })).toBe(
      sentence("PATCHBAY_PUBLIC_URL"),
    );
  });
});

describe("the demonstration's public credentials stay on this machine", () => {
  let usual: object;
  beforeEach(() => {
    usual = { port: "0", metricsPort: "off", logLevel: "silent", data: join(temporaryDirectory(), "data") };
  });
  const start =
    "The credentials of the demonstration are printed in public documentation, so a server that has them";
  const end = "or start from a --seed of your own in an empty --data directory.";

  test("with a proxy that lets others in, the server does not start", async () => {
    expect(await refusalOf({ ...usual, trustProxy: "127.0.0.1" })).toBe(
      `${start} is for this machine alone, with no proxy that lets others in. Leave --trust-proxy out, ${end}`,
    );
    expect(await refusalOf(usual, { PATCHBAY_TRUST_PROXY: "127.0.0.1" })).toContain(
      "Leave PATCHBAY_TRUST_PROXY out",
    );
  });

  test("with an address that others use, neither", async () => {
    expect(await refusalOf({ ...usual, publicUrl: PUBLIC })).toBe(
      `${start} is for this machine alone, and has no address such as ${PUBLIC}. Leave --public-url out, ${end}`,
    );
  });

  test("with an address of this machine, it does", async () => {
    await using local = await startTestServer({ publicUrl: "http://patchbay.localhost:8787" });
    expect((await local.ask("GET", LIST)).status).toBe(200);
  });

  test("a reset would bring them: that is looked at before", async () => {
    await using keeping = await startTestServer({ data: join(temporaryDirectory(), "data") }, { seed });
    expect(keeping.isDemo).toBe(false);
    const data = join(temporaryDirectory(), "kept");
    await (await startTestServer({ data }, { seed })).close();
    for (const exposed of [{ trustProxy: [parsePrefix("192.0.2.0/24") ?? never()] }, { publicUrl: PUBLIC }]) {
      await expect(startTestServer({ data, ...exposed })).rejects.toThrow(start);
    }
  });

  test("who is passed on from another machine is refused, whatever it asks and whoever passes it on", async () => {
    await using demonstration = await startTestServer();
    const via = async (addresses: string, request: Partial<RawRequest> = {}) =>
      rawVerdict(
        await askRaw(demonstration.url, {
          path: LIST,
          headers: [`X-Forwarded-For: ${addresses}`],
          ...request,
        }),
      );
    for (const addresses of [
      "203.0.113.9",
      "127.0.0.1, 203.0.113.9",
      "203.0.113.9, 127.0.0.1",
      "unknown",
      "",
      "::2",
    ]) {
      expect(await via(addresses)).toBe("403 990100");
      expect(await via(addresses, { path: "/" })).toBe("403 990100");
      expect(await via(addresses, { method: "POST", path: "/patchbay/v1/reset" })).toBe("403 990100");
    }
    for (const addresses of [
      "127.0.0.1",
      "::1",
      "127.0.0.1, ::ffff:127.0.0.1",
      "127.0.0.1:4711",
      "[::1]:4711",
    ]) {
      expect(await via(addresses)).toBe("200");
    }
  });

  test("and is answered by a server with a world of its own, until a reset brings the demonstration", async () => {
    const headers = { "x-forwarded-for": "203.0.113.9" };
    const data = join(temporaryDirectory(), "data");
    await (await startTestServer({ data }, { seed })).close();
    await using own = await startTestServer({ data });
    expect((await own.ask("GET", LIST, { token: OWN_TOKEN, headers })).status).toBe(200);
    await own.reset();
    expect((await own.ask("GET", LIST, { token: demo.token, headers })).status).toBe(403);
    expect((await own.ask("GET", LIST, { token: demo.token })).status).toBe(200);
  });

  test("a library's server is one of them", async () => {
    await using patchbay = await createPatchbay();
    const headers = { "x-forwarded-for": "203.0.113.9" };
    expect((await ask(patchbay.url, "GET", LIST, { headers })).status).toBe(403);
  });
});

/** Without a credential, and on a connection of its own. */
const bare = (request: RawRequest): RawRequest => ({
  token: null,
  headers: ["Connection: close"],
  ...request,
});

describe("the port of health and figures", () => {
  test("is on this machine alone unless --metrics-host says otherwise, wherever the API listens", async () => {
    await using usual = await startTestServer({ host: "0.0.0.0", metricsPort: 0 }, { seed });
    expect(usual.metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${usual.metricsUrl}/readyz`)).status).toBe(200);
    await using wide = await startTestServer({ metricsPort: 0, metricsHost: "0.0.0.0" });
    expect(wide.metricsUrl).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/);
    const far = { path: "/readyz", host: "prometheus.example" };
    expect((await askRaw(String(wide.metricsUrl).replace("0.0.0.0", "127.0.0.1"), bare(far)))?.status).toBe(
      200,
    );
  });

  test("answers only requests for a name of this machine that no page elsewhere sent", async () => {
    await using usual = await startTestServer({ metricsPort: 0 });
    const ask = async (request: Partial<RawRequest>) => {
      const reply = await askRaw(String(usual.metricsUrl), bare({ path: "/metrics", ...request }));
      return [reply?.status, String(reply?.body).includes("patchbay_requests_total")];
    };
    expect(await ask({})).toEqual([200, true]);
    for (const host of ["127.0.0.1", "[::1]:8788", "patchbay.localhost"])
      expect(await ask({ host })).toEqual([200, true]);
    for (const path of ["/metrics", "/readyz", "/healthz"])
      expect(await ask({ path, host: "evil.example" })).toEqual([403, false]);
    expect(await ask({ headers: ["Origin: http://evil.example"] })).toEqual([403, false]);
    expect(await ask({ headers: ["Host: localhost"] })).toEqual([400, false]);
    // A health check of HAProxy names no host.
    expect(await ask({ version: "1.0", host: null })).toEqual([200, true]);
  });
});

test("a server that others reach in clear says so in its log, once", async () => {
  const lines: { level: number; msg: string }[] = [];
  const logTo = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const warnings = async (config: object) => {
    lines.length = 0;
    await (await startTestServer({ logLevel: "info", ...config }, { seed, logTo })).close();
    return lines.filter(({ level }) => level >= 40).map(({ msg }) => msg);
  };
  expect(await warnings({ host: "0.0.0.0" })).toEqual([
    "others reach this server in clear, tokens included: use --tls-cert and --tls-key, or a proxy",
  ]);
  expect(await warnings({ host: "0.0.0.0", publicUrl: PUBLIC })).toEqual([]);
  expect(await warnings({})).toEqual([]);
});

function never(): never {
  throw new Error("not a prefix");
}
