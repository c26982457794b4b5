import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cpuSeconds } from "./harness/cpu-time.ts";
import { many, members } from "./harness/hostile-bodies.ts";
import { LIST, ORD, one, type Reply, startTestServer, type TestServer } from "./harness/server.ts";
import { untouched, verdict } from "./harness/standing.ts";

/** MiB by which the process may grow under the bodies below, which the test makes and sends from within it. */
const MOST_GROWTH = 1_000;
/** MiB by which the heap may have grown when all is over. */
const MOST_KEPT = 50;
/** Seconds that the longest of them may take, on a machine that does other things as well. */
const LONGEST = 10;

let server: TestServer;
let usual = process.memoryUsage();
let highest = 0;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

beforeAll(async () => {
  server = await startTestServer();
  for (let i = 0; i < 50; i++) await server.ask("PUT", LIST, { body: {} });
  collect();
  usual = process.memoryUsage();
});
afterAll(() => server.close());

async function send(path: string, body: string | Uint8Array): Promise<{ reply: Reply; seconds: number }> {
  const start = cpuSeconds();
  const reply = await server.ask("PUT", path, { body });
  highest = Math.max(highest, process.memoryUsage().rss);
  return { reply, seconds: cpuSeconds() - start };
}

/** The first refusal, and what the last says of those that are not told. */
function told({ body }: Reply): { count: number; first: unknown; last: string } {
  const { errors } = body;
  return { count: errors.length, first: errors[0].source?.pointer, last: errors.at(-1).message };
}

const MIB = 1024 * 1024;
const TEN_THOUSAND = 10_000;
const MILLION = 1_000_000;

/** A list of elements that each say something that is refused. */
const elements = (count: number, element: string) => many(count, () => element);

interface Case {
  readonly what: string;
  readonly path: string;
  readonly body: () => string | Uint8Array;
  readonly refused: string;
  /** Problems that are counted but not told. */
  readonly more?: number;
  readonly first?: string;
}

/** `code` a hundred times, and the count of the others. */
const hundred = (code: number) => `400 ${Array(100).fill(code).join(" ")} 990019`;

