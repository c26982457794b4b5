import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CNIS, cni, direct, PORTS, partner, ports, SIN_CNI, SLOTS, slots } from "../harness/cni-world.ts";
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

const create = (body: unknown) => server.ask("POST", PORTS, { body });
const lastChange = async () => (await server.ask("GET", `${OWN}/changes?limit=1`)).body.result[0];

describe("a direct port", () => {
  test("takes its slot, in one change, and gives it back, in another", async () => {
    const port = await create(direct(slots.ord));
    expect(port.body).toEqual({
      name: expect.stringMatching(/^ord-[0-9a-f]{12}$/),
      account: ACCOUNT,
      facility: {
        name: "Demonstration Chicago",
        address: ["350 Example Street", "Chicago, IL 60616", "USA"],
      },
      site: "ORD",
      slot_id: slots.ord,
      speed: "10G",
      type: "direct",
      virtual_port_reservation_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    });
    const { name } = port.body;
    expect((await server.ask("GET", `${SLOTS}/${slots.ord}`)).body.occupied).toBe(true);
    const taken = await lastChange();
    expect(taken.operation).toBe("createCniInterconnect");
    expect(taken.objects).toMatchObject([
      { kind: "port", id: name, action: "create" },
      { kind: "slot", id: slots.ord, action: "update", fields: { port: { after: name } } },
    ]);

    const gone = await server.ask("DELETE", `${PORTS}/${name}`);
    expect([gone.status, gone.body, gone.headers.get("content-type")]).toEqual([200, undefined, null]);
    expect((await server.ask("GET", `${SLOTS}/${slots.ord}`)).body.occupied).toBe(false);
    expect((await lastChange()).objects).toMatchObject([
      { kind: "port", id: name, action: "delete" },
      { kind: "slot", id: slots.ord, action: "update", fields: { port: { before: name } } },
    ]);
  });

  test("takes a slot that another gave back", async () => {
    const first = await create(direct(slots.ord));
    expect(verdict(await create(direct(slots.ord)))).toBe("400 990076");
    await server.ask("DELETE", `${PORTS}/${first.body.name}`);
    const second = await create(direct(slots.ord.toUpperCase()));
    expect(second.status).toBe(200);
    expect(second.body.name).not.toBe(first.body.name);
  });

  test("of a taken slot is refused, and who has it is named", async () => {
    const reply = await untouched(server, () => create(direct(slots.taken)));
    expect(problems(reply)).toEqual(["990076 /slot_id"]);
    expect(reply.body.errors[0].message).toContain(ports.sin);
  });

  test("is one whose speed is its slot's, if a speed is asked for", async () => {
    expect((await create({ ...direct(slots.ord), speed: null })).status).toBe(200);
    const reply = await untouched(server, () => create({ ...direct(slots.fast), speed: "10G" }));
    expect(problems(reply)).toEqual(["990023 /speed"]);
    expect((await create({ ...direct(slots.fast), speed: "100G" })).status).toBe(200);
  });

  test("shows what its slot is, under a tag that moves with either", async () => {
    const path = `${PORTS}/${ports.sin}`;
    const before = await server.ask("GET", path);
    const headers = { "if-none-match": before.headers.get("etag") ?? "" };
    expect((await server.ask("GET", path, { headers })).status).toBe(304);
    await server.ask("PUT", `${OWN}/slots/${slots.taken}`, { body: { ccr_device_name: "ccr02.sin" } });
    const after = await server.ask("GET", path, { headers });
    expect(after.body).toEqual({ ...before.body, ccr_device_name: "ccr02.sin" });
  });
});

describe("of two who take one slot at once", () => {
  test("one has it, and the other is told who", async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => create(direct(slots.ord))));
    const [winner, ...others] = replies.toSorted((a, b) => a.status - b.status);
    expect(winner?.status).toBe(200);
    for (const loser of others) {
      expect(problems(loser)).toEqual(["990076 /slot_id"]);
      expect(loser.body.errors[0].message).toContain(winner?.body.name);
    }
    const list = await server.ask("GET", `${PORTS}?site=ORD`);
    expect(list.body.items).toEqual([winner?.body]);
  });

  test("none has one that is removed before it is taken", async () => {
    const [removed, taken] = await Promise.all([
      server.ask("DELETE", `${OWN}/slots/${slots.ord}`),
      create(direct(slots.ord)),
    ]);
    expect([removed.status, taken.status].toSorted()).toEqual([200, 400]);
    const slot = await server.ask("GET", `${SLOTS}/${slots.ord}`);
    expect(slot.status).toBe(removed.status === 200 ? 404 : 200);
  });
});

