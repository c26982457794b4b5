import { describe, expect, test } from "vitest";
import { CNIS, cni, partner } from "../harness/cni-world.ts";
import { cpuSeconds } from "../harness/cpu-time.ts";
import { OWN_TOKEN } from "../harness/seeds.ts";
import { ACCOUNT, LIST, OWN, one, problems, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const token = OWN_TOKEN;
const PORT = "gcp-europe-west4-000000000000";

/** A world of one account with one port, and what else is given. */
const world = (account: string, interconnects = "") => `
accounts:
  - id: ${ACCOUNT}
    name: Mine
    ${account}
    ports:
      - id: ${PORT}
        type: gcp_partner
        pairing_key: ${partner(0).pairing_key}
        bandwidth: 1G
        virtual_port_reservation_id: 00000000-0000-4000-8000-000000000000
    interconnects: [${interconnects}]
tokens:
  - id: "${"1".repeat(32)}"
    name: everything
    value: ${OWN_TOKEN}
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Write, Patchbay Admin] }]
`;

const start = (account: string, interconnects?: string, data?: string): Promise<TestServer> =>
  startTestServer({ data }, { seed: { name: "pools", text: world(account, interconnects) } });

const make = (server: TestServer, name: string) => server.ask("POST", CNIS, { token, body: cni(PORT, name) });

/** Both ends of the link and the interface address of a CNI. */
async function addressesOf(server: TestServer, body: { id: string; p2p_ip: string; cust_ip: string }) {
  const path = one(body.id.replaceAll("-", ""));
  const magic = await server.ask("GET", path, { token });
  return [body.p2p_ip, body.cust_ip, magic.body.result.interconnect.interface_address];
}

const gone = (server: TestServer, id: string) => server.ask("DELETE", `${CNIS}/${id}`, { token });

test("the lowest free subnets are taken, prefix by prefix in their order", async () => {
  await using server = await start(
    "pools: { link: [198.51.100.6/31, 198.51.100.0/30], interface: [10.0.0.4/31, 10.0.0.0/30] }",
  );
  const made = [];
  for (const name of ["a", "b", "c"]) made.push((await make(server, name)).body);
  expect(await Promise.all(made.map((body) => addressesOf(server, body)))).toEqual([
    ["198.51.100.6/31", "198.51.100.7/31", "10.0.0.4/31"],
    ["198.51.100.0/31", "198.51.100.1/31", "10.0.0.0/31"],
    ["198.51.100.2/31", "198.51.100.3/31", "10.0.0.2/31"],
  ]);
  await gone(server, made[1].id);
  const again = (await make(server, "d")).body;
  expect(await addressesOf(server, again)).toEqual(["198.51.100.0/31", "198.51.100.1/31", "10.0.0.0/31"]);
});

test("what others have is passed over, whoever they are", async () => {
  const interconnects = [
    `{ id: "${"1".repeat(32)}", name: one, version: "1", interface_address: 10.0.0.1/30, link: { p2p_ip: 198.51.100.0/31, cust_ip: 198.51.100.1/31 } }`,
    `{ id: "${"2".repeat(32)}", name: two, version: "1", interface_address: 10.0.0.9/31, link: { p2p_ip: 198.51.100.5/30, cust_ip: 198.51.100.6/30 } }`,
  ];
  const pools = "pools: { link: [198.51.100.0/28], interface: [10.0.0.0/28] }";
  await using server = await start(pools, interconnects.join(", "));
  const made = [];
  for (const name of ["a", "b"]) made.push((await make(server, name)).body);
  expect(await Promise.all(made.map((body) => addressesOf(server, body)))).toEqual([
    ["198.51.100.2/31", "198.51.100.3/31", "10.0.0.4/31"],
    ["198.51.100.8/31", "198.51.100.9/31", "10.0.0.6/31"],
  ]);
  // Magic moves one out of the way, and what it leaves is the lowest.
  await server.ask("PUT", one("1".repeat(32)), { token, body: { interface_address: "10.1.0.0/31" } });
  const { body } = await make(server, "c");
  expect(await addressesOf(server, body)).toEqual(["198.51.100.10/31", "198.51.100.11/31", "10.0.0.0/31"]);
});

describe("a CNI that there are no addresses for is refused, and told which are missing:", () => {
  test.each([
    ["", ["link", "interface"], "has no"],
    ["pools: { link: [198.51.100.0/31] }", ["interface"], "has no"],
    ["pools: { interface: [10.0.0.0/31] }", ["link"], "has no"],
  ])("%j", async (account, pools, says) => {
    await using server = await start(account);
    const reply = await make(server, "a");
    expect(problems(reply)).toEqual(pools.map(() => "990079"));
    for (const [index, pool] of pools.entries())
      expect(reply.body.errors[index].message).toContain(`${says} ${pool} address pool`);
  });

  test("every one of them taken", async () => {
    await using server = await start("pools: { link: [198.51.100.0/31], interface: [10.0.0.0/30] }");
    const first = await make(server, "a");
    const reply = await make(server, "b");
    expect(problems(reply)).toEqual(["990080"]);
    expect(reply.body.errors[0].message).toContain("link address pool (198.51.100.0/31)");
    await gone(server, first.body.id);
    expect((await make(server, "b")).status).toBe(200);
    const settings = { pools: { link: ["198.51.100.0/31", "203.0.113.0/31"] } };
    await server.ask("PUT", `${OWN}/settings`, { token, body: settings });
    expect((await make(server, "c")).body.p2p_ip).toBe("203.0.113.0/31");
  });
});

describe("of those who ask at once", () => {
  test("each gets others", async () => {
    await using server = await start("pools: { link: [198.51.100.0/24], interface: [10.0.0.0/16] }");
    const replies = await Promise.all(Array.from({ length: 60 }, (_, number) => make(server, `n${number}`)));
    const links = replies.map(({ body }) => body.p2p_ip);
    expect(new Set(links).size).toBe(60);
    const { body } = await server.ask("GET", LIST, { token });
    const interfaces = body.result.interconnects.map(
      (it: { interface_address: string }) => it.interface_address,
    );
    expect(new Set(interfaces).size).toBe(60);
    expect(interfaces).toContain("10.0.0.118/31");
    expect(links).toContain("198.51.100.118/31");
  });

  test("for the last of a pool, one has it", async () => {
    await using server = await start("pools: { link: [198.51.100.0/30], interface: [10.0.0.0/16] }");
    await make(server, "first");
    const replies = await Promise.all(Array.from({ length: 8 }, (_, number) => make(server, `n${number}`)));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(400)]);
    for (const reply of replies.filter(({ status }) => status !== 200))
      expect(problems(reply)).toEqual(["990080"]);
  });
});

