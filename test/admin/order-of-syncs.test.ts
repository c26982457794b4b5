/** That what a command makes is durable before it has its name, and before anything is removed for it. */

import { spawnSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { backup } from "../../src/admin/backup.ts";
import { dump } from "../../src/admin/dump.ts";
import { done, openWorld } from "../harness/admin.ts";
import { runCommand } from "../harness/command.ts";
import { skip } from "../harness/needs.ts";
import { Chance } from "../harness/random.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { findTracer } from "../harness/tracer.ts";

/** What a command did to files below a directory, in order: `fsync data/patchbay.db.new`, `rename a b`. */
async function traced(strace: string, directory: string, args: readonly string[]): Promise<string[]> {
  const output = join(directory, "trace");
  const calls = "fsync,fdatasync,rename,renameat,renameat2,pwrite64,unlink";
  const before = [strace, "-D", "-f", "-yy", "-s", "64", "-o", output, "-e", `trace=${calls}`];
  const { code, stderr } = await runCommand(args, { before });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const events = [];
  for (const line of readFileSync(output, "latin1").split("\n")) {
    const paths = [...line.matchAll(/["<](\/[^">]+)[">]/g)].flatMap(([, path = ""]) =>
      path === directory || path.startsWith(`${directory}/`) ? [path.slice(directory.length + 1) || "."] : [],
    );
    const [, call = ""] = /^\d+\s+(\w+)\(/.exec(line) ?? [];
    if (paths.length > 0 && call !== "")
      events.push(`${call.replace("fdata", "f").replace(/at2?$/, "")} ${paths.join(" ")}`);
  }
  return events;
}

function expectOrder(events: readonly string[], ...expected: readonly string[]): void {
  let from = 0;
  for (const event of expected) {
    const found = events.indexOf(event, from);
    expect(found, `${event} is not among ${events.slice(from).join(", ")}`).toBeGreaterThanOrEqual(0);
    from = found + 1;
  }
}

test("a directory, a backup, a dump and an archive are synced, then named, and their names synced", async (ctx: TestContext) => {
  const tracer = findTracer();
  if ("missing" in tracer) return skip(ctx, tracer.missing);
  const directory = realpathSync(temporaryDirectory());
  const at = (name: string) => join(directory, name);
  const run = (...args: readonly string[]) => traced(tracer.strace, directory, args);
  const store = await openWorld(at("old"), new Chance(1), 30);
  await store.close();
  await done(backup, { data: at("old"), to: at("b") });
  await done(dump, { data: at("old"), to: at("d") });

  const made = ["fsync new/patchbay.db.new", "rename new/patchbay.db.new new/patchbay.db", "fsync new"];
  expectOrder(await run("init", "--data", at("new")), "fsync .", ...made);
  spawnSync("rm", ["-r", at("new")]);
  expectOrder(await run("restore", "--data", at("new"), "--from", at("b")), "fsync .", ...made);
  spawnSync("rm", ["-r", at("new")]);
  expectOrder(await run("load", "--data", at("new"), "--from", at("d")), "fsync .", ...made);

  const named = (name: string) => [`fsync ${name}.part`, `rename ${name}.part ${name}`, "fsync ."];
  expectOrder(await run("backup", "--data", at("old"), "--to", at("b2")), ...named("b2"));
  expectOrder(await run("dump", "--data", at("old"), "--to", at("d2")), ...named("d2"));
  const pruning = await run("prune", "--data", at("old"), "--before", "0d", "--archive", at("a"));
  expectOrder(pruning, ...named("a"), "pwrite64 old/patchbay.db-wal", "fsync old/patchbay.db-wal");
  // Nothing was written to the database before the archive was there to stay.
  const before = pruning.slice(0, pruning.indexOf("rename a.part a"));
  expect(before.filter((event) => /^pwrite64 old\/patchbay\.db(-wal)?$/.test(event))).toEqual([]);
});
