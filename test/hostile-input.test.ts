import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Form,
  formHeader,
  fullUpdates,
  objectsIn,
  type Path,
  pathsOf,
  pointer,
  withAt,
} from "./harness/hostile-bodies.ts";
import {
  expectNoKeyTwice,
  expectUnknown,
  expectWhatItCanBe,
  type GoodBody,
  LONG,
  placesOf,
} from "./harness/hostile-suite.ts";
import { LIST, ORD, one, problems, startTestServer, type TestServer } from "./harness/server.ts";
import { revision, standing, untouched, verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const send = (path: string, body: string | Uint8Array, form: Form = "text") =>
  server.ask("PUT", path, { body, headers: formHeader(form) });

const forms: Form[] = ["text", "object"];
/** Both operations, and where an update stands in the body of each. */
const operations = [
  {
    operation: "update of one",
    path: (id: string) => one(id),
    wrap: (update: unknown) => update,
    at: [] as Path,
  },
  {
    operation: "update of many",
    path: () => LIST,
    wrap: (update: unknown) => ({ interconnects: [update] }),
    at: ["interconnects", 0] as Path,
  },
];
const bodies = Object.entries(fullUpdates)
  .flatMap(([version, { id, update }]) =>
    forms.flatMap((form) =>
      operations.map(({ operation, path, wrap, at }) => ({
        title: `${operation}, ${version}, target as ${form}`,
        path: path(id),
        body: wrap(update(form)),
        form,
        at,
      })),
    ),
  )
  // The two operations share what checks an update, so that of many need not be gone through in every form.
  .filter(({ path, form }, index) => path !== LIST || (form === "text") === index < 4);

test.each(bodies)("without anything wrong, the full body is taken ($title)", async ({ path, body, form }) => {
  await server.reset();
  expect(verdict(await send(path, JSON.stringify(body), form))).toBe("200");
  expect(await revision(server)).toBe(2);
});

/** Where one of the odd values is one that the field takes, by the field's place in an update. */
const legal: Record<string, string[]> = {
  "": ["{}"],
  "/automatic_return_routing": ["true"],
  "/bgp": ["{}"],
  "/bgp/cloudflare_endpoint": ['""'],
  "/bgp/customer_endpoint": ['""'],
  "/bgp/export_filter_id": ['""', '"x"'],
  "/bgp/import_filter_id": ['""', '"x"'],
  "/bgp/extra_prefixes": ["[]"],
  "/bgp/md5_key": ['""', '"x"'],
  "/created_on": ['""', '"x"', LONG],
  "/description": ['""', '"x"'],
  "/gre": ["{}"],
  "/health_check": ["{}"],
  "/health_check/enabled": ["true"],
  "/health_check/target": ['""'],
  "/health_check/target/effective": ['""', '"x"'],
  "/health_check/target/saved": ['""'],
  "/interface_address6": ['""'],
  "/modified_on": ['""', '"x"', LONG],
  "/name": ['"x"'],
};

function isLegal(path: Path, at: Path, json: string, form: Form): boolean {
  const place = pointer(path);
  const wrapped = at.length > 0;
  if (wrapped && path.length === 0) return json === "{}" || json === "[]";
  if (wrapped && place === "/interconnects") return json === "[]";
  const field = place.slice(pointer(at).length);
  // An element that says nothing does not say which interconnect it is for.
  if (wrapped && field === "") return false;
  if (field === "/health_check/target" && form === "object") return json === "{}";
  return legal[field]?.includes(json) ?? false;
}

describe.each(bodies)("in the $title", ({ path, body, form, at }) => {
  const good: GoodBody = {
    body,
    send: (text) => send(path, text, form),
    isLegal: (place, json) => isLegal(place, at, json, form),
  };

  test.each(placesOf(body))("$name is what it can be, or refused", ({ place }) =>
    expectWhatItCanBe(server, good, place),
  );

  test("a key that stands twice is refused at its place, at every depth", () =>
    expectNoKeyTwice(server, good));

  test.each([
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "",
    "a/b~c",
    "0",
    "é",
    "💥",
  ])("a key named %j is one that is not known, at every depth", (key) =>
    expectUnknown(server, good, key, ["1", '{"mtu":1400,"polluted":true}']),
  );
});

describe("numbers", () => {
  const numbers: [json: string, mtu: number | "refused"][] = [
    ["1400.0", 1400],
    ["1.4e3", 1400],
    ["140000e-2", 1400],
    ["1.4e400", "refused"],
    ["-1.4e400", "refused"],
    ["1e-400", "refused"],
    ["-0", "refused"],
    ["1400.0000000001", "refused"],
    ["9007199254740993", "refused"],
    ["123456789012345678901234567890", "refused"],
    [`1${"0".repeat(400)}`, "refused"],
    [`0.${"0".repeat(10_000)}1`, "refused"],
  ];
  test.each(numbers)("mtu %s", async (json, mtu) => {
    await server.reset();
    const act = () => send(one(ORD), `{"mtu":${json}}`);
    const reply = mtu === "refused" ? await untouched(server, act) : await act();
    if (mtu === "refused") expect(reply.status).toBe(400);
    else expect(reply.body.result.modified_interconnect.mtu).toBe(mtu);
  });

  test("an AS number that is not an int32 is refused", async () => {
    for (const json of ["-1", "2147483648", "4294967295", "9007199254740993", "1e400"]) {
      expect(problems(await send(one(ORD), `{"bgp":{"customer_asn":${json}}}`))).toHaveLength(1);
    }
    expect(verdict(await send(one(ORD), '{"bgp":{"customer_asn":2147483647}}'))).toBe("200");
  });
});

describe("what is not JSON", () => {
  const texts = [
    "",
    " ",
    "{",
    "}",
    "[",
    "{]",
    '{"mtu"',
    '{"mtu":',
    '{"mtu":1400',
    '{"mtu":1400}}',
    "{}{}",
    "nul",
    "undefined",
    "NaN",
    "Infinity",
    "{mtu:1400}",
    "{'mtu':1400}",
    '{"mtu":1400,}',
    "[1,]",
    '{"mtu":01400}',
    '{"mtu":+1400}',
    '{"mtu":.5}',
    '{"mtu":5.}',
    '{"mtu":0x578}',
    '{"mtu":1_400}',
    '{"description":"\u0001"}',
    '{"description":"\\x41"}',
    '{"description":"\\u12"}',
    '{"description":"\n"}',
    '// why\n{"mtu":1400}',
    '{"mtu":1400}/* why */',
    "\u00a0{}",
    "mtu=1400",
    '<mtu value="1400"/>',
    "null",
    "true",
    "1400",
    '"x"',
  ];
  test.each(texts)("%j", async (text) => {
    for (const path of [one(ORD), LIST]) {
      const reply = await untouched(server, () => send(path, text));
      expect(verdict(reply)).toBe("400 1022");
      expect(reply.body.errors[0].message).toMatch(/^Invalid Request: /);
    }
  });

  test.each([
    ["a byte order mark", [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ["UTF-16", [...Buffer.from('\ufeff{"mtu":1400}', "utf16le")]],
    ["Latin-1", [...Buffer.from('{"description":"é"}', "latin1")]],
    ["a byte that is never UTF-8", [0x22, 0xff, 0x22]],
    ["an overlong NUL", [0x22, 0xc0, 0x80, 0x22]],
    ["an encoded half of a surrogate pair", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["a character cut short", [0x22, 0xf0, 0x9f, 0x92, 0x22]],
    ["a character beyond the last", [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
  ])("%s", async (_, bytes) => {
    const reply = await untouched(server, () => send(one(ORD), Uint8Array.from(bytes)));
    expect(verdict(reply)).toBe("400 1022");
  });
});

describe("text that not everybody can hold", () => {
  const bad = ["\\u0000", "a\\u0000b", "\\ud83d", "\\udca5", "\\udca5\\ud83d", "\\ud83d\\ud83d\\udca5"];
  test.each(bad)("%s is refused at its place, at every depth and in keys", async (half) => {
    const { body, path } = {
      body: { interconnects: [{ id: ORD, bgp: { extra_prefixes: ["x"] } }] },
      path: LIST,
    };
    await untouched(server, async () => {
      for (const place of pathsOf(body)) {
        const reply = await send(path, withAt(body, place, `"${half}"`));
        expect(problems(reply)).toEqual([`990017 ${pointer(place)}`]);
      }
      for (const place of objectsIn(body)) {
        const text = withAt(body, place, `{"${half}":1}`);
        expect(problems(await send(path, text))).toEqual([`990017 ${pointer(place)}`]);
      }
    });
  });

  test("a whole pair is a character, however it is written", async () => {
    await server.reset();
    for (const text of ["\\ud83d\\udca5", "💥"]) {
      const reply = await send(one(ORD), `{"description":"${text}"}`);
      expect(reply.body.result.modified_interconnect.description).toBe("💥");
    }
    expect(await revision(server)).toBe(2);
  });
});

describe("nesting", () => {
  const nest = (levels: number, open: string, inner: string, close: string) =>
    open.repeat(levels) + inner + close.repeat(levels);

  test.each([
    ["lists", "[", "", "]"],
    ["objects", '{"a":', "1", "}"],
  ])("of more than 32 levels is refused before it is read (%s)", async (_, ...parts) => {
    for (const levels of [33, 1000, 100_000]) {
      const reply = await untouched(server, () => send(LIST, nest(levels, ...parts)));
      expect(verdict(reply)).toBe("400 990016");
      expect(reply.body.errors[0].message).toContain(`nested ${levels} levels deep; at most 32`);
    }
    expect(verdict(await send(LIST, nest(32, ...parts)))).not.toContain("990016");
  });

  test("is counted over brackets that never close, and not in texts", async () => {
    expect(verdict(await send(LIST, "[".repeat(1000)))).toBe("400 990016");
    expect(verdict(await send(one(ORD), JSON.stringify({ description: "[".repeat(1000) })))).toBe("200");
  });
});

test("after all this nothing has got into the server's own objects, and it goes on answering", async () => {
  for (const object of [Object.prototype, Array.prototype, Function.prototype]) {
    expect(Object.keys(object)).toEqual([]);
    expect(Reflect.get(object, "polluted")).toBe(undefined);
    expect(Reflect.get(object, "mtu")).toBe(undefined);
  }
  await server.reset();
  expect(await standing(server)).toHaveLength(5);
  expect(verdict(await send(one(ORD), '{"mtu":1400}'))).toBe("200");
});
