import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CNIS, cni, direct, magicId, PORTS } from "../harness/cni-world.ts";
import { isLong } from "../harness/runs.ts";
import { ACCOUNT, OWN, one, ROUTES, startTestServer, type TestServer } from "../harness/server.ts";

const token = "m".repeat(40);
const slotIds = [1, 2, 3].map((number) => `00000000-0000-4000-8000-00000000000${number}`);
/** Room for three links and four interface subnets. */
const seed = `
accounts:
  - id: ${ACCOUNT}
    name: one
    pools: { link: [198.51.100.0/31, 198.51.100.4/30], interface: [10.0.0.0/29] }
    slots:
${slotIds.map((id) => `      - { id: ${id}, site: ORD, speed: 10G, facility: { name: x, address: [y] } }`).join("\n")}
    interconnects: [{ id: "${"1".repeat(32)}", name: a, version: "1", interface_address: 10.0.0.2/31 }]
tokens:
  - id: "${"f".repeat(32)}"
    name: model
    value: ${token}
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Write, Patchbay Read, Patchbay Admin] }]`;

const links = ["198.51.100.0/31", "198.51.100.4/31", "198.51.100.6/31"];
const interfaces = ["10.0.0.0/31", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/31"];

interface Cni {
  readonly port: string;
  readonly name: string;
  readonly mtu: number;
  readonly link: string;
  readonly address: string;
}

/** What there is, in the simplest form, and how each request moves it. False: it is refused. */
class Model {
  /** Ports by name, each with its slot. */
  ports = new Map<string, string>();
  cnis = new Map<string, Cni>();
  /** Next hops of routes, by id. */
  routes = new Map<string, string>();
  revision = 1;

  get names(): string[] {
    return ["a", ...[...this.cnis.values()].map(({ name }) => name)];
  }

  moved(): true {
    this.revision++;
    return true;
  }

  makePort(slot: string | undefined, name: string): boolean {
    if (slot === undefined || [...this.ports.values()].includes(slot)) return false;
    this.ports.set(name, slot);
    return this.moved();
  }

  dropPort(name: string): boolean {
    if (!this.ports.has(name) || [...this.cnis.values()].some(({ port }) => port === name)) return false;
    this.ports.delete(name);
    return this.moved();
  }

  makeCni(id: string, port: string, name: string, mtu: number): boolean {
    const all = [...this.cnis.values()];
    const link = links.find((one) => !all.some((other) => other.link === one));
    const taken = ["10.0.0.2/31", ...all.map(({ address }) => address)];
    const address = interfaces.find((one) => !taken.includes(one));
    if (!this.ports.has(port) || this.names.includes(name) || mtu < 576 || !link || !address) return false;
    this.cnis.set(id, { port, name, mtu, link, address });
    return this.moved();
  }

  change(id: string, name: string, mtu: number): boolean {
    const stored = this.cnis.get(id);
    if (!stored || mtu < 576 || (name !== stored.name && this.names.includes(name))) return false;
    if (name === stored.name && mtu === stored.mtu) return true;
    this.cnis.set(id, { ...stored, name, mtu });
    return this.moved();
  }

  move(id: string, address: string): boolean {
    const stored = this.cnis.get(id);
    const taken = [
      "10.0.0.2/31",
      ...[...this.cnis].filter(([other]) => other !== id).map(([, it]) => it.address),
    ];
    if (!stored || taken.includes(address)) return false;
    if (address === stored.address) return true;
    this.cnis.set(id, { ...stored, address });
    return this.moved();
  }

  dropCni(id: string): boolean {
    const stored = this.cnis.get(id);
    if (!stored || [...this.routes.values()].includes(customer(stored.address))) return false;
    this.cnis.delete(id);
    return this.moved();
  }

  makeRoute(id: string, hop: string): boolean {
    const ends = [...this.cnis.values()].map(({ address }) => customer(address));
    if (!ends.includes(hop) || [...this.routes.values()].includes(hop)) return false;
    this.routes.set(id, hop);
    return this.moved();
  }

  dropRoute(id: string): boolean {
    return this.routes.delete(id) && this.moved();
  }
}

/** The customer's end of an interface subnet. */
const customer = (address: string) =>
  address.replace(/(\d+)\/31$/, (_, last: string) => String(Number(last) + 1));

/** Which one is meant, of however many there are; the last number is one that is not there. */
const at = fc.nat(6);
const pick = <T>(all: readonly T[], number: number) => (number < 6 ? all[number % all.length] : undefined);
const name = fc.constantFrom("a", "b", "c", "d", "e");
const mtu = fc.constantFrom(576, 1300, 1400, 1500, 100);
const request = fc.oneof(
  { arbitrary: fc.record({ what: fc.constant("make port" as const), at }), weight: 2 },
  fc.record({ what: fc.constant("drop port" as const), at }),
  { arbitrary: fc.record({ what: fc.constant("make CNI" as const), at, name, mtu }), weight: 4 },
  fc.record({ what: fc.constant("put CNI" as const), at, name, mtu }),
  fc.record({ what: fc.constant("put Magic" as const), at, name, mtu }),
  fc.record({
    what: fc.constant("move" as const),
    at,
    address: fc.constantFrom(...interfaces, "10.9.0.0/31"),
  }),
  fc.record({ what: fc.constant("drop CNI" as const), at }),
  fc.record({ what: fc.constant("make route" as const), at }),
  fc.record({ what: fc.constant("drop route" as const), at }),
);
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { seed: { name: "model", text: seed } });
});
afterAll(() => server.close());

