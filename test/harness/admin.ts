/** Commands on data directories, run in the test's own process, and worlds for them to work on. */

import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { State } from "../../src/account/state.ts";
import type { Environment, Terminal } from "../../src/admin/run.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Chance } from "./random.ts";
import { FakeTerminal, onlySentence } from "./terminal.ts";
import { anyChange, applied, FIRST_ACCOUNT, makeSmallWorld, SECOND_ACCOUNT, snapshot } from "./worlds.ts";

type Command<Options> = (options: Options, environment: Environment, terminal: Terminal) => Promise<number>;

/** What a command says that does what it is told. */
export async function done<Options>(command: Command<Options>, options: Options): Promise<string> {
  const terminal = new FakeTerminal();
  const code = await command(options, {}, terminal);
  expect({ code, stderr: terminal.said.stderr }).toEqual({ code: 0, stderr: "" });
  return terminal.said.stdout;
}

/** The one sentence of a command that refuses. */
export async function refused<Options>(command: Command<Options>, options: Options): Promise<string> {
  const terminal = new FakeTerminal();
  const code = await command(options, {}, terminal);
  return onlySentence({ code, ...terminal.said });
}

/** The time of the change of this number, one a minute. */
export const timeOf = (number: number) =>
  new Date(Date.UTC(2025, 0, 1, 0, number)).toISOString().replace("Z", "000Z");

/** Commits so many changes to the accounts of a store, one a minute. */
export async function changeAtRandom(store: SqliteStore, chance: Chance, changes: number, from = 0) {
  const states: State[] = [];
  for (const id of [FIRST_ACCOUNT, SECOND_ACCOUNT]) {
    const state = await store.load(id);
    if (state) states.push(state);
  }
  for (let number = from; number < from + changes; number++) {
    const state = chance.pick(states);
    const base = state.revision;
    const command = anyChange(state, chance);
    const circumstances = { ...command.circumstances, time: timeOf(number) };
    const change = applied(state, { ...command, circumstances });
    await store.commit({ state: state.id, epoch: state.epoch, base, changes: [change], deadline: null });
    state.settle(change.edits, change.record.revision);
  }
}

/** A new directory with a world that so many changes were made to. It is left as a killed server leaves it, or closed. */
export async function openWorld(directory: string, chance: Chance, changes: number): Promise<SqliteStore> {
  const store = await SqliteStore.open(directory);
  await store.replace(makeSmallWorld(chance.between(0, 6), timeOf(0)));
  await changeAtRandom(store, chance, changes);
  return store;
}

/** All that a directory holds, but for the epochs. */
export async function contentOf(directory: string) {
  const store = await SqliteStore.open(directory);
  try {
    const states = [];
    for (const id of await store.states()) {
      const state = await store.load(id);
      const log = await store.changesAfter(id, 0, 1_000_000);
      states.push({ ...(state && snapshot(state)), epoch: "", log: log?.records });
    }
    return states;
  } finally {
    await store.close();
  }
}

/** The lines of a dump, but for the epochs. */
export function linesOf(file: string): string[] {
  return readFileSync(file, "utf8")
    .replaceAll(/"epoch":"[0-9a-f]+"/g, '"epoch":""')
    .trimEnd()
    .split("\n");
}
