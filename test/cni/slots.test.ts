import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { direct, PORTS, ports, SLOTS, slots } from "../harness/cni-world.ts";
import {
  ACCOUNT,
  OTHER_ACCOUNT,
  OWN,
  problems,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const OWN_SLOTS = `${OWN}/slots`;
const facility = { name: "A building", address: ["1 Street", "Town"] };

/** Ids of the slots that a query finds, and the cursor of the rest. */
async function found(query: string): Promise<[string[], number | null]> {
  const { body } = await server.ask("GET", `${SLOTS}?${query}`);
  return [body.items.map(({ id }: { id: string }) => id), body.next];
}

describe("the list", () => {
  const { ord, ams, fast, taken } = slots;

  test.each([
    ["", [ord, ams, fast, taken]],
    ["site=SIN", [fast, taken]],
    ["site=sin", []],
    ["speed=100G", [fast]],
    ["speed=10G&site=SIN", [taken]],
    ["occupied=true", [taken]],
    ["occupied=false", [ord, ams, fast]],
    ["occupied=1", [taken]],
    ["address_contains=AVENUE", [fast, taken]],
    ["address_contains=chicago, il", [ord]],
    ["address_contains=Demonstration", []],
    ["address_contains=&site=&speed=&occupied=&cursor=&limit=", [ord, ams, fast, taken]],
  ])("by %j holds what has it", async (query, ids) => {
    expect(await found(query)).toEqual([ids, null]);
  });

  test("comes in pages, each with the cursor of the next", async () => {
    expect(await found("limit=3")).toEqual([[ord, ams, fast], 3]);
    expect(await found("limit=3&cursor=3")).toEqual([[taken], null]);
    expect(await found("limit=4")).toEqual([[ord, ams, fast, taken], null]);
    expect(await found("limit=0")).toEqual([[], 0]);
    expect(await found("cursor=99")).toEqual([[], null]);
    expect(await found("site=SIN&limit=1")).toEqual([[fast], 1]);
    expect(await found("site=SIN&limit=1&cursor=1")).toEqual([[taken], null]);
  });

  test.each([
    "cursor=-1",
    "cursor=2147483648",
    "cursor=x",
    "limit=-1",
    "limit=1.5",
    "limit=1&limit=2",
    "occupied=yes",
  ])("with %s is refused", async (query) => {
    expect(verdict(await server.ask("GET", `${SLOTS}?${query}`))).toBe("400 990011");
  });

  test("with a filter that there is not is refused, and the one that was meant named", async () => {
    const reply = await server.ask("GET", `${SLOTS}?sites=ORD`);
    expect(problems(reply)).toEqual(["990012"]);
    expect(reply.body.errors[0].message).toContain("Did you mean site?");
  });

  test("has the tag of the newest change to any slot", async () => {
    const before = await server.ask("GET", SLOTS);
    const headers = { "if-none-match": before.headers.get("etag") ?? "" };
    expect((await server.ask("GET", `${SLOTS}?site=ORD`, { headers })).status).toBe(304);
    await server.ask("POST", PORTS, { body: direct(slots.ord) });
    expect((await server.ask("GET", SLOTS, { headers })).status).toBe(200);
  });
});

describe("one slot", () => {
  test("is found in either case of its UUID, and without its dashes not at all", async () => {
    for (const id of [slots.ord, slots.ord.toUpperCase()]) {
      expect((await server.ask("GET", `${SLOTS}/${id}`)).body.id).toBe(slots.ord);
    }
    for (const id of [slots.ord.replaceAll("-", ""), "0", slots.taken.replace("9", "8")]) {
      expect(verdict(await server.ask("GET", `${SLOTS}/${id}`))).toBe("404 990073");
      expect(verdict(await server.ask("GET", `${OWN_SLOTS}/${id}`))).toBe("404 990073");
    }
  });

  test("of another account is not there", async () => {
    const other = SLOTS.replace(ACCOUNT, OTHER_ACCOUNT);
    expect(verdict(await server.ask("GET", `${other}/${slots.ord}`))).toBe("404 990073");
  });
});

describe("an administrator", () => {
  test("sees of a slot what is made on it, and who has it", async () => {
    const { body } = await server.ask("GET", `${OWN_SLOTS}/${slots.taken}`);
    expect(body.result).toEqual({
      id: slots.taken,
      account: ACCOUNT,
      ccr_device_name: "ccr01.sin",
      facility: { name: "Demonstration Singapore", address: ["2 Example Avenue", "Singapore 408600"] },
      occupied: true,
      port: ports.sin,
      site: "SIN",
      speed: "10G",
      version: "2",
    });
  });

  test("makes a slot, which the account then sees", async () => {
    const made = await server.ask("POST", OWN_SLOTS, { body: { site: "FRA", speed: "400G", facility } });
    expect(made.body.result).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      account: ACCOUNT,
      facility,
      occupied: false,
      site: "FRA",
      speed: "400G",
      version: "2",
    });
    const { id } = made.body.result;
    const seen = await server.ask("GET", `${SLOTS}/${id}`);
    expect(seen.body).toEqual({
      id,
      account: ACCOUNT,
      facility,
      occupied: false,
      site: "FRA",
      speed: "400G",
    });
    expect(seen.headers.get("etag")).toBe(made.headers.get("etag"));
  });

  test("may give it an id, which must be new", async () => {
    const id = "AAAAAAAA-0000-4000-8000-000000000001";
    const body = { id, site: "FRA", speed: "10G", facility, version: "1", ccr_device_name: null };
    const made = await server.ask("POST", OWN_SLOTS, { body });
    expect(made.body.result.id).toBe(id.toLowerCase());
    expect(made.body.result.version).toBe("1");
    const again = await untouched(server, () => server.ask("POST", OWN_SLOTS, { body }));
    expect(problems(again)).toEqual(["990086 /id"]);
  });

  test("changes what is said and nothing else, and back", async () => {
    const path = `${OWN_SLOTS}/${slots.taken}`;
    const before = (await server.ask("GET", path)).body.result;
    const changed = await server.ask("PUT", path, {
      body: { speed: "100G", facility: { name: "Another" }, ccr_device_name: null, version: "1.5" },
    });
    const { ccr_device_name: _gone, ...kept } = before;
    const facility = { ...before.facility, name: "Another" };
    expect(changed.body.result).toEqual({ ...kept, speed: "100G", facility, version: "1.5" });
    expect((await server.ask("GET", `${PORTS}/${ports.sin}`)).body).toMatchObject({
      speed: "100G",
      facility,
    });
    const back = await server.ask("PUT", path, { body: before });
    expect(back.body.result).toEqual(before);
  });

  test("cannot say that a slot is taken, or whose it is", async () => {
    const body = { id: slots.ams, account: OTHER_ACCOUNT, occupied: true, port: ports.sin };
    const path = `${OWN_SLOTS}/${slots.ord}`;
    const reply = await untouched(server, () => server.ask("PUT", path, { body }));
    expect(problems(reply)).toEqual(["990021 /id", "990021 /account", "990021 /occupied", "990021 /port"]);
  });

  test("removes a free slot, and not one that is taken", async () => {
    const taken = await untouched(server, () => server.ask("DELETE", `${OWN_SLOTS}/${slots.taken}`));
    expect(verdict(taken)).toBe("400 990076");
    expect(taken.body.errors[0].message).toContain(ports.sin);
    const free = await server.ask("DELETE", `${OWN_SLOTS}/${slots.ord}`);
    expect(free.body.result.id).toBe(slots.ord);
    expect(verdict(await server.ask("GET", `${SLOTS}/${slots.ord}`))).toBe("404 990073");
    expect(verdict(await server.ask("DELETE", `${OWN_SLOTS}/${slots.ord}`))).toBe("404 990073");
  });

  test("is told all that is wrong with a slot", async () => {
    const body = { id: "1", site: "a b", speed: "fast", facility: { name: "", address: [] }, version: "3" };
    const reply = await untouched(server, () => server.ask("POST", OWN_SLOTS, { body }));
    expect(problems(reply).toSorted()).toEqual([
      "990023 /facility/address",
      "990023 /facility/name",
      "990023 /id",
      "990023 /site",
      "990023 /speed",
      "990023 /version",
    ]);
    const messages = reply.body.errors.map(({ message }: { message: string }) => message);
    expect(messages).toContain('speed is "fast", but must be a speed such as 10G.');
  });

  test("does any of it only on the version that was read", async () => {
    const path = `${OWN_SLOTS}/${slots.ord}`;
    const stale = { "if-match": (await server.ask("GET", path)).headers.get("etag") ?? "" };
    await server.ask("PUT", path, { body: { speed: "1G" } });
    for (const [method, asked] of [
      ["PUT", { headers: stale, body: { speed: "2G" } }],
      ["DELETE", { headers: stale }],
    ] as const) {
      expect(verdict(await untouched(server, () => server.ask(method, path, asked)))).toBe("412 990014");
    }
    const list = { "if-match": (await server.ask("GET", OWN_SLOTS)).headers.get("etag") ?? "" };
    const body = { site: "FRA", speed: "10G", facility };
    expect(verdict(await server.ask("POST", OWN_SLOTS, { headers: list, body }))).toBe("200");
    expect(verdict(await server.ask("POST", OWN_SLOTS, { headers: list, body }))).toBe("412 990014");
  });
});
