import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseHost, parsePrefix } from "../../src/contract/addresses.ts";
import { Proxies } from "../../src/server/network/proxies.ts";
import { askRaw, type RawRequest, rawVerdict } from "../harness/raw.ts";
import { ACCOUNT, codes, LIST, startTestServer, type TestServer } from "../harness/server.ts";
import { refusalOf } from "../harness/terminal.ts";

const [OWNER, INSIDE, OUTSIDE] = ["o".repeat(40), "i".repeat(40), "x".repeat(40)];
const policies = 'policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Write] }]';
const text = `
accounts: [{ id: ${ACCOUNT}, name: one }]
tokens:
  - { id: "${"1".repeat(32)}", name: owner, value: ${OWNER}, ${policies} }
  - { id: "${"2".repeat(32)}", name: inside, value: ${INSIDE}, condition: { request_ip: { in: [203.0.113.0/24, 2001:db8::/32] } }, ${policies} }
  - { id: "${"3".repeat(32)}", name: outside, value: ${OUTSIDE}, condition: { request_ip: { not_in: [203.0.113.0/24] } }, ${policies} }`;
const seed = { name: "proxied", text };

const prefixes = (...texts: string[]) => texts.flatMap((it) => parseHost(it) ?? parsePrefix(it) ?? []);
const lines: { ip?: string }[] = [];
const logTo = { write: (line: string) => void lines.push(JSON.parse(line)) };

/** Behind a proxy on this machine and a second one before it. */
let behind: TestServer;
/** Behind a proxy that is not this machine. */
let elsewhere: TestServer;
/** Behind none. */
let alone: TestServer;
beforeAll(async () => {
  const logLevel = "debug";
  const trustProxy = prefixes("127.0.0.0/8", "192.0.2.1", "2001:db8:1::/48");
  behind = await startTestServer({ trustProxy, logLevel }, { seed, logTo });
  elsewhere = await startTestServer({ trustProxy: prefixes("192.0.2.1"), logLevel }, { seed, logTo });
  alone = await startTestServer({ logLevel }, { seed, logTo });
});
afterAll(async () => {
  for (const server of [behind, elsewhere, alone]) await server.close();
});

const forwarded = (addresses: string) => [`X-Forwarded-For: ${addresses}`];
const told = async (server: TestServer, request: Partial<RawRequest>) =>
  rawVerdict(await askRaw(server.url, { path: LIST, token: OWNER, ...request }));

/** The client's address as the log has it. */
async function logged(server: TestServer, headers: readonly string[]): Promise<string | undefined> {
  await told(server, { headers });
  return lines.findLast(({ ip }) => ip !== undefined)?.ip;
}

