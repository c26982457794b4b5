/** What happens to a server, and to commands, when the storage under them fails. */

import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, onTestFinished, type TestContext, test } from "vitest";
import { backup } from "../../src/admin/backup.ts";
import { dump } from "../../src/admin/dump.ts";
import { init } from "../../src/admin/init.ts";
import { load } from "../../src/admin/load.ts";
import { prune } from "../../src/admin/prune.ts";
import { token } from "../../src/admin/token.ts";
import { done, refused } from "../harness/admin.ts";
import { quietly, runCommand, serve } from "../harness/command.ts";
import { skip } from "../harness/needs.ts";
import { makeSeed, OWN_TOKEN } from "../harness/seeds.ts";
import { ask, codes, LIST, ORD, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { onlySentence } from "../harness/terminal.ts";
import { idOf } from "../harness/worlds.ts";

const PORTS = 200;

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
const at = (name: string) => join(directory, name);

function seedFile(): string {
  writeFileSync(at("seed.yaml"), makeSeed(PORTS));
  return at("seed.yaml");
}

/** Updates every interconnect, so that each round takes room. */
function put(url: string, round: number) {
  const interconnects = Array.from({ length: PORTS }, (_, number) => ({
    id: idOf(number),
    description: `round ${round} of ${number}, ${"to fill the disk ".repeat(10)}`,
  }));
  return ask(url, "PUT", LIST, { token: OWN_TOKEN, body: { interconnects } });
}

const stateOf = async (url: string) =>
  (await ask(url, "GET", `${OWN}/state`, { token: OWN_TOKEN })).body.result;

/** Fills the storage by updates, makes room again, and looks at what a server makes of it. */
async function fillAndMakeRoom(url: string, makeRoom: () => void): Promise<number> {
  let acknowledged = 0;
  let answer = await put(url, 0);
  while (answer.status === 200) answer = await put(url, ++acknowledged);
  expect([answer.status, codes(answer)]).toEqual([503, [990002]]);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(answer.body.errors[0].message).toContain("Nothing was changed; try again.");
  // Reads go on: what is in memory, and the log on the disk.
  const full = await stateOf(url);
  expect(full.revision).toBe(acknowledged + 1);
  const newest = await ask(url, "GET", `${OWN}/changes/${full.revision}`, { token: OWN_TOKEN });
  expect(newest.status).toBe(200);
  expect((await put(url, acknowledged)).status).toBe(503);
  makeRoom();
  expect((await put(url, ++acknowledged)).status).toBe(200);
  expect((await stateOf(url)).revision).toBe(full.revision + 1);
  return full.revision + 1;
}

describe("a disk that is full", () => {
  test("by a limit of the process: updates are refused, reads go on, and with room again all goes on", async (ctx: TestContext) => {
    if (spawnSync("prlimit", ["--version"]).status !== 0) return skip(ctx, "this system has no prlimit");
    const options = quietly(at("data"), seedFile());
    // A soft limit alone, which can be lifted while the server runs.
    const before = ["bash", "-c", 'ulimit -S -f 700; exec "$0" "$@"'];
    const server = await serve(options, { before });
    const makeRoom = () => {
      const lifted = spawnSync("prlimit", ["--pid", String(server.process.pid), "--fsize=unlimited"]);
      expect(String(lifted.stderr)).toBe("");
    };
    const revision = await fillAndMakeRoom(server.url, makeRoom);
    await server.end("SIGKILL");
    const again = await serve(options);
    expect((await stateOf(again.url)).revision).toBe(revision);
  });

  test("for real: the same, and a start and the commands say so too", async (ctx: TestContext) => {
    const disk = at("disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=3m", "patchbay-test", disk]);
    if (mounted.status !== 0) return skip(ctx, "nothing can be mounted here");
    onTestFinished(() => void spawnSync("umount", ["-l", disk]));
    const data = join(disk, "data");
    const options = quietly(data, seedFile());
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, Buffer.alloc(1 << 20));
    const server = await serve(options);
    const revision = await fillAndMakeRoom(server.url, () => rmSync(ballast));
    const state = await stateOf(server.url);
    await server.end("SIGKILL");

    // Without room for what a start writes, it is refused, and nothing is lost.
    const filled = spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4k"]);
    expect(String(filled.stderr)).toContain("No space left");
    const start = await serve(options).catch((error: Error) => error);
    if (start instanceof Error) expect(start.message).toMatch(/cannot be used: its disk is full/);
    else await start.end("SIGKILL");
    for (const [command, to] of [
      [dump, "dump"],
      [backup, "backup"],
    ] as const) {
      const sentence = await refused(command, { data, to: join(disk, to) });
      expect(sentence).toMatch(
        /(could not be (written|made)|cannot be used): (its disk is full|disk I\/O error)/,
      );
    }
    expect(await refused(init, { data: join(disk, "other") })).toMatch(
      /cannot be used: (its disk is full|.*disk)/,
    );
    expect(readdirSync(disk).filter((name) => !["data", "ballast", "other"].includes(name))).toEqual([]);
    rmSync(ballast);
    const again = await serve(options);
    expect((await stateOf(again.url)).revision).toBe(revision);
    expect(await stateOf(again.url)).toEqual(state);
  });
});

/** Writes garbage over part of a file that a server has open. */
function overwrite(file: string, from: number, length: number): void {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.alloc(length, "garbage "), 0, length, from);
  closeSync(descriptor);
}

