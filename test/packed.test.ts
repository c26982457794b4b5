import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353";
const TOKEN = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY";
/** What a clone does not have. */
const MADE_HERE = ["node_modules", "dist", "data", ".toolchain", ".evidence", ".git"];

const execute = promisify(execFile);
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}` };

/** The npm that `npm test` was started with, or the system's. */
function npm(cwd: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { npm_execpath: cli, npm_node_execpath: node = process.execPath } = process.env;
  return cli === undefined ? execute("npm", args, { cwd, env }) : execute(node, [cli, ...args], { cwd, env });
}

describe("the published package", () => {
  let folder: string;
  let project: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "patchbay-packed-"));
    // Packed from a copy: packing builds dist/, and a test must not do that to the folder it tests.
    const clone = join(folder, "clone");
    await cp(ROOT, clone, {
      recursive: true,
      filter: (file) => !MADE_HERE.includes(relative(ROOT, file)),
    });
    await symlink(join(ROOT, "node_modules"), join(clone, "node_modules"));
    await npm(clone, "pack", "--pack-destination", folder);

    project = join(folder, "project");
    await mkdir(project);
    await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }');
    const packed = (await readdir(folder)).filter((file) => file.endsWith(".tgz"));
    await npm(project, "install", "--no-audit", "--no-fund", ...packed.map((file) => join(folder, file)));
  }, 180_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("has what is needed to run and to read, and nothing else", async () => {
    const installed = join(project, "node_modules/patchbay");
    const entries = await readdir(installed, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(installed, join(entry.parentPath, entry.name)));
    expect(files).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "NOTICE",
        "README.md",
        "SECURITY.md",
        "bin/patchbay.js",
        "dist/index.d.ts",
        "dist/index.js",
        "dist/main.js",
        "docs/compatibility.md",
        "docs/openapi.json",
        "seeds/demo.yaml",
      ]),
    );
    const folders = new Set(
      files.filter((file) => file.includes("/")).map((file) => file.replace(/\/.*/, "")),
    );
    expect([...folders].sort()).toEqual(["bin", "dist", "docs", "seeds"]);
    expect(files.filter((file) => /\.test\.|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });

  test("tells how it is used", async () => {
    const { stdout } = await npm(project, "exec", "--", "patchbay", "--help");
    expect(stdout).toContain("Usage: patchbay");
    expect(stdout).toContain("serve");
  });

  test("makes a data directory, and carries it elsewhere", async () => {
    const at = (name: string) => join(folder, name);
    const patchbay = (...args: readonly string[]) => npm(project, "exec", "--", "patchbay", ...args);
    expect((await patchbay("init", "--data", at("mine"))).stdout).toMatch(/^export TOKEN=cfat_\w{48}$/m);
    await patchbay("dump", "--data", at("mine"), "--to", at("dump.jsonl"));
    await patchbay("load", "--from", at("dump.jsonl"), "--data", at("loaded"));
    await patchbay("backup", "--data", at("loaded"), "--to", at("backup.db"));
    const { stdout } = await patchbay("restore", "--from", at("backup.db"), "--data", at("restored"));
    expect(stdout).toContain("holds 1 state with 1 object and 1 change");
  });

  test("serves, with the pages that its errors point to, until it is asked to stop", async () => {
    const args = ["serve", "--port", "0", "--metrics-port", "off", "--data", join(folder, "data")];
    const server = spawn(join(project, "node_modules/.bin/patchbay"), args, { cwd: project, env });
    const ended = new Promise((resolve) => server.on("close", (code, signal) => resolve({ code, signal })));
    try {
      const path = `/client/v4/accounts/${ACCOUNT}/magic/cf_interconnects`;
      const url = await addressIn(server.stdout);
      const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
      const answer = await fetch(`${url}${path}`, { method: "PUT", headers, body: "{}" });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ success: true, result: { modified: false } });

      const refusal = await fetch(`${url}${path}`, {
        method: "PUT",
        headers,
        body: '{ "interconnect": [] }',
      });
      const { errors } = JSON.parse(await refusal.text());
      const page = await fetch(errors[0].documentation_url);
      expect(page.status).toBe(200);
      for (const place of ["/docs", "/openapi.json"]) expect((await fetch(url + place)).status).toBe(200);
    } finally {
      server.kill("SIGTERM");
    }
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  test("is a library for somebody else's tests", async () => {
    await writeFile(
      join(project, "use.js"),
      `import { createPatchbay } from "patchbay";
       const patchbay = await createPatchbay();
       const path = "/client/v4/accounts/${ACCOUNT}/magic/cf_interconnects";
       const headers = { authorization: "Bearer " + patchbay.token };
       const answer = await fetch(patchbay.url + path, { headers });
       await patchbay.reset();
       await patchbay.close();
       console.log(answer.status);`,
    );
    const { stdout } = await execute(process.execPath, ["use.js"], { cwd: project, env });
    expect(stdout).toBe("200\n");
  });

  test("has types, which need nothing that is not installed with it", async () => {
    await writeFile(
      join(project, "use.ts"),
      `import { createPatchbay, type Patchbay } from "patchbay";
       const patchbay: Patchbay = await createPatchbay({ port: 0 });
       export const url: string = patchbay.url;
       // @ts-expect-error There is no such thing, and the types know it.
       patchbay.nothing;`,
    );
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const switches = [
      "--noEmit",
      "--strict",
      "--target",
      "es2024",
      "--module",
      "nodenext",
      "--lib",
      "esnext",
    ];
    await expect(
      execute(process.execPath, [compiler, ...switches, "use.ts"], { cwd: project, env }),
    ).resolves.toMatchObject({ stdout: "" });
  });
});

/** The first address that a server prints. Reads on after that, so that the server is not cut off. */
function addressIn(output: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    output.setEncoding("utf8").on("data", (text) => {
      said += text;
      const address = /http:\/\/[\d.]+:\d+/.exec(said)?.[0];
      if (address !== undefined) resolve(address);
    });
    output.on("close", () => reject(new Error(`The server ended without an address: ${said}`)));
  });
}
