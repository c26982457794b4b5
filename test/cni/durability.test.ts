import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { CNIS, cni, direct, PORTS } from "../harness/cni-world.ts";
import { quietly, serve } from "../harness/command.ts";
import { Chance } from "../harness/random.ts";
import { isLong } from "../harness/runs.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { ACCOUNT, ask, OWN, type Reply } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const ROUNDS = isLong ? 100 : 3;
const CLIENTS = 4;
const token = OWN_TOKEN;
const slotOf = (client: number) => `00000000-0000-4000-8000-00000000000${client}`;

const seed = `
accounts:
  - id: ${ACCOUNT}
    name: Mine
    pools: { link: [198.18.0.0/15], interface: [10.0.0.0/8] }
    slots:
${[...Array(CLIENTS).keys()].map((client) => `      - { id: ${slotOf(client)}, site: ORD, speed: 10G, facility: { name: x, address: [y] } }`).join("\n")}
tokens:
  - id: "${"1".repeat(32)}"
    name: everything
    value: ${OWN_TOKEN}
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Write, Patchbay Admin] }]
`;

/** What a client was told, by the path of each thing that it made or removed: is it there? */
type Told = Map<string, boolean | "unknown">;

/** What `fetch` throws when the other end is gone; everything else is a failure of the test. */
function whenBroken(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error;
}

/** Takes a slot, makes CNIs on it and removes some, gives it back, and again, until nobody answers. */
async function stream(
  url: string,
  name: string,
  slot: string,
  chance: Chance,
  told: Told,
  onAnswer: () => void,
) {
  const send = async (method: string, path: string, body?: unknown): Promise<Reply | undefined> => {
    const reply = await ask(url, method, path, body === undefined ? { token } : { token, body }).catch(
      whenBroken,
    );
    if (reply) expect(reply.status, JSON.stringify(reply.body)).toBe(200);
    onAnswer();
    return reply;
  };
  const remove = async (path: string) => {
    told.set(path, "unknown");
    const gone = await send("DELETE", path);
    if (gone) told.set(path, false);
    return gone !== undefined;
  };
  for (let round = 0; ; round++) {
    const port = await send("POST", PORTS, direct(slot));
    if (!port) return;
    const path = `${PORTS}/${port.body.name}`;
    told.set(path, true);
    const made: string[] = [];
    for (let number = 0; number < chance.between(1, 5); number++) {
      const created = await send("POST", CNIS, cni(port.body.name, `${name} ${round} ${number}`));
      if (!created) return;
      made.push(`${CNIS}/${created.body.id}`);
      told.set(made.at(-1) ?? "", true);
    }
    for (const one of made) if (!(await remove(one))) return;
    if (!(await remove(path))) return;
  }
}

test(`CNIs and ports that were made or unmade are so after kill -9, in ${ROUNDS} rounds`, async () => {
  const data = temporaryDirectory();
  const file = join(data, "seed.yaml");
  writeFileSync(file, seed);
  const options = quietly(join(data, "data"), file);
  const chance = new Chance();
  let server = await serve(options);
  let checked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const told: Told = new Map();
    const enough = Promise.withResolvers<void>();
    const wanted = chance.between(5, 80);
    let answers = 0;
    const onAnswer = () => {
      if (++answers === wanted) enough.resolve();
    };
    const { url } = server;
    const clients = [...Array(CLIENTS).keys()].map((client) =>
      stream(url, `${round} ${client}`, slotOf(client), chance, told, onAnswer),
    );
    await Promise.race([enough.promise, Promise.all(clients)]);
    await setTimeout(chance.below(15));
    await server.end("SIGKILL");
    await Promise.all(clients);
    server = await serve(options);
    for (const [path, there] of told) {
      if (there === "unknown") continue;
      checked++;
      expect((await ask(server.url, "GET", path, { token })).status, path).toBe(there ? 200 : 404);
    }
    const { result } = (await ask(server.url, "GET", `${OWN}/state`, { token })).body;
    const ports = new Map<string, string>(
      result.ports.map((it: Record<string, string>) => [it["id"], it["slot_id"]]),
    );
    for (const { id, occupied, port } of result.slots) {
      expect(occupied).toBe(port !== undefined);
      if (port !== undefined) expect(ports.get(port)).toBe(id);
    }
    const links = result.cnis.map((it: Record<string, string>) => it["p2p_ip"]);
    expect(new Set(links).size).toBe(links.length);
    for (const { id, interconnect } of result.cnis) {
      expect(ports.has(interconnect)).toBe(true);
      await ask(server.url, "DELETE", `${CNIS}/${id}`, { token });
    }
    // Each round begins with free slots.
    for (const name of ports.keys()) {
      expect((await ask(server.url, "DELETE", `${PORTS}/${name}`, { token })).status).toBe(200);
    }
  }
  await server.end("SIGKILL");
  console.log(`${ROUNDS} kills: ${checked} ports and CNIs were as their clients had been told`);
  expect(checked).toBeGreaterThan(ROUNDS);
}, 3_600_000);