describe("a file that is damaged while it is served", () => {
  test("costs those answers that need what is damaged, each refused; all else goes on", async () => {
    const data = at("data");
    await using server = await startTestServer({ data });
    const state = (await server.ask("GET", `${OWN}/state`)).body.result;
    for (let mtu = 1001; mtu <= 1005; mtu++)
      expect((await server.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu }] } })).status).toBe(
        200,
      );
    const raw = new DatabaseSync(join(data, "patchbay.db"));
    onTestFinished(() => raw.close());
    raw.exec(
      `UPDATE change SET record = substr(record, 1, 50) WHERE state = '${state.account_id}' AND revision = 3`,
    );
    for (const path of ["/changes/3", "/changes?after=0", "/changes"]) {
      const answer = await server.ask("GET", OWN + path);
      expect([path, answer.status, codes(answer)]).toEqual([path, 503, [990122]]);
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    expect((await server.ask("GET", `${OWN}/changes/4`)).status).toBe(200);
    expect((await server.ask("GET", LIST)).body.result.interconnects[0].mtu).toBe(1005);
    const change = await server.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1400 }] } });
    expect(change.status).toBe(200);
  });

  test("written over wholly, takes no change that it could not give back, and gives no wrong answer", async () => {
    const data = at("data");
    const options = quietly(data, seedFile());
    const first = await serve(options);
    await put(first.url, 1);
    await first.end("SIGTERM");
    const server = await serve(options);
    const before = await stateOf(server.url);
    // All but the first page: the header stays, and what it says of the rest is wrong.
    const file = join(data, "patchbay.db");
    overwrite(file, 4096, readFileSync(file).length - 4096);
    const answers = [];
    for (let round = 2; round < 6; round++) answers.push((await put(server.url, round)).status);
    expect(await stateOf(server.url)).toMatchObject({
      epoch: before.epoch,
      revision: before.revision + answers.filter((status) => status === 200).length,
    });
    for (const status of answers) expect([200, 503]).toContain(status);
    const log = await ask(server.url, "GET", `${OWN}/changes?after=0`, { token: OWN_TOKEN });
    expect([200, 503]).toContain(log.status);
    // It is still there to be asked, and ends when it is told to.
    expect(await server.end("SIGTERM")).toEqual({ code: 0, signal: null });
  });
});

describe("a directory that this user may not write", () => {
  /** Runs a command as nobody, if this user is the administrator, who may everything. */
  function asNobody(args: readonly string[]) {
    const drop = process.geteuid?.() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : [];
    return runCommand(args, { before: drop });
  }

  test("is refused by serve and by all commands that write there, with what to do", async (ctx: TestContext) => {
    if (process.geteuid?.() === 0 && spawnSync("setpriv", ["--version"]).status !== 0)
      return skip(ctx, "this system has no setpriv");
    const { code } = await asNobody(["--help"]);
    if (code !== 0) return skip(ctx, "nobody may read the program where it lies");
    const data = at("data");
    await done(init, { data });
    await done(token, { data });
    const before = readFileSync(join(data, "patchbay.db"));
    spawnSync("chmod", ["755", directory, data]);
    spawnSync("chmod", ["644", join(data, "patchbay.db")]);
    spawnSync("chmod", ["a-w", data, join(data, "patchbay.db")]);
    for (const args of [
      ["serve", "--port", "0", "--metrics-port", "off"],
      ["token"],
      ["prune", "--before", "0d", "--discard"],
      ["restore", "--from", join(data, "patchbay.db")],
    ]) {
      const said = onlySentence(await asNobody([...args, "--data", data]));
      expect(said).toMatch(/cannot be used: it cannot be written|is not empty/);
    }
    expect(readFileSync(join(data, "patchbay.db")).equals(before)).toBe(true);
    for (const [command, ...args] of [["init"], ["load", "--from", join(data, "patchbay.db")]]) {
      const said = onlySentence(await asNobody([command ?? "", ...args, "--data", join(data, "below")]));
      expect(said).toContain("cannot be used: it cannot be written (EACCES");
    }
    expect(existsSync(join(data, "below"))).toBe(false);
    spawnSync("chmod", ["u+w", data, join(data, "patchbay.db")]);
  });
});

test("a directory that another version wrote is left alone by every command", async () => {
  const data = at("data");
  await done(init, { data });
  const raw = new DatabaseSync(join(data, "patchbay.db"));
  raw.exec("PRAGMA user_version = 99");
  raw.close();
  const before = readFileSync(join(data, "patchbay.db"));
  const newer = /was written by a newer Patchbay \(schema 99; this one knows \d+\)\. Use that version/;
  expect(await refused(dump, { data, to: at("dump") })).toMatch(newer);
  expect(await refused(backup, { data, to: at("backup") })).toMatch(newer);
  expect(await refused(prune, { data, before: "0d", discard: true })).toMatch(newer);
  expect(readFileSync(join(data, "patchbay.db")).equals(before)).toBe(true);

  const older = new DatabaseSync(join(data, "patchbay.db"));
  older.exec("PRAGMA user_version = 1");
  older.close();
  for (const said of [
    await refused(dump, { data, to: at("dump") }),
    await refused(prune, { data, before: "0d", discard: true }),
  ])
    expect(said).toMatch(
      /was written by an older Patchbay \(schema 1; this one writes \d+\)\. Back it up, start this version's server on it once, and try again\.$/,
    );
});

test("a disk that fails in the middle of a load leaves nothing", async () => {
  expect(await refused(load, { data: at("loaded"), from: directory })).toMatch(/EISDIR|cannot be/);
  expect(existsSync(join(at("loaded"), "patchbay.db"))).toBe(false);
});
