/** `patchbay edge`, and what is asked of an edge on its own machine: `edge status`, `edge watch`, `edge clean`. */

import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { setTimeout } from "node:timers/promises";
import { pino } from "pino";
import type { EdgeAccount } from "./account.ts";
import { Agent } from "./agent.ts";
import type { EdgeConfig } from "./config.ts";
import { readAccountOnce } from "./follow/once.ts";
import { Commands } from "./kernel/commands.ts";
import { keepLittle } from "./memory.ts";
import { type EdgeFlags, type EdgeOptions, EdgeRefused, readOptions, stateDirectoryOf } from "./options.ts";
import { type EdgeProblem, EdgeUnavailable, Reconciler } from "./reconciler.ts";
import { type EdgeProcess, guarded } from "./sentences.ts";
import { type AgentStatus, askStatus } from "./status.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Before what else the machine computes: a probe that waits for its turn would tell of the machine, not of the link. */
const PRIORITY = -10;

export interface RunFlags extends EdgeFlags {
  readonly dryRun?: boolean;
  readonly once?: boolean;
}

/** Runs the agent until it is told to end, or with `--dry-run` says what it would do. Resolves with the exit code. */
export function edge(flags: RunFlags, env: Environment, process: EdgeProcess): Promise<number> {
  return guarded(process, async () => {
    const options = readOptions(flags, env);
    if (globalThis.process.getuid?.() !== 0)
      throw new EdgeRefused("It is to be run as root: it makes devices, addresses and routes.");
    if (flags.dryRun) return dryRun(options, process);
    if (flags.once) return once(options, process);
    const log = pino({ level: options.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
    setPriority(PRIORITY);
    keepLittle();
    const { promise: told, resolve } = Promise.withResolvers<void>();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve());
    await using _ = await Agent.start(options, log, versionOf());
    log.info({ edge: options.edge.name, role: options.edge.role, server: options.server }, "started");
    await told;
    log.info("stopping; what was made stays");
    return 0;
  });
}

async function dryRun(options: EdgeOptions, { stdout }: EdgeProcess): Promise<number> {
  const account: EdgeAccount = await readAccountOnce(options);
  await using reconciler = await Reconciler.open(options.edge, new Commands());
  const { steps, problems } = await reconciler.plan(account, new Map());
  if (steps.length === 0) stdout.write("It is as it should be: nothing to do.\n");
  for (const { what, commands, interrupts } of steps) {
    const cost = interrupts.length > 0 ? `  (interrupts ${interrupts.join(", ")})` : "";
    stdout.write(
      `${what}${cost}\n${commands.map((line) => `    ${line.replaceAll("\n", "\n    ")}\n`).join("")}`,
    );
  }
  for (const problem of problems) stdout.write(`Cannot be made: ${wordsOf(problem)}\n`);
  return problems.length > 0 ? 1 : 0;
}

/** Makes the kernel as the account is now, and leaves it at that: for a router that follows nobody. */
async function once(options: EdgeOptions, { stdout, stderr }: EdgeProcess): Promise<number> {
  const account = await readAccountOnce(options);
  await using reconciler = await Reconciler.open(options.edge, new Commands());
  const { steps, problems } = await reconciler.apply(account, new Map());
  for (const { what } of steps) stdout.write(`${what}\n`);
  if (steps.length === 0) stdout.write("It is as it should be: nothing to do.\n");
  for (const problem of problems) stderr.write(`Not made: ${wordsOf(problem)}\n`);
  return problems.length > 0 ? 1 : 0;
}

/** Removes all that an edge made on this machine. */
export function clean(
  flags: EdgeFlags & { readonly dryRun?: boolean },
  env: Environment,
  process: EdgeProcess,
): Promise<number> {
  return guarded(process, async () => {
    const directory = stateDirectoryOf(flags, env);
    if (await askStatus(directory))
      throw new EdgeRefused("The agent runs, and would make it all again: stop it first.");
    const options = readOptions(
      { role: "provider", server: "http://localhost", token: "none", ...flags },
      env,
    );
    await using reconciler = await openToClean(options.edge);
    const { steps, problems } = await reconciler.clean();
    for (const { what } of steps) process.stdout.write(`${what}\n`);
    for (const { reason } of problems) process.stderr.write(`Not removed: ${reason}\n`);
    if (steps.length === 0) process.stdout.write("There was nothing to remove.\n");
    return problems.length > 0 ? 1 : 0;
  });
}

/** Whichever driver made it, one that can be had here takes it away. */
async function openToClean(edge: EdgeConfig): Promise<Reconciler> {
  try {
    return await Reconciler.open({ ...edge, driver: "userspace" }, new Commands());
  } catch (error) {
    if (!(error instanceof EdgeUnavailable)) throw error;
    return Reconciler.open({ ...edge, driver: "kernel" }, new Commands());
  }
}

/** What the agent on this machine says of itself. */
export function status(
  flags: EdgeFlags & { readonly json?: boolean },
  env: Environment,
  process: EdgeProcess,
): Promise<number> {
  return guarded(process, async () => {
    const found = await statusOf(flags, env);
    process.stdout.write(flags.json ? `${JSON.stringify(found, null, 2)}\n` : `${picture(found)}\n`);
    return found.configuration.status === "applied" && found.server.trouble === null ? 0 : 1;
  });
}

/** The same, again every second until it is interrupted. */
export function watch(flags: EdgeFlags, env: Environment, process: EdgeProcess): Promise<number> {
  return guarded(process, async () => {
    const ended = new AbortController();
    process.on("SIGINT", () => ended.abort());
    process.on("SIGTERM", () => ended.abort());
    while (!ended.signal.aborted) {
      const shown = picture(await statusOf(flags, env));
      process.stdout.write(process.stdout.isTTY ? `\u001b[H\u001b[2J${shown}\n` : `${shown}\n\n`);
      await setTimeout(1_000, undefined, { signal: ended.signal }).catch(() => undefined);
    }
    return 0;
  });
}

function wordsOf({ interconnect, reason }: EdgeProblem): string {
  return interconnect === undefined ? reason : `${interconnect}: ${reason}`;
}

async function statusOf(flags: EdgeFlags, env: Environment): Promise<AgentStatus> {
  const directory = stateDirectoryOf(flags, env);
  const found = await askStatus(directory);
  if (found) return found;
  throw new EdgeRefused(`No agent runs with ${directory}. One with another --state is to be named by it.`);
}

function picture(status: AgentStatus): string {
  const { edge, site, role, driver, server, configuration, last_reconciliation, interconnects, unreported } =
    status;
  const { problems, revision } = configuration;
  const lines = [
    `${edge} (${role} at ${site}, ${driver} driver, version ${status.version})`,
    `Server         ${server.url}${server.trouble === null ? "" : `: ${server.trouble}`}`,
    `Configuration  ${configuration.status}, revision ${revision}${problems.length > 0 ? `, ${problems.length} not made` : ""}`,
    ...problems.slice(0, 10).map(({ interconnect, reason }) => `  ${nameOf(status, interconnect)}${reason}`),
  ];
  if (last_reconciliation) {
    const { time, steps, milliseconds } = last_reconciliation;
    lines.push(`Last change    ${time}: ${steps} steps in ${milliseconds.toFixed(0)} ms`);
  }
  if (unreported.items > 0) lines.push(`Not reported   ${unreported.items} (${unreported.dropped} given up)`);
  if (interconnects.length === 0) return lines.join("\n");
  const rows = interconnects.map(({ name, device, state, since, latency, sent, lost, reason }) => [
    name,
    device ?? "-",
    state ?? "unknown",
    since ?? "-",
    latency === null ? "-" : `${latency.toFixed(2)} ms`,
    sent === 0 ? "-" : `${((100 * lost) / sent).toFixed(1)} %`,
    reason,
  ]);
  return [
    ...lines,
    "",
    ...aligned([["NAME", "DEVICE", "HEALTH", "SINCE", "LATENCY", "LOSS", "WHY"], ...rows]),
  ].join("\n");
}

function nameOf({ interconnects }: AgentStatus, id: string | undefined): string {
  if (id === undefined) return "";
  return `${interconnects.find((one) => one.id === id)?.name ?? id}: `;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Of this package. */
function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return String(version);
}
