/** Does the steps of a plan, those of one kind together; one that fails is told and keeps no other from being done. */

import type { EdgeConfig } from "../config.ts";
import type { EdgeProblem } from "../desired/desired.ts";
import type { TunnelDriver } from "../drivers/driver.ts";
import type { PlannedStep } from "../plan/step.ts";
import { transaction } from "../plan/tables.ts";
import { isGone, runBatch } from "./batch.ts";
import { writeBird } from "./bird-file.ts";
import { CommandFailed, type Commands } from "./commands.ts";

export interface CarriedOut {
  readonly problems: readonly EdgeProblem[];
  /** The steps that failed. */
  readonly failed: ReadonlySet<PlannedStep>;
  /** Texts of tables that were applied; `undefined` where one is gone. */
  readonly tables: ReadonlyMap<string, string | undefined>;
}

export async function carryOut(
  steps: readonly PlannedStep[],
  commands: Commands,
  driver: TunnelDriver,
  config: EdgeConfig,
): Promise<CarriedOut> {
  const problems: EdgeProblem[] = [];
  const failed = new Set<PlannedStep>();
  const tables = new Map<string, string | undefined>();
  const fail = (step: PlannedStep, reason: string, of = step.interconnects) => {
    failed.add(step);
    const sentence = `${step.what.replace(/\.$/, "")}: ${reason.replace(/\.?$/, ".")}`;
    if (of.length === 0) problems.push({ reason: sentence });
    else for (const interconnect of of) problems.push({ interconnect, reason: sentence });
  };
  const carryOutGroup = async (group: readonly PlannedStep[]) => {
    const [first] = group;
    switch (first?.action.kind) {
      case "ip":
        await runLines(group, commands, fail);
        break;
      case "carry":
        await carry(first, driver, fail);
        break;
      case "setting":
        await set(group, commands, fail);
        break;
      case "table":
        for (const [table, text] of await replaceTables(group, commands, fail)) tables.set(table, text);
        break;
      case "bird":
        await bird(first, commands, config, fail);
        break;
    }
  };
  const all = groups(steps);
  // Rules name devices: where those only change in place, neither waits for the other.
  if (steps.every(({ phase, action }) => phase === "change" || action.kind === "table")) {
    const ended = await Promise.allSettled(all.map(carryOutGroup));
    for (const end of ended) if (end.status === "rejected") throw end.reason;
  } else for (const group of all) await carryOutGroup(group);
  return { problems, failed, tables };
}

type Fail = (step: PlannedStep, reason: string, interconnects?: readonly string[]) => void;

/** Neighbours of one kind. */
function groups(steps: readonly PlannedStep[]): readonly PlannedStep[][] {
  const found: PlannedStep[][] = [];
  for (const step of steps) {
    const group = found.at(-1);
    if (group?.[0]?.action.kind === step.action.kind) group.push(step);
    else found.push([step]);
  }
  return found;
}

async function runLines(steps: readonly PlannedStep[], commands: Commands, fail: Fail): Promise<void> {
  const lines: { readonly line: string; readonly step: PlannedStep; readonly removes: boolean }[] = [];
  for (const step of steps)
    if (step.action.kind === "ip")
      for (const line of step.action.lines) lines.push({ line, step, removes: step.action.removes });
  const failures = await runBatch(
    commands,
    lines.map(({ line }) => line),
  );
  const told = new Set<PlannedStep>();
  for (const [index, reason] of failures) {
    const line = lines[index];
    // What follows from a line that failed fails too.
    if (!line || told.has(line.step) || (line.removes && isGone(reason))) continue;
    told.add(line.step);
    fail(line.step, reason);
  }
}

async function carry(step: PlannedStep, driver: TunnelDriver, fail: Fail): Promise<void> {
  if (step.action.kind !== "carry") return;
  const { tunnels } = step.action;
  try {
    for (const [device, reason] of await driver.carry(tunnels)) {
      const of = tunnels.find((spec) => spec.device === device)?.interconnect;
      fail(step, `${device}: ${reason}`, of === undefined ? [] : [of]);
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    fail(step, error.message, []);
  }
}

async function set(steps: readonly PlannedStep[], commands: Commands, fail: Fail): Promise<void> {
  const pairs = steps.flatMap(({ action }) =>
    action.kind === "setting" ? [`${action.key}=${action.value}`] : [],
  );
  try {
    await commands.run("sysctl", ["-q", "-w", ...pairs]);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    // Each line names the setting it is about.
    const lines = error.stderr.split("\n").filter((line) => line.trim() !== "");
    for (const step of steps) {
      const key = step.action.kind === "setting" ? step.action.key : "";
      const line = lines.find((text) => text.replaceAll(".", "/").includes(key.replaceAll(".", "/")));
      if (line !== undefined) fail(step, line.trim());
    }
    const [step] = steps;
    if (step && !lines.some((line) => line.includes("/") || line.includes("net."))) fail(step, error.message);
  }
}

/** All in one transaction: all of them, or none. */
async function replaceTables(
  steps: readonly PlannedStep[],
  commands: Commands,
  fail: Fail,
): Promise<ReadonlyMap<string, string | undefined>> {
  const changes = steps.flatMap(({ action }) => (action.kind === "table" ? [action] : []));
  try {
    const text = changes.map(({ table, text }) => transaction(table, text)).join("");
    await commands.run("nft", ["-f", "-"], text);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const [step] = steps;
    if (step) fail(step, firstError(error.stderr) ?? error.message);
    return new Map();
  }
  return new Map(changes.map(({ table, text }) => [table, text]));
}

/** Without the text around it, which may be long. */
function firstError(stderr: string): string | undefined {
  return /Error: .*/.exec(stderr)?.[0];
}

async function bird(step: PlannedStep, commands: Commands, config: EdgeConfig, fail: Fail): Promise<void> {
  if (step.action.kind !== "bird") return;
  try {
    await writeBird(step.action.text ?? "", commands, config);
  } catch (error) {
    if (!(error instanceof CommandFailed) && !(error instanceof Error && "code" in error)) throw error;
    fail(step, error.message);
  }
}
