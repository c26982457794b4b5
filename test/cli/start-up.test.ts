import { afterAll, beforeAll, expect, test } from "vitest";
import { fileOf, patchbayProcess } from "../harness/cli.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** Tells of every module that is loaded. */
const HOOK = `import { registerHooks } from "node:module";
registerHooks({ load(url, context, next) { process.stderr.write("loads " + url + "\\n"); return next(url, context); } });`;

async function packagesOf(args: readonly string[]): Promise<string[]> {
  const env = {
    NODE_OPTIONS: `--import ${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOK)}`)}`,
  };
  const { stderr } = await patchbayProcess({ url: server.url, env }, args);
  const packages = [...stderr.matchAll(/^loads file:.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)];
  return [...new Set(packages.map(([, name]) => name ?? ""))].sort();
}

test("what is typed most loads no schemas, and YAML only where YAML is read", async () => {
  expect(await packagesOf(["plan", "--help"])).toEqual(["commander"]);
  expect(await packagesOf(["get"])).toEqual(["commander", "fastest-levenshtein"]);
  expect(await packagesOf(["export"])).toEqual(["commander"]);
  expect(await packagesOf(["set", "pni_ord", "mtu=1400", "--yes"])).toEqual([
    "commander",
    "fastest-levenshtein",
  ]);
  const plan = ["plan", "-f", fileOf("interconnects: { pni_ord: { mtu: 1401 } }\n")];
  expect(await packagesOf(plan)).toEqual(["commander", "fastest-levenshtein", "yaml"]);
});
