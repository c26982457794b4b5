/**
 * Removes processes, links and network namespaces, and resolves when they no longer exist. A process outlives the signal
 * that kills it, and keeps its namespace, with every device in it, until it has ended.
 */

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { isGone } from "./batch.ts";
import { CommandFailed, Commands } from "./commands.ts";
import { rows, textOf } from "./json.ts";

/** Milliseconds. A killed process frees its memory before it ends, which takes seconds where the machine swaps. */
const REMOVAL_DEADLINE = 30_000;
/** Milliseconds between two checks. */
const INTERVAL = 10;

const host = new Commands();

/** What was to be removed still exists at the deadline. The message is for the operator. */
export class RemovalFailed extends Error {}

/** Does the process run? One that has ended and whose parent has not collected it holds nothing any more. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // After the name of the program, which is in parentheses and may contain any character.
    return !/^ [ZXx]/.test(stat.slice(stat.lastIndexOf(")") + 1));
  } catch {
    return false;
  }
}

/** Kills the processes that `find` returns, until it returns none that runs: one may have started another meanwhile. */
export async function killProcesses(
  find: () => readonly number[] | Promise<readonly number[]>,
  patience = REMOVAL_DEADLINE,
): Promise<void> {
  await untilNone(
    async () => (await find()).filter(isRunning),
    (pid) => kill(pid),
    (pids) => `The processes ${pids.join(", ")} did not end within ${patience / 1000} s of being killed.`,
    patience,
  );
}

/** Deletes the links of a namespace whose names match. */
export async function deleteLinks(isOurs: (name: string) => boolean, commands = host): Promise<void> {
  await untilNone(
    async () => (await linkNames(commands)).filter(isOurs),
    async (name) => {
      try {
        await commands.run("ip", ["link", "del", name]);
      } catch (error) {
        // The other end of a pair was deleted with the first.
        if (!(error instanceof CommandFailed) || !isGone(error.stderr)) throw error;
      }
    },
    (names) =>
      `The links ${names.join(", ")} still exist ${REMOVAL_DEADLINE / 1000} s after they were deleted.`,
  );
}

export async function linkNames(commands = host): Promise<readonly string[]> {
  return rows(await commands.run("ip", ["-j", "link", "show"])).map(({ ifname }) => textOf(ifname));
}

/** Kills everything that runs in a namespace, then deletes it. */
export async function deleteNamespace(name: string): Promise<void> {
  await killProcesses(() => processesIn(name));
  await host.run("ip", ["netns", "del", name]);
}

export async function processesIn(namespace: string): Promise<readonly number[]> {
  const pids = await host.run("ip", ["netns", "pids", namespace]);
  return pids.split("\n").filter(Boolean).map(Number);
}

/** The named namespaces of this machine. */
export async function namespaces(): Promise<readonly string[]> {
  return rows(await host.run("ip", ["-j", "netns", "list"])).map(({ name }) => textOf(name));
}

async function untilNone<Thing>(
  find: () => Promise<readonly Thing[]>,
  remove: (thing: Thing) => unknown,
  failure: (left: readonly Thing[]) => string,
  patience = REMOVAL_DEADLINE,
): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    const left = await find();
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new RemovalFailed(failure(left));
    for (const thing of left) await remove(thing);
    await setTimeout(INTERVAL);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // It ended before.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