describe("a partner's port", () => {
  test("is in the region of its pairing key, which nobody is shown", async () => {
    const asked = partner(1);
    const port = await create(asked);
    expect(port.body).toMatchObject({ type: "gcp_partner", region: "europe-west4", speed: "1G" });
    const [uuid = ""] = asked.pairing_key.split("/");
    const told = JSON.stringify([
      port.body,
      (await server.ask("GET", `${OWN}/state`)).body,
      (await server.ask("GET", `${OWN}/changes`)).body,
    ]);
    expect(told).not.toContain(uuid);
    expect(told).not.toMatch(/[0-9a-f]{64}/);
    expect(told).toContain("(masked)");
  });

  test("is the only one of its key, in whatever case", async () => {
    const asked = partner(1);
    const port = await create(asked);
    const again = {
      ...asked,
      pairing_key: asked.pairing_key.toUpperCase().replace(/\/.*/, "/europe-west4/any"),
    };
    const reply = await untouched(server, () => create(again));
    expect(problems(reply)).toEqual(["990081 /pairing_key"]);
    expect(reply.body.errors[0].message).toContain(port.body.name);
    await server.ask("DELETE", `${PORTS}/${port.body.name}`);
    expect((await create(again)).status).toBe(200);
  });

  test.each(["", "x", "0e51371e-72a3-40b5-b844-000000000001", "0e51371e-72a3-40b5-b844-000000000001/US/1"])(
    "with the key %j is refused, and the key not repeated",
    async (pairing_key) => {
      const reply = await untouched(server, () => create({ ...partner(1), pairing_key }));
      expect(problems(reply)).toEqual(["990023 /pairing_key"]);
      expect(reply.body.errors[0].message).toContain("pairing_key is not shown");
    },
  );
});

describe("refused is a port", () => {
  const other = { ...direct(slots.ord), account: OTHER_ACCOUNT };
  const { type: _type, ...untyped } = direct(slots.ord);

  test.each([
    ["without a type", untyped, "990022 "],
    ["of another type", { ...direct(slots.ord), type: "aws" }, "990023 /type"],
    ["of no type", { ...direct(slots.ord), type: null }, "1022 /type"],
    ["in another account than the path's", other, "990023 /account"],
    ["on a slot that is not there", direct("0".repeat(8)), "990023 /slot_id"],
    ["on a slot of another account", direct("4c3b2a19-0f8e-4d7c-ab6a-594837261504"), "990075 /slot_id"],
    ["with what the other type has", { ...direct(slots.ord), bandwidth: "1G" }, "990020 /bandwidth"],
    ["of a bandwidth that there is not", { ...partner(1), bandwidth: "3G" }, "990023 /bandwidth"],
  ])("%s", async (_, body, problem) => {
    expect(problems(await untouched(server, () => create(body)))).toEqual([problem]);
  });
});

test("the list can be of a site or a type, and comes in pages", async () => {
  const found = async (query: string) => {
    const { body } = await server.ask("GET", `${PORTS}?${query}`);
    return [body.items.map(({ name }: { name: string }) => name), body.next];
  };
  expect(await found("")).toEqual([[ports.sin, ports.gcp], null]);
  expect(await found("type=direct")).toEqual([[ports.sin], null]);
  expect(await found("type=gcp_partner")).toEqual([[ports.gcp], null]);
  expect(await found("type=other")).toEqual([[], null]);
  expect(await found("site=SIN")).toEqual([[ports.sin], null]);
  expect(await found("limit=1")).toEqual([[ports.sin], 1]);
  expect(await found("limit=1&cursor=1")).toEqual([[ports.gcp], null]);
});

test("no health is known of any port yet, with or without a CNI on it", async () => {
  const port = await create(direct(slots.ord));
  for (const name of [ports.sin, ports.gcp, port.body.name]) {
    expect((await server.ask("GET", `${PORTS}/${name}/status`)).body).toEqual({ state: "Pending" });
  }
});

test("a port with CNIs on it stays, and the refusal names them", async () => {
  const more = await server.ask("POST", CNIS, { body: cni(ports.sin, "second") });
  const reply = await untouched(server, () => server.ask("DELETE", `${PORTS}/${ports.sin}`));
  expect(verdict(reply)).toBe("400 990077");
  expect(reply.body.errors[0].message).toContain("(pni_sin)");
  expect(reply.body.errors[0].message).toContain(`${more.body.id} (second)`);
  for (const path of [SIN_CNI, `${CNIS}/${more.body.id}`]) await server.ask("DELETE", path);
  expect((await server.ask("DELETE", `${PORTS}/${ports.sin}`)).status).toBe(200);
  expect((await server.ask("GET", `${SLOTS}/${slots.taken}`)).body.occupied).toBe(false);
});

test("a port is deleted only as it was read", async () => {
  const path = `${PORTS}/${ports.gcp}`;
  const wrong = await server.ask("DELETE", path, { headers: { "if-match": '"0000000000000000-1"' } });
  expect(verdict(wrong)).toBe("412 990014");
  const etag = (await server.ask("GET", path)).headers.get("etag") ?? "";
  expect((await server.ask("DELETE", path, { headers: { "if-match": etag } })).status).toBe(200);
});

test.each(["", "/status", "/loa", "/loa/default"])("what is not there has no %j", async (part) => {
  for (const name of ["none", "pni_sin", ports.sin.toUpperCase(), "%00", "__proto__"]) {
    expect(verdict(await server.ask("GET", `${PORTS}/${name}${part}`))).toBe("404 990072");
  }
});
