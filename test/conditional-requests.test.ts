import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  AMS,
  type Ask,
  LIST,
  ORD,
  OWN,
  one,
  type Reply,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { revision, untouched, verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const etagOf = ({ headers }: Reply) => headers.get("etag") ?? "none";
const get = (path: string, ifNoneMatch?: string) =>
  server.ask("GET", path, ifNoneMatch === undefined ? {} : { headers: { "if-none-match": ifNoneMatch } });
const put = (path: string, body: unknown, headers: Ask["headers"] = {}) =>
  server.ask("PUT", path, { body, headers });
const change = (path: string, ifMatch: string, mtu = 1400) =>
  put(path, path === LIST ? { interconnects: [{ id: ORD, mtu }] } : { mtu }, { "if-match": ifMatch });

/** The places that have a tag, with an update that changes what stands there. */
const places: [string, string, object][] = [
  ["the list", LIST, { mtu: 1400 }],
  ["one", one(ORD), { mtu: 1400 }],
  ["the state", `${OWN}/state`, { mtu: 1400 }],
];

describe("an etag", () => {
  test.each(places)(
    "of %s is the same until something changes, and then another",
    async (_, path, update) => {
      const first = etagOf(await get(path));
      expect(first).toMatch(/^"[0-9a-f]{16}-1"$/);
      expect(etagOf(await get(path))).toBe(first);
      await put(one(ORD), update);
      const second = etagOf(await get(path));
      expect(second).toMatch(/^"[0-9a-f]{16}-2"$/);
      expect(second.slice(0, 17)).toBe(first.slice(0, 17));
    },
  );

  test("tells the epoch and revision of the state", async () => {
    await put(one(AMS), { mtu: 1400 });
    const { body } = await get(`${OWN}/state`);
    expect(etagOf(await get(one(AMS)))).toBe(`"${body.result.epoch}-${body.result.revision}"`);
  });

  test("of one stays when another changes; that of the list does not", async () => {
    const one1 = etagOf(await get(one(ORD)));
    const list = etagOf(await get(LIST));
    await put(one(SIN), { mtu: 1400 });
    expect(etagOf(await get(one(ORD)))).toBe(one1);
    expect(etagOf(await get(LIST))).not.toBe(list);
  });

  test("stays when an update changes no value, also where others have changed meanwhile", async () => {
    await put(one(SIN), { mtu: 1400 });
    const before = etagOf(await get(one(ORD)));
    const reply = await put(one(ORD), { mtu: 1476 });
    expect(etagOf(reply)).toBe(before);
    expect(etagOf(await get(one(ORD)))).toBe(before);
  });

  test("of an update is that of what it made", async () => {
    const updated = await put(one(ORD), { mtu: 1400 });
    expect(etagOf(updated)).toBe(etagOf(await get(one(ORD))));
    const many = await put(LIST, { interconnects: [{ id: AMS, mtu: 1400 }] });
    expect(etagOf(many)).toBe(etagOf(await get(LIST)));
    expect(etagOf(many)).toBe(etagOf(await get(one(AMS))));
  });

  test("is another after a reset, though the revision is the same", async () => {
    const before = etagOf(await get(one(ORD)));
    await server.reset();
    const after = etagOf(await get(one(ORD)));
    expect(after).not.toBe(before);
    expect(after.slice(-3)).toBe(before.slice(-3));
    expect(verdict(await change(one(ORD), before))).toBe("412 990014");
  });

  test("is the same in both forms of the target, since the answer says that it varies", async () => {
    const object = await server.ask("GET", one(ORD), { headers: { "x-magic-new-hc-target": "true" } });
    expect(etagOf(object)).toBe(etagOf(await get(one(ORD))));
    expect(object.headers.get("vary")).toBe("x-magic-new-hc-target");
  });
});

describe("If-None-Match on a read", () => {
  test.each(places)("of %s: 304 while nothing changed, without a body", async (_, path, update) => {
    const tag = etagOf(await get(path));
    const same = await get(path, tag);
    expect(same.status).toBe(304);
    expect(same.body).toBe(undefined);
    expect(etagOf(same)).toBe(tag);
    await put(one(ORD), update);
    expect((await get(path, tag)).status).toBe(200);
  });

  test.each([
    ["the tag among others", (tag: string) => `"a", ${tag} ,"b"`, 304],
    ["the tag as a weak one", (tag: string) => `W/${tag}`, 304],
    ["whatever there is", () => "*", 304],
    ["other tags", () => '"a", W/"b"', 200],
    ["the tag of a later revision", (tag: string) => tag.replace(/1"$/, '2"'), 200],
    ["an empty tag", () => '""', 200],
  ])("%s", async (_, header, status) => {
    const tag = etagOf(await get(one(ORD)));
    expect((await get(one(ORD), header(tag))).status).toBe(status);
  });

  test("does not make what is missing unchanged", async () => {
    expect(verdict(await get(one("0"), "*"))).toBe("404 990024");
  });
});

describe("If-Match on an update", () => {
  test.each([
    ["of one", one(ORD)],
    ["of many", LIST],
  ])("%s: made if nothing moved, 412 if it did", async (_, path) => {
    const tag = etagOf(await get(path));
    expect(verdict(await change(path, tag, 1400))).toBe("200");
    const late = await untouched(server, () => change(path, tag, 1300));
    expect(verdict(late)).toBe("412 990014");
    const now = etagOf(await get(path));
    expect(late.body.errors[0].message).toBe(`The condition of the request does not hold: it is now ${now}.`);
    expect(verdict(await change(path, now, 1300))).toBe("200");
  });

  test("of many is about the whole list, though only some are updated", async () => {
    const tag = etagOf(await get(LIST));
    await put(one(SIN), { mtu: 1400 });
    expect(verdict(await change(LIST, tag))).toBe("412 990014");
  });

  test("of one is about that one alone", async () => {
    const tag = etagOf(await get(one(ORD)));
    await put(one(SIN), { mtu: 1400 });
    expect(verdict(await change(one(ORD), tag))).toBe("200");
  });

  test.each([
    ["the tag among others", (tag: string) => `"a", ${tag}`, "200"],
    ["whatever there is", () => "*", "200"],
    ["the tag as a weak one, which is not the same", (tag: string) => `W/${tag}`, "412 990014"],
    ["another tag", () => '"a"', "412 990014"],
    ["the same revision of another epoch", () => '"0000000000000000-1"', "412 990014"],
  ])("%s", async (_, header, outcome) => {
    for (const path of [one(ORD), LIST]) {
      await server.reset();
      const tag = etagOf(await get(path));
      expect(verdict(await change(path, header(tag)))).toBe(outcome);
    }
  });

  test("is judged before the body, and for validate_only too", async () => {
    const stale = { "if-match": '"a"' };
    expect(verdict(await put(one(ORD), { mtu: 1 }, stale))).toBe("412 990014");
    expect(verdict(await put(`${one(ORD)}?validate_only=true`, { mtu: 1400 }, stale))).toBe("412 990014");
    expect(verdict(await put(LIST, {}, stale))).toBe("412 990014");
  });

  test("of what does not exist: 404", async () => {
    expect(verdict(await change(one("0"), "*"))).toBe("404 990024");
  });
});

describe("If-None-Match on an update", () => {
  test("is a condition too: made if the tag is another, 412 if it is this one", async () => {
    const tag = etagOf(await get(one(ORD)));
    expect(verdict(await put(one(ORD), { mtu: 1400 }, { "if-none-match": tag }))).toBe("412 990014");
    expect(verdict(await put(one(ORD), { mtu: 1400 }, { "if-none-match": "*" }))).toBe("412 990014");
    expect(verdict(await put(one(ORD), { mtu: 1400 }, { "if-none-match": '"a"' }))).toBe("200");
  });
});

describe("a condition that cannot be read is refused", () => {
  test.each([
    "",
    "x",
    "1",
    '"a',
    'a"',
    "'a'",
    '"a" "b"',
    '"a",',
    ',"a"',
    'w/"a"',
    'W/ "a"',
    "W/*",
    '*, "a"',
    '"a b"',
    `"${"x".repeat(5000)}"`,
  ])("%j", async (header) => {
    for (const name of ["if-match", "if-none-match"]) {
      const read = await server.ask("GET", one(ORD), { headers: { [name]: header } });
      expect(verdict(read)).toBe("400 990013");
      expect(read.body.errors[0].message).toContain(`The header ${name} is `);
      for (const path of [one(ORD), LIST]) {
        const write = await untouched(server, () => put(path, { interconnects: [] }, { [name]: header }));
        expect(verdict(write)).toBe("400 990013");
      }
    }
  });
});

describe("of many updates with the same condition, exactly one is made", () => {
  test.each([
    ["of one", one(ORD)],
    ["of many", LIST],
  ])("%s", async (_, path) => {
    const tag = etagOf(await get(path));
    const all = await Promise.all(Array.from({ length: 40 }, (_, index) => change(path, tag, 1300 + index)));
    const made = all.filter(({ status }) => status === 200);
    expect(made).toHaveLength(1);
    for (const reply of all) if (reply.status !== 200) expect(verdict(reply)).toBe("412 990014");
    expect(await revision(server)).toBe(2);
    const winner = all.findIndex(({ status }) => status === 200);
    expect((await get(one(ORD))).body.result.interconnect.mtu).toBe(1300 + winner);
  });

  test("round after round, none is lost that everybody read before writing", async () => {
    const follower = async (value: string) => {
      for (;;) {
        const read = await get(one(ORD));
        const { description } = read.body.result.interconnect;
        const written = await put(
          one(ORD),
          { description: description + value },
          { "if-match": etagOf(read) },
        );
        if (written.status === 200) return;
        expect(verdict(written)).toBe("412 990014");
      }
    };
    await put(one(ORD), { description: "" });
    const letters = [..."abcdefghijklmnop"];
    await Promise.all(letters.map(follower));
    const { description } = (await get(one(ORD))).body.result.interconnect;
    expect([...description].sort()).toEqual(letters);
  });
});
