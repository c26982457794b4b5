import Cloudflare from "cloudflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clientOf } from "../harness/client.ts";
import { direct, magicId, partner, ports, sinCni, slots } from "../harness/cni-world.ts";
import { ACCOUNT, demo, SIN, startTestServer, type TestServer } from "../harness/server.ts";

const account_id = ACCOUNT;
const account = ACCOUNT;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const credentials = {
  token: {},
  "email and key": { apiToken: null, apiEmail: demo.email, apiKey: demo.key },
};

describe.each(Object.entries(credentials))("the official client with %s", (_, options) => {
  const client = () => clientOf(server, options).networkInterconnects;

  test("lists slots and looks at one", async () => {
    const all = await client().slots.list({ account_id });
    expect(all.items.map(({ id }) => id)).toEqual([slots.ord, slots.ams, slots.fast, slots.taken]);
    expect(all.next).toBeNull();
    const some = await client().slots.list({
      account_id,
      address_contains: "singapore",
      site: "SIN",
      speed: "10G",
      occupied: true,
      cursor: 0,
      limit: 5,
    });
    expect(some.items.map(({ id }) => id)).toEqual([slots.taken]);
    const one = await client().slots.get(slots.ord, { account_id });
    expect(one).toEqual({
      id: slots.ord,
      account,
      facility: {
        name: "Demonstration Chicago",
        address: ["350 Example Street", "Chicago, IL 60616", "USA"],
      },
      occupied: false,
      site: "ORD",
      speed: "10G",
    });
  });

  test("sends null for a filter that it leaves out, and is understood", async () => {
    const nothing = { address_contains: null, site: null, speed: null, occupied: null };
    const all = await client().slots.list({ account_id, ...nothing, cursor: null, limit: null });
    expect(all.items).toHaveLength(4);
    const none = { account_id, slot: null, tunnel_id: null, cursor: null, limit: null };
    expect((await client().cnis.list(none)).items).toHaveLength(1);
  });

  test("takes a slot, makes a CNI on it, changes it, and unmakes both", async () => {
    const { cnis, interconnects } = client();
    const port = await interconnects.create({
      account_id,
      account,
      type: "direct",
      slot_id: slots.ord,
      speed: "10G",
    });
    expect(port).toMatchObject({ type: "direct", account, slot_id: slots.ord, site: "ORD", speed: "10G" });
    expect(await interconnects.get(port.name, { account_id })).toEqual(port);
    const list = await interconnects.list({ account_id, site: "ORD", type: "direct" });
    expect(list.items).toEqual([port]);
    expect(await interconnects.status(port.name, { account_id })).toEqual({ state: "Pending" });

    const made = await cnis.create({
      account_id,
      account,
      interconnect: port.name,
      magic: { conduit_name: "pni_new", description: "A new one", mtu: 1500 },
      bgp: { customer_asn: 65001, extra_prefixes: ["192.0.2.0/24"], md5_key: null },
    });
    expect(made).toEqual({
      id: expect.any(String),
      account,
      interconnect: port.name,
      magic: { conduit_name: "pni_new", description: "A new one", mtu: 1500 },
      bgp: { customer_asn: 65001, extra_prefixes: ["192.0.2.0/24"] },
      p2p_ip: "192.0.2.128/31",
      cust_ip: "192.0.2.129/31",
    });
    expect(await cnis.get(made.id, { account_id })).toEqual(made);
    const changed = await cnis.update(made.id, {
      account_id,
      ...made,
      magic: { ...made.magic, mtu: 1400 },
      bgp_mode: "advertise_only",
    });
    expect(changed).toEqual({
      ...made,
      bgp_mode: "advertise_only",
      magic: { ...made.magic, mtu: 1400 },
    });
    const { cfInterconnects } = clientOf(server, options).magicTransit;
    const { interconnect } = await cfInterconnects.get(magicId(made.id), { account_id });
    expect(interconnect).toMatchObject({
      name: "pni_new",
      description: "A new one",
      mtu: 1400,
      version: "2",
      virtual_port_reservation_id: magicId(port.virtual_port_reservation_id),
    });

    await cnis.delete(made.id, { account_id });
    await interconnects.delete(port.name, { account_id });
    await expect(cnis.get(made.id, { account_id })).rejects.toBeInstanceOf(Cloudflare.NotFoundError);
    await expect(interconnects.get(port.name, { account_id })).rejects.toBeInstanceOf(
      Cloudflare.NotFoundError,
    );
    expect((await client().slots.get(slots.ord, { account_id })).occupied).toBe(false);
  });

  test("makes a partner's port", async () => {
    const { interconnects } = client();
    const asked = { account_id, ...partner(7), bandwidth: "10G" as const };
    const port = await interconnects.create(asked);
    expect(port).toEqual({
      name: expect.stringMatching(/^gcp-europe-west4-[0-9a-f]{12}$/),
      account,
      region: "europe-west4",
      speed: "10G",
      type: "gcp_partner",
      virtual_port_reservation_id: expect.any(String),
    });
  });

  test("lists CNIs by slot and by tunnel", async () => {
    const { cnis } = client();
    for (const filter of [{}, { slot: slots.taken }, { tunnel_id: SIN }, { tunnel_id: sinCni.id }]) {
      expect(await cnis.list({ account_id, ...filter })).toEqual({ items: [sinCni], next: null });
    }
    expect((await cnis.list({ account_id, slot: slots.ord })).items).toEqual([]);
    expect((await cnis.list({ account_id, tunnel_id: "0".repeat(32) })).items).toEqual([]);
  });

  test("gets a letter of authorization", async () => {
    const answer = await client().interconnects.loa(ports.sin, { account_id, name: "Ours" }).asResponse();
    expect(answer.headers.get("content-type")).toBe("application/pdf");
    expect((await answer.text()).slice(0, 5)).toBe("%PDF-");
  });

  test("reads and writes the settings", async () => {
    const { settings } = client();
    expect(await settings.get({ account_id })).toEqual({ default_asn: 65000 });
    expect(await settings.update({ account_id, default_asn: 65010 })).toEqual({ default_asn: 65010 });
    expect(await settings.update({ account_id })).toEqual({ default_asn: 65010 });
    expect(await settings.update({ account_id, default_asn: null })).toEqual({ default_asn: 0 });
  });

  test("is told of a name conflict once, and does not ask again", async () => {
    let requests = 0;
    const counting: typeof fetch = (input, init) => {
      requests++;
      return fetch(input, init);
    };
    const { cnis } = clientOf(server, { ...options, fetch: counting }).networkInterconnects;
    const magic = { conduit_name: "pni_ord", description: "", mtu: 1500 };
    const refused = cnis.create({ account_id, account, interconnect: ports.sin, magic });
    await expect(refused).rejects.toBeInstanceOf(Cloudflare.ConflictError);
    await expect(refused).rejects.toMatchObject({
      errors: [{ code: 990070, source: { pointer: "/magic/conduit_name" } }],
    });
    expect(requests).toBe(1);
  });

  test("raises its own error classes", async () => {
    const taken = client().interconnects.create({ account_id, ...direct(slots.taken) });
    await expect(taken).rejects.toBeInstanceOf(Cloudflare.BadRequestError);
    const missing = client().slots.get("0".repeat(32), { account_id });
    await expect(missing).rejects.toBeInstanceOf(Cloudflare.NotFoundError);
  });
});