describe("the client's address, told by a proxy that is trusted", () => {
  test.each([
    ["203.0.113.9", "203.0.113.9"],
    ["198.51.100.1, 203.0.113.9", "203.0.113.9"],
    ["203.0.113.9, 192.0.2.1", "203.0.113.9"],
    ["203.0.113.9, 127.0.0.5, 192.0.2.1,2001:db8:1::7", "203.0.113.9"],
    ["garbage, 203.0.113.9", "203.0.113.9"],
    ["unknown,,198.51.100.1 , 203.0.113.9,192.0.2.1", "203.0.113.9"],
    ["203.0.113.9:4711", "203.0.113.9"],
    ["[2001:db8::9]:4711", "2001:db8::9"],
    ["2001:DB8:0::9", "2001:db8::9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["203.0.113.9, ::ffff:192.0.2.1", "203.0.113.9"],
    ["192.0.2.1", "192.0.2.1"],
    ["127.0.0.9, 192.0.2.1", "127.0.0.9"],
  ])("%s: %s, the right-most that is no proxy", async (addresses, client) => {
    expect(await logged(behind, forwarded(addresses))).toBe(client);
  });

  test("may come in several lines, which count as one list", async () => {
    const headers = [...forwarded("198.51.100.1"), ...forwarded("203.0.113.9"), ...forwarded("192.0.2.1")];
    expect(await logged(behind, headers)).toBe("203.0.113.9");
  });

  test("is the proxy's own where it tells none", async () => {
    expect(await logged(behind, [])).toBe("127.0.0.1");
  });

  test.each([
    "",
    "unknown",
    "203.0.113.9,",
    "203.0.113.9, ",
    "203.0.113",
    "1.2.3.4.5",
    "example.net",
    "203.0.113.9/32",
    "010.0.0.1",
    "_hidden",
  ])("that is none is refused: %j", async (addresses) => {
    const reply = await askRaw(behind.url, { path: LIST, token: OWNER, headers: forwarded(addresses) });
    expect(rawVerdict(reply)).toBe("400 990013");
    expect(reply?.body.errors[0].message).toContain("x-forwarded-for");
  });

  test("is what a token's condition is about", async () => {
    const near = forwarded("203.0.113.9");
    const far = forwarded("203.0.113.9, 198.51.100.1");
    expect(await told(behind, { token: INSIDE, headers: near })).toBe("200");
    expect(await told(behind, { token: INSIDE, headers: forwarded("2001:db8::9") })).toBe("200");
    expect(await told(behind, { token: INSIDE, headers: far })).toBe("403 9109");
    expect(await told(behind, { token: INSIDE })).toBe("403 9109");
    expect(await told(behind, { token: OUTSIDE, headers: near })).toBe("403 9109");
    expect(await told(behind, { token: OUTSIDE, headers: far })).toBe("200");
    const reply = await askRaw(behind.url, { path: LIST, token: INSIDE, headers: far });
    expect(reply?.body.errors[0].message).toBe("Cannot use the access token from location: 198.51.100.1");
  });
});

describe("whoever is no trusted proxy can say nothing of where it comes from", () => {
  const spoofs = ["203.0.113.9", "203.0.113.9, 192.0.2.1", "192.0.2.1", "garbage", ""];

  test.each(spoofs)("X-Forwarded-For: %j", async (addresses) => {
    const headers = [...forwarded(addresses), "Forwarded: for=203.0.113.9", "X-Real-IP: 203.0.113.9"];
    for (const server of [elsewhere, alone]) {
      expect(await logged(server, headers)).toBe("127.0.0.1");
      expect(await told(server, { token: INSIDE, headers })).toBe("403 9109");
      expect(await told(server, { token: OUTSIDE, headers })).toBe("200");
    }
  });

  test("nor of the name and scheme it used", async () => {
    const headers = ["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https"];
    for (const server of [elsewhere, alone]) {
      const reply = await askRaw(server.url, {
        path: `${LIST}/x`,
        token: OWNER,
        host: "localhost:1",
        headers,
      });
      expect(reply?.body.errors[0].documentation_url).toBe("http://localhost:1/docs/errors/990024");
      expect(await told(server, { host: "evil.example", headers: ["X-Forwarded-Host: localhost"] })).toBe(
        "403 990009",
      );
    }
  });

  test("whatever addresses the lists hold: only what stands right of the first stranger's is believed", () => {
    const trusted = prefixes("10.0.0.0/8", "2001:db8:1::/48");
    const proxies = new Proxies(trusted);
    const proxy = fc.constantFrom("10.0.0.1", "10.255.0.1", "2001:db8:1::1", "::ffff:10.0.0.2");
    const stranger = fc.constantFrom("203.0.113.9", "2001:db8:2::1", "11.0.0.1", "9.255.255.255");
    const anything = fc.oneof(
      proxy,
      stranger,
      fc.string({ maxLength: 20 }).map((it) => it.replaceAll(",", "")),
    );
    fc.assert(
      fc.property(
        fc.array(anything),
        stranger,
        fc.array(proxy),
        proxy,
        stranger,
        (left, client, right, peer, other) => {
          const list = [...left, client, ...right].join(", ");
          const message = (remoteAddress: string) =>
            ({ headers: { "x-forwarded-for": list }, socket: { remoteAddress } }) as never;
          expect(proxies.clientOf(message(peer))).toBe(client);
          expect(proxies.clientOf(message(other))).toBe(other);
        },
      ),
    );
  });
});

describe("the name that clients use, told by a proxy that is trusted", () => {
  const proxied = (host: string, scheme: string) => [
    `X-Forwarded-Host: ${host}`,
    `X-Forwarded-Proto: ${scheme}`,
  ];

  test("is where links to pages lead", async () => {
    const link = async (headers: readonly string[]) => {
      const reply = await askRaw(behind.url, {
        path: `${LIST}/x`,
        token: OWNER,
        host: "localhost:1",
        headers,
      });
      return reply?.body.errors[0].documentation_url.replace("/docs/errors/990024", "");
    };
    expect(await link(proxied("localhost:8443", "https"))).toBe("https://localhost:8443");
    expect(await link(proxied("evil.example, localhost:8443", "http, https"))).toBe("https://localhost:8443");
    expect(await link(proxied("localhost", "gopher"))).toBe("http://localhost");
    expect(await link([])).toBe("http://localhost:1");
  });

  test("is what Host and Origin are judged by", async () => {
    const headers = proxied("patchbay.localhost", "https");
    expect(await told(behind, { host: "upstream.internal", headers })).toBe("200");
    expect(await told(behind, { host: "localhost", headers: proxied("evil.example", "https") })).toBe(
      "403 990009",
    );
    expect(await told(behind, { headers: [...headers, "Origin: https://patchbay.localhost"] })).toBe("200");
    expect(await told(behind, { headers: [...headers, "Origin: https://localhost"] })).toBe("403 990010");
    expect(await told(behind, { headers: ["X-Forwarded-Host: "] })).toBe("403 990009");
  });
});

describe("--trust-proxy", () => {
  const usual = { port: "0", metricsPort: "off", logLevel: "silent" };

  test.each([
    [
      "proxy.internal",
      "--trust-proxy names proxy.internal, but takes addresses and prefixes with commas between, such as 10.0.0.0/8,::1.",
    ],
    [
      "10.0.0.1,",
      "--trust-proxy names nothing, but takes addresses and prefixes with commas between, such as 10.0.0.0/8,::1.",
    ],
    [
      "true",
      "--trust-proxy names true, but takes addresses and prefixes with commas between, such as 10.0.0.0/8,::1.",
    ],
    [
      "10.0.0.1/8",
      "--trust-proxy names 10.0.0.1/8, but a prefix has no host bits: 10.0.0.0/8 is meant, or one address.",
    ],
    [
      "::1, 0.0.0.0/0",
      "--trust-proxy names 0.0.0.0/0, but to trust everybody would let any client say where it comes from.",
    ],
    [
      "::/0",
      "--trust-proxy names ::/0, but to trust everybody would let any client say where it comes from.",
    ],
    ["", "--trust-proxy is empty."],
  ])("%j is refused with one plain sentence", async (trustProxy, sentence) => {
    expect(await refusalOf({ ...usual, trustProxy })).toBe(sentence);
  });

  test("is called what the person wrote", async () => {
    expect(await refusalOf(usual, { PATCHBAY_TRUST_PROXY: "all" })).toMatch(
      /^PATCHBAY_TRUST_PROXY names all, /,
    );
  });
});

test("the answers of a server with proxies to trust are those of one without, to who comes without them", async () => {
  for (const server of [behind, elsewhere, alone]) {
    expect(codes(await server.ask("GET", LIST, { token: null }))).toEqual([9106]);
    expect((await server.ask("GET", LIST, { token: OWNER })).status).toBe(200);
  }
});
