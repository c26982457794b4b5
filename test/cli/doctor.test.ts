import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { judgeClock } from "../../src/cli/doctor/address.ts";
import { makeCertificate, writePair } from "../harness/certificates.ts";
import type { Said } from "../harness/cli.ts";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { Operator, type Place } from "../harness/operator.ts";
import { LIST, OTHER_ACCOUNT, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

interface Finding {
  readonly about: string;
  readonly state: string;
  readonly message: string;
  readonly todo?: string;
  readonly missing?: string[];
}

const examine = async (place: Place) => findingsOf(await new Operator(place).run(["doctor", "--json"]));

function findingsOf({ code, stdout }: Said) {
  const { success, findings }: { success: boolean; findings: Finding[] } = JSON.parse(stdout);
  expect(success).toBe(code === 0);
  const states = Object.fromEntries(findings.map(({ about, state }) => [about, state]));
  return { code, states, last: findings.at(-1), wrong: findings.find(({ state }) => state === "wrong") };
}

describe("patchbay doctor", () => {
  test("finds nothing wrong where nothing is, and changes nothing", async () => {
    const before = (await server.ask("GET", LIST)).body;
    const { code, states } = await examine(server);
    expect({ code, states }).toEqual({
      code: 0,
      states: {
        address: "well",
        clock: "well",
        token: "well",
        account: "well",
        read: "well",
        write: "well",
        log: "well",
        limit: "well",
      },
    });
    expect((await server.ask("GET", LIST)).body).toEqual(before);
    const { stdout } = await new Operator(server).run(["doctor"]);
    expect(stdout).toMatch(/^ok {5}write {5}The token changes the account's interconnects\.$/m);
  });

  test("is content with Cloudflare, and says what is not there", async () => {
    await using double = await startCloudflareDouble();
    const before = double.interconnects();
    const { code, states } = await examine({ url: double.url, token: double.token });
    expect([code, states["write"], states["log"], states["limit"]]).toEqual([0, "well", "note", "well"]);
    expect(double.interconnects()).toEqual(before);
    expect(double.requests.filter(({ method }) => method !== "GET").map(({ query }) => `${query}`)).toEqual([
      "validate_only=true",
    ]);
  });

  test.each([
    ["that is unknown", "x".repeat(40), "token", "The server does not know the token"],
    ["that has expired", "demo-expired-token-000000000000000000000", "token", "expired at 2020-01-01"],
    ["that is not valid yet", "demo-not-yet-valid-token-000000000000000", "token", "not valid before 2999"],
    ["that is disabled", "demo-disabled-token-00000000000000000000", "token", "It is disabled."],
  ])("finds a token %s", async (_, token, about, sentence) => {
    const { code, wrong } = await examine({ url: server.url, token });
    expect([code, wrong?.about]).toEqual([1, about]);
    expect(wrong?.message).toContain(sentence);
    expect(wrong?.todo).toBeTruthy();
  });

  test.each([
    ["read", "demo-other-permission-token-000000000000", "Magic WAN Read"],
    ["write", "demo-magic-read-only-token-0000000000000", "Magic WAN Write"],
    ["log", "demo-wan-write-token-0000000000000000000", "Patchbay Read"],
  ])("names the permission group that is missing to %s", async (about, token, group) => {
    const { code, wrong } = await examine({ url: server.url, token });
    expect([code, wrong?.about, wrong?.missing?.[0]]).toEqual([1, about, group]);
    expect(wrong?.todo).toContain(`permission group ${group}`);
  });

  test("finds an account that there is not", async () => {
    const { wrong } = await examine({ url: server.url, account: "f".repeat(32) });
    expect(wrong).toMatchObject({ about: "account", message: expect.stringContaining("knows no account") });
  });

  test("finds an account that the token is not for", async () => {
    await using double = await startCloudflareDouble();
    const { wrong } = await examine({ url: double.url, token: double.token, account: OTHER_ACCOUNT });
    expect(wrong).toMatchObject({ about: "read", missing: expect.arrayContaining(["Magic WAN Read"]) });
  });

  test("finds that too much was asked", async () => {
    await using double = await startCloudflareDouble({ rateLimit: { requests: 0, seconds: 300 } });
    const { wrong } = await examine({ url: double.url, token: double.token });
    expect(wrong).toMatchObject({ about: "limit", todo: expect.stringContaining("Wait 300 s") });
  });

  test("finds that nothing listens there", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    taken.close();
    await once(taken, "close");
    const { code, wrong } = await examine({ url: `http://127.0.0.1:${port}` });
    expect([code, wrong?.about]).toEqual([1, "address"]);
    expect(wrong?.message).toContain("Nothing listens there");
  });

  test("finds TLS spoken to a server in clear", async () => {
    const { wrong } = await examine({ url: server.url.replace("http:", "https:") });
    expect(wrong).toMatchObject({
      about: "address",
      todo: expect.stringContaining("says http for a server in clear"),
    });
  });

  test("finds a certificate that nobody vouches for, and is content once somebody does", async () => {
    const directory = temporaryDirectory();
    const tls = writePair(directory, makeCertificate());
    await using secure = await startTestServer({ tls });
    const { wrong } = await examine(secure);
    expect(wrong).toMatchObject({ about: "address", todo: expect.stringContaining("NODE_EXTRA_CA_CERTS") });
    // Node reads the variable when a process starts.
    const trusting = new Operator(secure, { NODE_EXTRA_CA_CERTS: join(directory, "cert.pem") });
    const { code, states } = findingsOf(await trusting.runProcess(["doctor", "--json"]));
    expect([code, states["address"]]).toEqual([0, "well"]);
  });

  test("finds a server that is another one, or leads on", async () => {
    let answer: [status: number, headers: Record<string, string>] = [200, {}];
    const other = createServer((_, response) => response.writeHead(...answer).end("<html>")).listen(
      0,
      "127.0.0.1",
    );
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    expect((await examine({ url })).wrong?.message).toContain("not as this API does");
    answer = [301, { location: "https://elsewhere.example/" }];
    expect((await examine({ url })).wrong?.message).toContain("leads on to https://elsewhere.example/");
    other.close();
  });

  test("finds no profile", async () => {
    const said = await new Operator().run(["doctor"]);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("patchbay login");
  });
});

describe("clocks", () => {
  const server = "Tue, 24 Nov 2026 12:00:00 GMT";
  const noon = Date.parse(server);
  test.each([
    ["the same", noon + 100, "well", "agree"],
    ["within the header's second", noon + 999, "well", "agree"],
    ["30 s ahead", noon + 31_000, "note", "30 s ahead of"],
    ["two minutes behind", noon - 120_000, "wrong", "120 s behind"],
  ])("%s", (_, here, state, sentence) => {
    const [finding] = judgeClock(server, here, here);
    expect(finding).toMatchObject({ state, message: expect.stringContaining(sentence) });
  });

  test("of a server that tells no time are not judged", () => {
    expect(judgeClock(null, noon, noon)).toEqual([]);
  });
});
