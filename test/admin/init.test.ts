import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { init } from "../../src/admin/init.ts";
import { token } from "../../src/admin/token.ts";
import { permissionGroups } from "../../src/contract/permissions.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { done, refused } from "../harness/admin.ts";
import { runCommand, runInProcess, serve } from "../harness/command.ts";
import { makeSeed, OWN_EMAIL, OWN_KEY, OWN_TOKEN } from "../harness/seeds.ts";
import { ACCOUNT, ask, codes, demo, LIST, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { onlySentence } from "../harness/terminal.ts";

let directory: string;
let data: string;
beforeEach(() => {
  directory = temporaryDirectory();
  data = join(directory, "data");
});

const VERIFY = "/client/v4/user/tokens/verify";
const secretIn = (said: string) => /\bcfat_\w{48}\b/.exec(said)?.[0] ?? "";
const served = () => startTestServer({ data, sandbox: undefined, rateLimit: undefined });

/** A seed file with accounts, users and tokens of its own. */
function seedFile(text = makeSeed(3)): string {
  const file = join(directory, "seed.yaml");
  writeFileSync(file, text);
  return file;
}

describe("a directory made by init", () => {
  test("is served with one token, no accounts, and nothing of the demonstration", async () => {
    const secret = secretIn(await done(init, { data }));
    await using server = await served();
    expect(server).toMatchObject({ resumed: true, isDemo: false, sandbox: false });
    const verified = await server.ask("GET", VERIFY, { token: secret });
    expect(verified.body.result).toMatchObject({ status: "active" });
    expect(verified.headers.get("ratelimit-policy")).toContain("q=1200;w=300");
    // It may all there is, of which there is nothing yet.
    const missing = await server.ask("GET", LIST, { token: secret });
    expect(missing.status).toBe(404);
    for (const known of demo.tokens) {
      expect((await server.ask("GET", VERIFY, { token: known })).status).not.toBe(200);
    }
    const byKey = { "x-auth-email": demo.email, "x-auth-key": demo.key };
    expect((await server.ask("GET", LIST, { token: null, headers: byKey })).status).toBe(403);
    const reset = await server.ask("POST", "/patchbay/v1/reset", { token: secret });
    expect([reset.status, codes(reset)]).toEqual([403, [990038]]);
  });

  test("may be served to others", async () => {
    await done(init, { data });
    await using server = await startTestServer({ data, host: "0.0.0.0", sandbox: undefined });
    expect(server.isDemo).toBe(false);
  });

  test("keeps the token as a hash, in files of its user's alone", async () => {
    const secret = secretIn(await done(init, { data }));
    for (const name of readdirSync(data)) expect(readFileSync(join(data, name)).includes(secret)).toBe(false);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(join(data, "patchbay.db")).mode & 0o777).toBe(0o600);
  });

  test("has a token with every right on accounts, since nobody can give more than they have", async () => {
    await done(init, { data });
    const store = await SqliteStore.open(data);
    const [{ doc } = {}] = (await store.load("directory"))?.list("token") ?? [];
    await store.close();
    const onAccounts = Object.values(permissionGroups)
      .filter((group: { id: string; scope?: string }) => group.scope !== "user")
      .map(({ id, name }) => ({ id, name }));
    expect(doc).toMatchObject({
      name: "admin",
      status: "active",
      policies: [
        {
          effect: "allow",
          resources: { "com.cloudflare.api.account.*": "*" },
          permission_groups: onAccounts.map((group) => expect.objectContaining(group)),
        },
      ],
    });
  });

  test("is filled by a seed at once, whose own credentials work too", async () => {
    const said = await done(init, { data, seed: seedFile() });
    expect(said).toContain("with 1 account and one administrator's token");
    expect(said).not.toContain("curl");
    await using server = await served();
    for (const credential of [secretIn(said), OWN_TOKEN]) {
      const { status, body } = await server.ask("GET", LIST, { token: credential });
      expect([status, body.result?.interconnects.length]).toEqual([200, 3]);
    }
    const headers = { "x-auth-email": OWN_EMAIL, "x-auth-key": OWN_KEY };
    expect((await server.ask("GET", LIST, { token: null, headers })).status).toBe(200);
    const first = (await server.ask("GET", `${OWN}/changes?after=0`, { token: OWN_TOKEN })).body.result[0];
    expect(first).toMatchObject({ revision: 1, actor: { type: "system" } });
  });

  test.each([
    "a new one",
    "an empty one",
    "one that a file system was just put on",
    "one where init was killed",
  ])("may be %s", async (which) => {
    if (which !== "a new one") mkdirSync(data);
    if (which.includes("file system")) mkdirSync(join(data, "lost+found"));
    if (which.includes("killed")) {
      for (const name of ["patchbay.lock", "patchbay.db.new", "patchbay.db.new-journal"])
        writeFileSync(join(data, name), "");
    }
    const secret = secretIn(await done(init, { data }));
    expect(readdirSync(data).filter((name) => name.includes("new"))).toEqual([]);
    await using server = await served();
    expect((await server.ask("GET", VERIFY, { token: secret })).status).toBe(200);
  });
});