test("a server that comes back gives nothing that was given, and again what was given up", async () => {
  const data = temporaryDirectory();
  const pools = "pools: { link: [198.51.100.0/24], interface: [10.0.0.0/16] }";
  const before = await start(pools, undefined, data);
  const made = [];
  for (const name of ["a", "b", "c"]) made.push((await make(before, name)).body);
  await gone(before, made[1].id);
  await before.close();
  await using after = await start(pools, undefined, data);
  expect((await make(after, "d")).body.p2p_ip).toBe("198.51.100.2/31");
  expect((await make(after, "e")).body.p2p_ip).toBe("198.51.100.6/31");
});

test("an account with ten thousand CNIs makes another as fast as one with none", async () => {
  await using server = await start("pools: { link: [198.18.0.0/15], interface: [10.0.0.0/8] }");
  const time = async (count: number) => {
    const start = cpuSeconds();
    for (let number = 0; number < count; number++) {
      const made = await make(server, `timed ${number}`);
      expect(made.status).toBe(200);
      await gone(server, made.body.id);
    }
    return ((cpuSeconds() - start) * 1000) / count;
  };
  await time(50);
  const empty = await time(100);
  for (let batch = 0; batch < 40; batch++) {
    const names = Array.from({ length: 250 }, (_, number) => `n${batch * 250 + number}`);
    const replies = await Promise.all(names.map((name) => make(server, name)));
    expect(replies.every(({ status }) => status === 200)).toBe(true);
  }
  const full = await time(100);
  console.log(`a CNI made and unmade: ${empty.toFixed(2)} ms with none, ${full.toFixed(2)} ms with 10,000`);
  expect(full).toBeLessThan(empty * 3 + 5);
}, 120_000);