const cases: Case[] = [
  { what: "a body of 17 MB", path: LIST, body: () => "x".repeat(17 * MIB), refused: "413 990007" },
  {
    what: "a body one byte too long",
    path: LIST,
    body: () => " ".repeat(16 * MIB + 1),
    refused: "413 990007",
  },
  { what: "a body of 16 MiB of spaces", path: LIST, body: () => " ".repeat(16 * MIB), refused: "400 1022" },
  {
    what: "a text of nearly 16 MiB",
    path: one(ORD),
    body: () => JSON.stringify({ description: "x".repeat(16 * MIB - 100) }),
    refused: "400 990023",
    first: "/description",
  },
  {
    what: "16 MiB of backslashes",
    path: one(ORD),
    body: () => `"${"\\\\".repeat(8 * MIB - 1)}"`,
    refused: "400 1022",
  },
  {
    what: "10,001 elements",
    path: LIST,
    body: () => many(10_001, (index) => `{"id":"${index}"}`),
    refused: "400 990018",
    first: "",
  },
  {
    what: "10,001 elements in their wrapping",
    path: LIST,
    body: () => `{"interconnects":${elements(10_001, "{}")}}`,
    refused: "400 990018",
    first: "/interconnects",
  },
  {
    what: "90,000 elements of junk",
    path: LIST,
    body: () => elements(90_000, '{"a":[1]}'),
    refused: "400 990018",
  },
  {
    what: "a million elements of junk",
    path: LIST,
    body: () => elements(MILLION, '{"a":[1]}'),
    refused: "400 990047",
  },
  {
    what: "as many empty objects as fit into 16 MiB",
    path: LIST,
    body: () => elements(Math.floor((16 * MIB) / 3) - 1, "{}"),
    refused: "400 990047",
  },
  {
    what: "90,000 elements of junk where one update belongs",
    path: one(ORD),
    body: () => elements(90_000, '{"a":[1]}'),
    refused: "400 1022",
    first: "",
  },
  {
    what: "a million items in a list inside",
    path: one(ORD),
    body: () => `{"bgp":{"extra_prefixes":${elements(MILLION, "1")}}}`,
    refused: "400 990023",
    first: "/bgp/extra_prefixes",
  },
  {
    what: "9,000 unknown fields",
    path: one(ORD),
    body: () => members(9_000, (index) => `"f${index}":1`),
    refused: hundred(990020),
    more: 8_900,
    first: "/f0",
  },
  {
    what: "9,000 unknown fields around the list",
    path: LIST,
    body: () => members(9_000, (index) => `"f${index}":1`),
    refused: hundred(990020),
    more: 8_900,
    first: "/f0",
  },
  {
    what: "9,000 unknown fields in an element among good ones",
    path: LIST,
    body: () => `[{"id":"${ORD}","mtu":1400,${members(9_000, (index) => `"f${index}":1`).slice(1)}]`,
    refused: hundred(990020),
    more: 8_900,
    first: "/0/f0",
  },
  {
    what: "a million unknown fields",
    path: one(ORD),
    body: () => members(MILLION, (index) => `"f${index}":1`),
    refused: "400 990046",
  },
  {
    what: "10,000 elements of 100 unknown fields each of its own",
    path: LIST,
    body: () => many(TEN_THOUSAND, (element) => members(100, (index) => `"f${100 * element + index}":1`)),
    refused: "400 990046",
  },
  {
    what: "an unknown field with a name of 15 MB",
    path: one(ORD),
    body: () => `{"${"x".repeat(15 * MIB)}":1}`,
    refused: "400 990020",
    first: "",
  },
  {
    what: "10,000 elements of 100 unknown fields",
    path: LIST,
    body: () =>
      elements(
        TEN_THOUSAND,
        members(100, (index) => `"f${index}":1`),
      ),
    refused: hundred(990020),
    // A hundred fields and a missing id, of each.
    more: 1_009_900,
  },
  {
    what: "10,000 elements with the wrong type in every field",
    path: LIST,
    body: () =>
      elements(
        TEN_THOUSAND,
        '{"id":1,"name":[],"mtu":"x","gre":[],"bgp":{"md5_key":1,"extra_prefixes":[1]},"health_check":{"enabled":1,"target":2}}',
      ),
    refused: hundred(1022),
    more: 79_900,
    first: "/0/id",
  },
  {
    what: "900 elements of 1,000 prefixes that are numbers",
    path: LIST,
    body: () => elements(900, `{"id":"x","bgp":{"extra_prefixes":${elements(1000, "1")}}}`),
    refused: hundred(1022),
    more: 900 * 1_001 - 100,
  },
  {
    what: "8 million numbers",
    path: LIST,
    body: () => elements(8 * MILLION, "1"),
    refused: "400 990047",
  },
  {
    what: "200 elements of 1,000 prefixes that are too long",
    path: LIST,
    body: () => elements(200, `{"id":"x","bgp":{"extra_prefixes":${elements(1000, `"${"x".repeat(65)}"`)}}}`),
    refused: `400 ${Array(100).fill(990023).join(" ")} 990019`,
    more: 200 * 1_001 - 100,
  },
  {
    what: "10,000 elements for interconnects that do not exist",
    path: LIST,
    body: () => many(TEN_THOUSAND, (index) => `{"id":"${index}"}`),
    refused: hundred(990025),
    more: 9_900,
    first: "/0/id",
  },
  {
    what: "10,000 elements for the same interconnect",
    path: LIST,
    body: () => elements(TEN_THOUSAND, `{"id":"${ORD}"}`),
    refused: hundred(990026),
    more: 9_899,
    first: "/1/id",
  },
  {
    what: "a key that stands a million times",
    path: one(ORD),
    body: () => members(MILLION, () => '"mtu":1400'),
    refused: hundred(990015),
    more: 999_899,
    first: "/mtu",
  },
  {
    what: "a million texts with a NUL",
    path: one(ORD),
    body: () => elements(MILLION, '"\\u0000"'),
    refused: hundred(990017),
    more: 999_900,
    first: "/0",
  },
  {
    what: "problems under a key of 4 MB, each of which would be told with it",
    path: one(ORD),
    body: () => `{"${"k".repeat(4 * MIB)}":${members(100_000, () => '"a":1')}}`,
    refused: hundred(990015),
    more: 99_899,
    first: "",
  },
  {
    what: "NULs under a key of 4 MB",
    path: one(ORD),
    body: () => `{"${"k".repeat(4 * MIB)}":${elements(100_000, '"\\u0000"')}}`,
    refused: hundred(990017),
    more: 99_900,
    first: "",
  },
];