describe("init is refused, and nothing changed,", () => {
  test("where there is a directory in use already", async () => {
    await done(init, { data });
    const before = readFileSync(join(data, "patchbay.db"));
    expect(await refused(init, { data })).toBe(
      `The directory ${data} is not empty: it holds patchbay.db and 1 more. Name an empty or a new one with --data.`,
    );
    expect(readFileSync(join(data, "patchbay.db")).equals(before)).toBe(true);
  });

  test("where there are files of others", async () => {
    mkdirSync(data);
    for (const name of ["a", "b", "c"]) writeFileSync(join(data, name), "mine");
    expect(await refused(init, { data })).toContain("is not empty: it holds a and 2 more.");
    expect(readdirSync(data).sort()).toEqual(["a", "b", "c"]);
  });

  test("where there is a file", async () => {
    writeFileSync(data, "mine");
    expect(await refused(init, { data })).toContain(
      `The data directory ${data} cannot be used: there is a file where a directory should be (EEXIST`,
    );
    expect(readFileSync(data, "utf8")).toBe("mine");
  });

  test("with a seed that is wrong, told with its lines", async () => {
    const seed = seedFile("accounts: []\ntokens: yes\n");
    expect(await refused(init, { data, seed })).toBe(
      `${seed}:2:9: Invalid Request: tokens must be an array, not a string`,
    );
    expect(existsSync(data)).toBe(false);
  });

  test("with a seed that cannot be read", async () => {
    const seed = join(directory, "none.yaml");
    expect(await refused(init, { data, seed })).toContain("The seed file cannot be read: ENOENT");
    expect(existsSync(data)).toBe(false);
  });
});

describe("token makes another administrator's token", () => {
  test("on the directory of a stopped server, told in the log as the system's doing", async () => {
    await done(init, { data, seed: seedFile() });
    const said = await done(token, { data, name: "found again" });
    const secret = said.split("\n")[0] ?? "";
    expect(secret).toMatch(/^cfat_\w{48}$/);
    await using server = await served();
    expect((await server.ask("PUT", LIST, { token: secret, body: {} })).status).toBe(200);
    await server.close();
    const store = await SqliteStore.open(data);
    const record = await store.change("directory", 2);
    await store.close();
    expect(record).toMatchObject({
      revision: 2,
      operation: "patchbay token",
      actor: { type: "system", id: "patchbay token" },
      objects: [{ kind: "token", action: "create", name: "found again" }],
    });
    expect(JSON.stringify(record)).not.toContain(secret);
  });

  test("not under a name that is none", async () => {
    await done(init, { data });
    expect(await refused(token, { data, name: "" })).toContain("name is");
    expect(await refused(token, { data, name: "x".repeat(121) })).toContain("name is");
  });

  test("not while a server runs", async () => {
    await done(init, { data });
    await using _server = await served();
    expect(await refused(token, { data })).toContain("is in use by another Patchbay. Stop that one");
  });

  test("not where there is no data", async () => {
    expect(await refused(token, { data })).toBe(
      `There is no patchbay.db in ${data}. Name a data directory with --data.`,
    );
    expect(existsSync(data)).toBe(false);
  });
});

describe("the command", () => {
  test("prints a token and five calls, and the directory is served by what it prints", async () => {
    const { code, stdout, stderr } = await runCommand(["init"], { cwd: directory });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.match(/^export TOKEN=cfat_\w{48}$/gm)).toHaveLength(1);
    expect(stdout).toContain("\npatchbay serve --data data\n");
    expect(stdout.match(/^curl /gm)).toHaveLength(5);
    const { url, said } = await serve(["--port", "0", "--metrics-port", "off"], { cwd: directory });
    expect(said.stdout).toContain("data       data, as it was left\n");
    expect(said.stdout).not.toMatch(/token|curl|reset/);
    expect((await ask(url, "GET", VERIFY, { token: secretIn(stdout) })).status).toBe(200);
  });

  test("takes the directory from the environment, and ends with 1 when it refuses", async () => {
    const env = { PATCHBAY_DATA: data };
    expect((await runInProcess(["init"], env)).code).toBe(0);
    expect(onlySentence(await runInProcess(["init"], env))).toContain("is not empty");
    const { code, stdout } = await runInProcess(["token"], env);
    expect([code, secretIn(stdout)]).toEqual([0, expect.stringMatching(/^cfat_/)]);
  });

  test.each([
    [
      "init",
      "make an empty data directory, or fill an empty database, with one administrator's token",
      "--seed",
    ],
    ["token", "make another administrator's token, while no server runs", "--name"],
    ["backup", "copy the database into one file, while a server runs or not", "--to"],
    ["restore", "make an empty data directory from a backup", "--from"],
    ["dump", "write everything as lines of JSON, while a server runs or not", "--to"],
    ["load", "make an empty data directory, or fill an empty database, from a dump", "--archive"],
    ["prune", "move old changes out of the log, while a server runs or not", "--before"],
  ])("%s is explained by --help, and says what it lacks", async (name, description, option) => {
    const { code, stdout } = await runInProcess([name, "--help"]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(description);
    expect(stdout).toContain(option);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("[PATCHBAY_DATA] (default: ./data)");
    if (!["init", "token"].includes(name)) {
      const lacking = await runInProcess([name, "--data", data]);
      expect(lacking.code).toBe(1);
      expect(lacking.stderr).toMatch(/^error: required option '--(to|from|before) <\w+>' not specified\n$/);
    }
  });
});

test("the account's id in the five calls is one of its own each time", async () => {
  const said = [await done(init, { data }), await done(init, { data: join(directory, "other") })];
  const ids = said.map((text) => /accounts\/([0-9a-f]{32})\/settings/.exec(text)?.[1]);
  expect(new Set(ids).size).toBe(2);
  expect(ids).not.toContain(ACCOUNT);
});
