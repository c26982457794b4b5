import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createPatchbay, type Patchbay } from "../../src/index.ts";
import { seeded } from "../../src/server/sources.ts";
import { runInProcess, serve } from "../harness/command.ts";
import { Chance } from "../harness/random.ts";
import { rawRequest } from "../harness/raw.ts";
import { makeSeed } from "../harness/seeds.ts";
import { AMS, ask, demo, LIST, ORD, OWN, one, ROUTES, SIN } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { onlySentence, refusalOf } from "../harness/terminal.ts";

/** Everything that a connection of its own brings back, to the last byte. */
function exchange(url: string, request: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const received: Buffer[] = [];
  const socket = connect(Number(port), hostname, () => socket.write(request));
  socket.on("data", (data) => received.push(data));
  socket.on("error", reject);
  socket.on("close", () => resolve(Buffer.concat(received).toString("latin1")));
  return promise;
}

/** Requests of many kinds, good and bad, the same for the same number. */
function* requests(number: number, count: number): Generator<Buffer> {
  const chance = new Chance(number);
  const below = (limit: number) => chance.below(limit);
  const pick = <T>(list: readonly T[]): T => chance.pick(list);
  const headers = ["Connection: close"];
  const send = (method: string, path: string, body?: unknown, more: string[] = []) =>
    rawRequest({
      method,
      path,
      headers: [...headers, ...more],
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const change = () =>
    pick([{ mtu: 576 + below(800) }, { description: `d${below(5)}` }, { mtu: below(600) }]);
  const made = () => ({ prefix: `192.0.2.${below(16) * 16}/28`, nexthop: "10.213.0.9", priority: below(3) });
  const kinds = [
    () => send("GET", LIST),
    () => send("GET", one(pick([ORD, AMS, SIN, "0".repeat(32)]))),
    () => send("PUT", one(pick([ORD, AMS, SIN])), change()),
    () => send("PUT", one(pick([ORD, AMS, SIN])), change(), [`X-Patchbay-Confirm-Within: ${5 + below(20)}`]),
    () => send("POST", `${OWN}/changes/${1 + below(9)}/${pick(["confirm", "revert"])}`),
    () => send("PUT", LIST, { interconnects: [ORD, AMS, SIN].map((id) => ({ id, ...change() })) }),
    () => send("PUT", `${LIST}?validate_only=true`, { interconnects: [{ id: ORD, ...change() }] }),
    () => send("POST", ROUTES, made()),
    () => send("POST", ROUTES, { routes: [made(), made()] }),
    () => send("PUT", `${ROUTES}/${demo.route}`, { priority: below(100) }),
    () => send("DELETE", ROUTES),
    () => send("GET", `${OWN}/changes?limit=${1 + below(20)}`),
    () => send("GET", `${OWN}/state`),
    () => send("PUT", "/patchbay/v1/faults", { operation: "listRoutes", status: 503 }),
    () => send("GET", ROUTES),
    () => send("POST", "/patchbay/v1/reset"),
    () => send("GET", "/client/v4/user/tokens/verify"),
    () => send("GET", "/docs/errors"),
    () => send("POST", "/client/v4/user/tokens", { name: `t${below(9)}`, policies: [] }),
    () => send("GET", "/client/v4/user/tokens"),
    () => send("POST", "/patchbay/v1/accounts", { name: `a${below(9)}` }),
    () => send("POST", "/patchbay/v1/users", { email: `${below(99)}@example.net`, accounts: [] }),
    () =>
      send("POST", `/client/v4/accounts/${demo.account}/cni/interconnects`, {
        type: "gcp_partner",
        account: demo.account,
        pairing_key: `7e51371e-72a3-40b5-b844-${String(below(9)).padStart(12, "0")}/us-central1/2`,
        bandwidth: "1G",
      }),
    () => send("GET", `/client/v4/accounts/${demo.account}/cni/interconnects`),
    () => send("GET", `/client/v4/accounts/${demo.account}/logs/audit?since=2026-01-01&before=2026-12-31`),
    () => send("GET", "/%"),
    () => send("PUT", LIST, "nonsense"),
    () => Buffer.from("nonsense\r\n\r\n"),
  ];
  for (let i = 0; i < count; i++) yield pick(kinds)();
}

async function transcript({ url }: { url: string }, number: number, count = 150): Promise<string[]> {
  const answers: string[] = [];
  for (const request of requests(number, count)) answers.push(await exchange(url, request));
  return answers.map((answer) => answer.replaceAll(url, "http://server"));
}

async function transcriptOf(deterministic: string, number: number, options = {}): Promise<string[]> {
  await using patchbay = await createPatchbay({ deterministic, ...options });
  return await transcript(patchbay, number);
}

describe("with a seed for ids and time", () => {
  test.each([1, 2, 3])(
    "the same requests get the same answers, to the last byte (sequence %i)",
    async (number) => {
      const [first, second] = [await transcriptOf("a", number), await transcriptOf("a", number)];
      expect(first.join("\n")).toMatch(/HTTP\/1\.1 200 OK[\s\S]*HTTP\/1\.1 400 Bad Request/);
      expect(second).toEqual(first);
    },
  );

  test("another seed gives other ids and the same time; none, other ids and another time", async () => {
    const [a, b] = [await transcriptOf("a", 1), await transcriptOf("b", 1)];
    const rays = (answers: string[]) => answers.flatMap((it) => /cf-ray: (\S+)/.exec(it)?.[1] ?? []);
    expect(rays(a).filter((ray) => rays(b).includes(ray))).toEqual([]);
    const times = (answers: string[]) => answers.flatMap((it) => it.match(/"modified_on":"[^"]+"/g) ?? []);
    expect(times(b)).toEqual(times(a));
    await using usual = await createPatchbay();
    expect(times(await transcript(usual, 1))).not.toEqual(times(a));
  });

  test("a world of one's own is the same each time too", async () => {
    const seed = makeSeed(3);
    expect(await transcriptOf("a", 4, { seed })).toEqual(await transcriptOf("a", 4, { seed }));
  });

  test("one server is not moved by what another is asked", async () => {
    const alone = await transcriptOf("a", 5);
    await using busy = await createPatchbay({ deterministic: "a" });
    const noise = transcript(busy, 6);
    expect(await transcriptOf("a", 5)).toEqual(alone);
    await noise;
  });

  test("the command does the same, in memory unless told otherwise", async () => {
    const directory = temporaryDirectory();
    const args = ["--port", "0", "--metrics-port", "off", "--deterministic", "a"];
    const server = await serve(args, { cwd: directory });
    expect(server.said.stdout).toContain("  data       in memory, new;");
    expect(await transcript(server, 1)).toEqual(await transcriptOf("a", 1));
    await server.end("SIGTERM");
    expect(existsSync(join(directory, "data"))).toBe(false);
  });
});

describe("the time of a world from a seed", () => {
  const modified = async ({ url }: Patchbay, id: string) => {
    const { body } = await ask(url, "PUT", one(id), { body: { description: crypto.randomUUID() } });
    return body.result.modified_interconnect.modified_on;
  };

  test("begins with 2026 and moves by a second with each request, and with nothing else", async () => {
    await using patchbay = await createPatchbay({ deterministic: "a" });
    expect(await modified(patchbay, ORD)).toBe("2026-01-01T00:00:01.000000Z");
    expect(await modified(patchbay, AMS)).toBe("2026-01-01T00:00:02.000000Z");
    await ask(patchbay.url, "GET", "/nothing", { token: null });
    expect(await modified(patchbay, SIN)).toBe("2026-01-01T00:00:04.000000Z");
    const { body } = await ask(patchbay.url, "GET", `${OWN}/changes?limit=100`);
    expect(body.result.at(-1)).toMatchObject({ operation: "seed", time: "2026-01-01T00:00:00.000000Z" });
  });

  test("lets a deadline pass: the change is undone before the first request after it", async () => {
    await using patchbay = await createPatchbay({ deterministic: "a" });
    const { url } = patchbay;
    const mtu = async () => (await ask(url, "GET", one(ORD))).body.result.interconnect.mtu;
    const headers = { "x-patchbay-confirm-within": "5" };
    await ask(url, "PUT", one(ORD), { body: { mtu: 1300 }, headers });
    const seen: number[] = [];
    for (let request = 0; request < 7; request++) seen.push(await mtu());
    expect(seen).toEqual([1300, 1300, 1300, 1300, 1300, 1476, 1476]);
    const { body } = await ask(url, "GET", `${OWN}/changes?limit=1`);
    expect(body.result).toMatchObject([{ operation: "expireChange", time: "2026-01-01T00:00:06.000000Z" }]);
  });

  test("lets tokens expire", async () => {
    const value = "t".repeat(40);
    const seed = `${makeSeed(1)}
  - id: "${"9".repeat(32)}"
    name: short-lived
    value: ${value}
    expires_on: "2026-01-01T00:00:03Z"
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Read] }]`;
    await using patchbay = await createPatchbay({ deterministic: "a", seed });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++)
      statuses.push((await ask(patchbay.url, "GET", LIST, { token: value })).status);
    expect(statuses).toEqual([200, 200, 403, 403]);
  });

  test("lets the windows of a quota begin and end", async () => {
    await using patchbay = await createPatchbay({ deterministic: "a", rateLimit: 10 });
    const statuses: number[] = [];
    for (let i = 0; i < 315; i++) statuses.push((await ask(patchbay.url, "GET", one(ORD))).status);
    expect(statuses.indexOf(429)).toBe(10);
    expect(statuses.lastIndexOf(429)).toBe(10 + 299);
    expect(statuses.at(-1)).toBe(200);
  });

  test("goes on over a reset, under an epoch that is new", async () => {
    await using patchbay = await createPatchbay({ deterministic: "a" });
    const epoch = async () => (await ask(patchbay.url, "GET", `${OWN}/state`)).body.result.epoch;
    const before = await epoch();
    await patchbay.reset();
    expect(await epoch()).not.toBe(before);
    expect(await modified(patchbay, ORD)).toBe("2026-01-01T00:00:03.000000Z");
  });

  test("is no date, so no answer tells one", async () => {
    await using patchbay = await createPatchbay({ deterministic: "a" });
    for (const path of [LIST, "/", "/nothing", "/%"]) {
      expect((await ask(patchbay.url, "GET", path)).headers.get("date")).toBeNull();
    }
    await using usual = await createPatchbay();
    expect((await ask(usual.url, "GET", LIST)).headers.get("date")).not.toBeNull();
  });
});

describe("what is drawn from a seed", () => {
  test("has the form of what is drawn by chance, and no two are the same", () => {
    const { newId, newEpoch, newSecret } = seeded("a");
    const ids = Array.from({ length: 1000 }, newId);
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(newEpoch()).toMatch(/^[0-9a-f]{16}$/);
    const secrets = Array.from({ length: 100 }, () => newSecret("cfut_"));
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^cfut_[0-9A-Za-z]{40}[0-9a-f]{8}$/);
    expect(seeded("a").newSecret("cfut_")).toBe(secrets[0]);
    expect(seeded("b").newSecret("cfut_")).not.toBe(secrets[0]);
  });

  test("for one purpose does not depend on what was drawn for another", () => {
    const [busy, idle] = [seeded("a"), seeded("a")];
    busy.newEpoch();
    busy.newSecret("cfk_");
    busy.newRequestId();
    expect(busy.newId()).toBe(idle.newId());
  });
});

describe("ids and secrets that anybody can compute", () => {
  const usual = { port: "0", metricsPort: "off", logLevel: "silent", deterministic: "a" };
  const why = "--deterministic makes ids and secrets that anybody can compute";

  test("are for a sandbox alone", async () => {
    expect(await refusalOf({ ...usual, sandbox: false })).toBe(`${why}, so it needs --sandbox.`);
    expect(
      await refusalOf(
        { ...usual, deterministic: undefined, sandbox: false },
        { PATCHBAY_DETERMINISTIC: "a" },
      ),
    ).toBe(`${why.replace("--deterministic", "PATCHBAY_DETERMINISTIC")}, so it needs --sandbox.`);
  });

  test.each([
    [
      { host: "0.0.0.0" },
      "a server with it listens on this machine alone, not on 0.0.0.0. Leave --host out, or --deterministic.",
    ],
    [
      { trustProxy: "192.0.2.1" },
      "a server with it is for this machine alone, with no proxy that lets others in. Leave --trust-proxy out, or --deterministic.",
    ],
    [
      { publicUrl: "https://a.example" },
      "a server with it is for this machine alone, and has no address such as https://a.example. Leave --public-url out, or --deterministic.",
    ],
  ])("are for this machine alone: %j", async (options, end) => {
    expect(await refusalOf({ ...usual, ...options, seed: ownSeed(), sandbox: true })).toBe(
      `${why}, so ${end}`,
    );
  });

  test("begin anew at every start, so the world does too", async () => {
    const data = join(temporaryDirectory(), "data");
    await (await createPatchbay({ data })).close();
    const args = ["serve", "--port", "0", "--metrics-port", "off", "--data", data, "--deterministic", "a"];
    expect(onlySentence(await runInProcess(args))).toBe(
      "--deterministic makes the same ids at every start, so it needs a new world: leave --data out, or name an empty directory.",
    );
    await expect(createPatchbay({ data, deterministic: "a" })).rejects.toThrow(
      "deterministic makes the same ids at every start, so it needs a new world: leave data out, or name an empty directory.",
    );
  });
});

/** A seed file of one's own, with credentials that nobody knows. */
function ownSeed(): string {
  const file = join(temporaryDirectory(), "seed.yaml");
  writeFileSync(file, makeSeed(1));
  return file;
}
