/** Which interconnects were not healthy, on disk: a restart of the agent is no recovery, and moves no traffic back. */

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WatchedState } from "./watch.ts";

function fileIn(directory: string): string {
  return join(directory, "health.json");
}

/** What was kept; nothing where there is nothing that can be used. */
export function readKeptHealth(directory: string): ReadonlyMap<string, WatchedState> {
  try {
    const kept: [string, WatchedState][] = JSON.parse(readFileSync(fileIn(directory), "utf8"));
    return new Map(
      kept.filter(
        ([, one]) => ["degraded", "down"].includes(one.state) && !Number.isNaN(Date.parse(one.since)),
      ),
    );
  } catch {
    return new Map();
  }
}

/** Keeps those that are not healthy. Throws what the disk says. */
export function keepHealth(directory: string, states: ReadonlyMap<string, WatchedState>): void {
  const file = fileIn(directory);
  const ill = [...states].filter(([, { state }]) => state !== "healthy");
  writeFileSync(`${file}.next`, JSON.stringify(ill), { mode: 0o600 });
  renameSync(`${file}.next`, file);
}