const ask = (method: string, path: string, body?: unknown) =>
  server.ask(method, path, body === undefined ? { token } : { token, body });

/** Sends a request, and lets the model say whether it should have been taken. */
async function play(model: Model, asked: Request): Promise<{ status: number; right: boolean }> {
  const port = pick([...model.ports.keys()], asked.at) ?? "none";
  const id = pick([...model.cnis.keys()], asked.at) ?? "00000000-0000-4000-8000-000000000000";
  const route = pick([...model.routes.keys()], asked.at) ?? "0".repeat(32);
  switch (asked.what) {
    case "make port": {
      const slot = pick(slotIds, asked.at);
      const { status, body } = await ask("POST", PORTS, direct(slot ?? "0".repeat(8)));
      return { status, right: model.makePort(slot, body.name) };
    }
    case "drop port":
      return { status: (await ask("DELETE", `${PORTS}/${port}`)).status, right: model.dropPort(port) };
    case "make CNI": {
      const magic = { conduit_name: asked.name, description: "", mtu: asked.mtu };
      const { status, body } = await ask("POST", CNIS, cni(port, "", { magic }));
      return { status, right: model.makeCni(body.id, port, asked.name, asked.mtu) };
    }
    case "put CNI": {
      const stored = (await ask("GET", `${CNIS}/${id}`)).body;
      const magic = { conduit_name: asked.name, description: "", mtu: asked.mtu };
      const { status } = await ask("PUT", `${CNIS}/${id}`, { ...stored, magic });
      return { status, right: model.change(id, asked.name, asked.mtu) };
    }
    case "put Magic": {
      const { status } = await ask("PUT", one(magicId(id)), { name: asked.name, mtu: asked.mtu });
      return { status, right: model.change(id, asked.name, asked.mtu) };
    }
    case "move": {
      const { status } = await ask("PUT", one(magicId(id)), { interface_address: asked.address });
      return { status, right: model.move(id, asked.address) };
    }
    case "drop CNI":
      return { status: (await ask("DELETE", `${CNIS}/${id}`)).status, right: model.dropCni(id) };
    case "make route": {
      const nexthop = customer(model.cnis.get(id)?.address ?? "10.0.0.8/31");
      const { status, body } = await ask("POST", ROUTES, { prefix: "172.16.0.0/24", nexthop, priority: 1 });
      return { status, right: model.makeRoute(body.result?.id, nexthop) };
    }
    case "drop route":
      return { status: (await ask("DELETE", `${ROUTES}/${route}`)).status, right: model.dropRoute(route) };
  }
}

/** Both views and the slots show what the model has. */
async function compare(model: Model): Promise<void> {
  const { result } = (await ask("GET", `${OWN}/state`)).body;
  expect(result.revision).toBe(model.revision);
  expect(result.slots.map(({ id, occupied, port }: Record<string, unknown>) => [id, occupied, port])).toEqual(
    slotIds.map((id) => {
      const port = [...model.ports].find(([, slot]) => slot === id)?.[0];
      return [id, port !== undefined, port];
    }),
  );
  const byId = ([one = ""]: string[], [other = ""]: string[]) => one.localeCompare(other);
  const cnis = (await ask("GET", CNIS)).body.items;
  expect(result.cnis).toEqual(cnis);
  const seen = cnis.map(
    (it: { id: string; interconnect: string; p2p_ip: string; magic: Record<string, unknown> }) => [
      it.id,
      it.interconnect,
      it.magic["conduit_name"],
      it.magic["mtu"],
      it.p2p_ip,
    ],
  );
  const meant = [...model.cnis].map(([id, { port, name, mtu, link }]) => [id, port, name, mtu, link]);
  expect(seen.toSorted(byId)).toEqual(meant.toSorted(byId as never));
  const ports = new Map(result.ports.map((it: Record<string, unknown>) => [it["id"], it]));
  const magic = result.interconnects.slice(1);
  expect(
    magic.map((it: Record<string, unknown>) => [it["id"], it["name"], it["mtu"], it["interface_address"]]),
  ).toEqual(
    seen.map(([id]: string[]) => {
      const it = model.cnis.get(id ?? "");
      return [magicId(id ?? ""), it?.name, it?.mtu, it?.address];
    }),
  );
  for (const [index, it] of magic.entries()) {
    const port = ports.get(cnis[index].interconnect) as Record<string, unknown>;
    expect(it.virtual_port_reservation_id).toBe(magicId(String(port["virtual_port_reservation_id"])));
  }
}

test("after any sequence of requests, both views agree with the model, and nothing is given twice", async () => {
  const counts = { taken: 0, refused: 0, exhausted: 0 };
  const property = fc.asyncProperty(fc.array(request, { maxLength: 24, size: "max" }), async (requests) => {
    await server.reset();
    const model = new Model();
    for (const asked of requests) {
      const { status, right } = await play(model, asked);
      counts[right ? "taken" : "refused"]++;
      if (model.cnis.size === links.length) counts.exhausted++;
      expect(status < 300, JSON.stringify(asked)).toBe(right);
      await compare(model);
    }
    const { body } = await ask("GET", `${OWN}/changes?after=1&limit=100`);
    expect(body.result).toHaveLength(model.revision - 1);
  });
  await fc.assert(property, { numRuns: isLong ? 3_000 : 150 });
  console.log(`${counts.taken} requests on CNIs taken, ${counts.refused} refused`);
  expect(counts.taken).toBeGreaterThan(200);
  expect(counts.refused).toBeGreaterThan(200);
  expect(counts.exhausted).toBeGreaterThan(0);
});