describe("a body that is large on purpose is refused in a bounded time, and changes nothing", () => {
  test.each(cases)("$what", async ({ path, body, refused, more, first }) => {
    const sent = body();
    const { reply, seconds } = await untouched(server, () => send(path, sent));
    expect(verdict(reply)).toBe(refused);
    if (more !== undefined) {
      expect(told(reply).count).toBe(101);
      expect(told(reply).last).toBe(`and ${more} more`);
    }
    if (first !== undefined) expect(told(reply).first).toBe(first);
    expect(JSON.stringify(reply.body).length, "the size of the refusal").toBeLessThan(200_000);
    expect(seconds).toBeLessThan(LONGEST);
  });

  test("in a bounded space, of which nothing is kept", async () => {
    expect((highest - usual.rss) / MIB, "growth at its highest").toBeLessThan(MOST_GROWTH);
    collect();
    const kept = process.memoryUsage().heapUsed - usual.heapUsed;
    expect(kept / MIB, "growth of the heap afterwards").toBeLessThan(MOST_KEPT);
  });

  test("and the server takes the next update", async () => {
    expect(verdict(await server.ask("PUT", one(ORD), { body: { mtu: 1400 } }))).toBe("200");
  });
});

describe("ten times the body takes about ten times as long, not a hundred times", () => {
  const kinds: [what: string, path: string, size: number, body: (size: number) => string][] = [
    ["unknown fields", one(ORD), 10_000, (size) => members(size, (index) => `"f${index}":1`)],
    ["elements with unknown fields", LIST, 1_000, (size) => elements(size, '{"a":1,"b":2}')],
    [
      "elements with wrong types",
      LIST,
      1_000,
      (size) => elements(size, '{"mtu":"x","name":1,"health_check":{"rate":1}}'),
    ],
    ["elements that do not exist", LIST, 1_000, (size) => many(size, (index) => `{"id":"${index}"}`)],
    ["the same element", LIST, 1_000, (size) => elements(size, `{"id":"${ORD}","mtu":1400}`)],
    ["a repeated key", one(ORD), 50_000, (size) => members(size, () => '"a":1')],
    ["NULs", one(ORD), 50_000, (size) => elements(size, '"\\u0000"')],
    ["a long text", one(ORD), MIB, (size) => JSON.stringify({ description: "x".repeat(size) })],
    ["a long key", one(ORD), MIB, (size) => `{"${"x".repeat(size)}":1}`],
    ["deep nesting", one(ORD), MIB, (size) => "[".repeat(size)],
  ];

  test.each(kinds)("%s", async (_, path, size, body) => {
    const fastest = async (text: string) => {
      const seconds: number[] = [];
      for (let i = 0; i < 3; i++) seconds.push((await send(path, text)).seconds);
      return Math.min(...seconds);
    };
    const small = await fastest(body(size));
    const large = await fastest(body(10 * size));
    expect(large / small).toBeLessThan(40);
  });
});
