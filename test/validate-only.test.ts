import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  AMS,
  LIST,
  ORD,
  one,
  problems,
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

const put = (body: unknown, query = "") => server.ask("PUT", LIST + query, { body });
const wrapped = (...elements: unknown[]) => ({ interconnects: elements });

describe("validate_only", () => {
  const requests: [string, string, unknown][] = [
    ["one, with a change", one(ORD), { mtu: 1400, bgp: { md5_key: "k" } }],
    ["one, without a change", one(ORD), { mtu: 1476 }],
    ["many, with changes", LIST, wrapped({ id: SIN, mtu: 1400 }, { id: ORD, name: "x" })],
    ["many, a swap", LIST, wrapped({ id: ORD, name: "pni_ams" }, { id: AMS, name: "pni_ord" })],
    ["many, without a change", LIST, wrapped({ id: SIN })],
    ["one refused", one(ORD), { mtu: 1, x: 1 }],
    ["many refused", LIST, wrapped({ id: SIN, mtu: 1 }, { id: "0" })],
    ["one unknown", one("0"), {}],
  ];

  test.each(requests)("answers as the real call does, and keeps nothing: %s", async (_, path, body) => {
    const dry = await untouched(server, () => server.ask("PUT", `${path}?validate_only=true`, { body }));
    const real = await server.ask("PUT", path, { body });
    expect(dry.status).toBe(real.status);
    const messages =
      real.status === 200
        ? [{ code: 990900, message: "validate_only: the request is valid; nothing was changed" }]
        : [];
    expect(dry.body.messages).toEqual(messages);
    const comparable = ({ body }: Reply) =>
      JSON.parse(JSON.stringify({ ...body, messages: [] }), (key, value) =>
        key === "modified_on" ? "" : value,
      );
    expect(comparable(dry)).toEqual(comparable(real));
  });

  test("has no etag for what does not exist", async () => {
    const dry = await server.ask("PUT", `${one(ORD)}?validate_only=true`, { body: { mtu: 1400 } });
    expect(dry.headers.get("etag")).toBe(null);
  });

  test("does not reserve what it found free", async () => {
    await put(wrapped({ id: ORD, name: "free" }), "?validate_only=true");
    expect(verdict(await put(wrapped({ id: AMS, name: "free" })))).toBe("200");
    const now = await put(wrapped({ id: ORD, name: "free" }), "?validate_only=true");
    expect(problems(now)).toEqual(["990027 /interconnects/0/name"]);
  });

  test.each(["false", "0"])("=%s makes the change", async (value) => {
    await put(wrapped({ id: ORD, mtu: 1400 }), `?validate_only=${value}`);
    expect(await revision(server)).toBe(2);
  });
});
