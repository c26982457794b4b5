import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type CloudflareDouble, doubleWorld, startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { Operator } from "../harness/operator.ts";
import { ACCOUNT, AMS, ORD, one, SIN, startTestServer } from "../harness/server.ts";

let double: CloudflareDouble;
let operator: Operator;
let file: string;
beforeAll(async () => {
  double = await startCloudflareDouble();
});
afterAll(() => double.close());
beforeEach(async () => {
  operator = new Operator();
  file = join(operator.home, "copy.yaml");
  await login("production", double);
});

async function login(profile: string, { url, token }: { url: string; token: string }) {
  const to = ["--base-url", url, "--account", ACCOUNT, "--token-stdin", "--profile", profile];
  const said = await operator.run(["login", ...to], token);
  expect(said.code).toBe(0);
}

const clone = (...more: string[]) =>
  operator.run(["clone", "--from-profile", "production", "--to", file, ...more]);
const drift = (...more: string[]) =>
  operator.run(["drift", "--from-profile", "production", "--to-profile", "copy", ...more]);

/** The copy, served. */
const served = () => startTestServer({ seed: file });
const tokenIn = () => parse(readFileSync(file, "utf8")).tokens[0].value;

describe("patchbay clone", () => {
  test("copies an account of Cloudflare's into a world that does not differ from it", async () => {
    const said = await clone("--as-profile", "copy");
    expect(said).toMatchObject({ code: 0, stdout: "" });
    expect(said.stderr).toContain("holds 3 interconnects and 1 route, with the same ids");
    expect(said.stderr).toContain(`patchbay serve --seed ${file} --data ${file}.data --sandbox`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const profiles = JSON.parse(readFileSync(join(operator.home, ".config/patchbay/profiles.json"), "utf8"));
    expect(profiles.copy).toEqual({
      baseUrl: "http://127.0.0.1:8787/client/v4",
      account: ACCOUNT,
      token: tokenIn(),
    });
    await using server = await served();
    await login("copy", { url: server.url, token: tokenIn() });
    expect(await drift()).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "production and copy do not differ: 3 interconnects.\n",
    });
    const headers = { "x-magic-new-hc-target": "true" };
    for (const { id } of doubleWorld) {
      const theirs = await fetch(double.url + one(id), {
        headers: { ...headers, authorization: `Bearer ${double.token}` },
      });
      const { result } = JSON.parse(await theirs.text());
      const ours = (await server.ask("GET", one(id), { token: tokenIn(), headers })).body.result.interconnect;
      // The old name of the customer's number is told besides.
      if (ours.bgp) delete ours.bgp.as_no;
      expect(ours).toEqual({ ...result.interconnect });
    }
    expect(double.requests.every(({ method }) => method === "GET")).toBe(true);
  });

  test("can be changed as the original cannot without risk, and drift tells how", async () => {
    await clone();
    await using server = await served();
    await login("copy", { url: server.url, token: tokenIn() });
    const put = (id: string, body: object) => server.ask("PUT", one(id), { token: tokenIn(), body });
    expect((await put(ORD, { mtu: 1400, health_check: { target: "" } })).status).toBe(200);
    const said = await drift();
    expect(said.code).toBe(2);
    expect(said.stdout).toBe(
      `~ pni_ord (interconnect ${ORD})\n    health_check.target  "203.0.113.1" → ""\n    mtu                  1476 → 1400\n`,
    );
    expect((await drift("--ignore", "mtu", "health_check.target")).code).toBe(0);
    expect((await drift("--ignore", "mtuu")).stderr).toContain("There is no field mtuu to ignore.");
  });

  test("is wanted once: what is there already stays", async () => {
    writeFileSync(file, "mine");
    const said = await clone();
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain(`There is a ${file} already.`);
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("does not take the place of another profile", async () => {
    const said = await clone("--as-profile", "production");
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain("There is a profile production already");
    expect(existsSync(file)).toBe(false);
  });

  test("leaves keys out unless asked for them, and never shows them", async () => {
    const key = "key-of-a-session";
    double.change(SIN, { bgp: { customer_asn: 65010, md5_key: key } });
    const said = await clone();
    expect(said.stderr).toContain("Left out: pni_sin: bgp.md5_key, a secret");
    expect(readFileSync(file, "utf8")).not.toContain(key);
    await using server = await served();
    await login("copy", { url: server.url, token: tokenIn() });
    const { code, stdout } = await drift();
    expect([code, stdout.includes(key)]).toEqual([2, false]);
    expect(stdout).toContain('bgp.md5_key  "(masked)" → (none)');
    expect((await drift("--ignore", "bgp.md5_key")).code).toBe(0);
    file = join(operator.home, "whole.yaml");
    await clone("--with-keys");
    expect(readFileSync(file, "utf8")).toContain(key);
    double.change(SIN, { bgp: { customer_asn: 65010, extra_prefixes: ["192.0.2.0/24"] } });
  });
});

describe("of an account that is not as Patchbay would have it", () => {
  async function cloneOf(options: Parameters<typeof startCloudflareDouble>[0]) {
    const other = await startCloudflareDouble(options);
    await login("other", other);
    const to = join(operator.home, "other.yaml");
    const said = await operator.run(["clone", "--from-profile", "other", "--to", to]);
    await other.close();
    file = to;
    return said;
  }
  const [ord, ams, sin] = doubleWorld;
  if (!ord || !ams || !sin) throw new Error("The double has three interconnects.");

  test("routes over what is not copied are left out, with the reason", async () => {
    const route = { id: "b".repeat(32), prefix: "172.20.0.0/16", nexthop: "10.99.0.1", priority: 10 };
    const said = await cloneOf({ routes: [route] });
    expect(said.code).toBe(0);
    expect(said.stderr).toMatch(/Left out: route 172\.20\.0\.0\/16: .*10\.99\.0\.1/);
    expect(parse(readFileSync(file, "utf8")).accounts[0].routes).toEqual([]);
  });

  test("public addresses are authorised, and what tells no version gets the one that fits", async () => {
    const { version: _, ...older } = ord;
    const target = { saved: "203.0.113.1", effective: "203.0.113.1" };
    const interconnects = [
      { ...older, health_check: { ...ord.health_check, target } },
      {
        ...ams,
        interface_address: "198.51.100.10/31",
        health_check: {
          enabled: true,
          rate: "mid",
          type: "reply",
          target: { saved: "", effective: "192.0.2.3" },
        },
      },
    ];
    const said = await cloneOf({
      meddle: ({ path }) =>
        path.endsWith("cf_interconnects")
          ? { status: 200, body: { result: { interconnects }, success: true, errors: [], messages: [] } }
          : undefined,
    });
    expect(said.code).toBe(0);
    const [account] = parse(readFileSync(file, "utf8")).accounts;
    expect(account.authorized_prefixes).toEqual(["198.51.100.10/31"]);
    expect(account.interconnects.map(({ version }: { version: string }) => version)).toEqual(["1", "1.5"]);
    expect(account.interconnects[1].link).toEqual({ p2p_ip: "192.0.2.2/31", cust_ip: "192.0.2.3/31" });
    await using server = await served();
    expect((await server.ask("GET", one(AMS), { token: tokenIn() })).status).toBe(200);
  });

  test("what the rules refuse is written and told, each with its name", async () => {
    const interconnects = [
      { ...ord, mtu: 1500 },
      { ...sin, interface_address: "192.0.2.0/29" },
    ];
    const said = await cloneOf({ interconnects, routes: [] });
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain("is written, but patchbay serve would refuse it.");
    expect(said.stderr).toContain("pni_ord: ");
    expect(said.stderr).toContain("pni_sin: ");
    expect(existsSync(file)).toBe(true);
  });

  test("no right to read is told as such", async () => {
    const said = await operator.run(["clone", "--from-profile", "nobody", "--to", file]);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("patchbay login --profile nobody");
    expect(existsSync(file)).toBe(false);
  });
});

describe("patchbay drift", () => {
  test("tells what only one of them has", async () => {
    await using smaller = await startCloudflareDouble({ interconnects: doubleWorld.slice(1) });
    await login("copy", smaller);
    const { objects } = JSON.parse((await drift("--json")).stdout);
    expect(objects).toEqual([expect.objectContaining({ id: ORD, action: "delete" })]);
    const back = await operator.run(["drift", "--from-profile", "copy", "--to-profile", "production"]);
    expect(back).toMatchObject({ code: 2, stdout: `+ pni_ord (interconnect ${ORD})\n` });
  });

  test("does not take what is left out for another value than its default", async () => {
    await using other = await startCloudflareDouble({
      meddle: ({ path, method }) => {
        if (method !== "GET" || !path.endsWith("cf_interconnects")) return undefined;
        const interconnects = doubleWorld.map(
          ({ automatic_return_routing: routed, health_check, ...rest }) => ({
            ...rest,
            automatic_return_routing: routed || null,
            health_check: { ...health_check, target: { saved: health_check.target, effective: "" } },
          }),
        );
        return { status: 200, body: { result: { interconnects }, success: true, errors: [], messages: [] } };
      },
    });
    await login("copy", other);
    expect((await drift()).code).toBe(0);
  });
});
