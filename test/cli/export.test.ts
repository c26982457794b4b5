import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { fileOf, patchbay } from "../harness/cli.ts";
import { AMS, LIST, ORD, one, SIN, startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const exported = async (...args: string[]) => (await patchbay(server, ["export", ...args])).stdout;

test("an export names the schema of its server, is sorted, and is what plan finds unchanged", async () => {
  const text = await exported();
  const [first] = text.split("\n");
  expect(first).toBe(`# yaml-language-server: $schema=${server.url}/patchbay/v1/schemas/interconnects.json`);
  expect(Object.keys(parse(text).interconnects)).toEqual(["pni_ams", "pni_ord", "pni_sin"]);
  expect((await patchbay(server, ["plan", "-f", fileOf(text)])).code).toBe(0);
  expect((await patchbay(server, ["plan", "-f", fileOf(await exported("--json"))])).code).toBe(0);
  expect((await patchbay(server, ["lint", "-f", fileOf(text)])).code).toBe(0);
  expect(await exported()).toBe(text);
});

test("comments tell what is read-only, and that a key is there, but not the key", async () => {
  await server.ask("PUT", one(SIN), { body: { bgp: { md5_key: "hush hush" } } });
  const text = await exported();
  expect(text).toContain("  pni_ord:\n    # id: c4a7362d577a6c3019a474fd6f485821\n    # version: 1\n");
  expect(text).toContain("      target: 203.0.113.1\n      # target, effective: 203.0.113.1\n");
  expect(text).toContain("      # md5_key is set.");
  expect(text + (await exported("--json"))).not.toContain("hush");
});

test("names and texts that YAML would take for something else are read back as they were", async () => {
  const names = [
    "yes",
    "0x10",
    "1e3",
    "a: b # c",
    "- x",
    "'\"\\",
    "\u0085ü\u2028",
    "null",
    "10.0.0.1",
    "~",
    "*a",
  ];
  const ids = [ORD, AMS, SIN];
  for (let from = 0; from < names.length; from += ids.length) {
    const some = names.slice(from, from + ids.length).map((name, at) => ({
      id: ids[at],
      name,
      description: `${name}\n\ttwo lines: `,
    }));
    expect((await server.ask("PUT", LIST, { body: some })).status).toBe(200);
    const text = await exported();
    for (const { name, description } of some)
      expect(parse(text).interconnects[name].description).toBe(description);
    expect((await patchbay(server, ["plan", "-f", fileOf(text)])).code).toBe(0);
  }
});
