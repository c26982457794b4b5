/**
 * Makes an account's settings real: looks at the kernel, does what is missing, and nothing where nothing is.
 *
 * What an edge is about to make is written down first, so that whatever ends it leaves nothing that the next one
 * does not find. What somebody else made is neither changed nor removed.
 */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { HealthState } from "../contract/health.ts";
import type { EdgeAccount } from "./account.ts";
import type { EdgeConfig } from "./config.ts";
import { desire } from "./desired/desire.ts";
import type { EdgeProblem } from "./desired/desired.ts";
import { numbersFor } from "./desired/numbers.ts";
import { DEVICE_PREFIX } from "./devices.ts";
import type { TunnelDriver } from "./drivers/driver.ts";
import { KernelDriver } from "./drivers/kernel.ts";
import { UserspaceDriver } from "./drivers/userspace.ts";
import { removeBird } from "./kernel/bird-file.ts";
import { type CarriedOut, carryOut } from "./kernel/carry-out.ts";
import { CommandFailed, type Commands } from "./kernel/commands.ts";
import { MadeFile } from "./kernel/made-file.ts";
import { Monitor } from "./kernel/monitor.ts";
import { BELIEVED, KernelView } from "./kernel/view.ts";
import type { Made } from "./plan/made.ts";
import { type FullPlan, type Plan, plan, refusals } from "./plan/plan.ts";
import type { PlannedStep, Step } from "./plan/step.ts";
import { digest } from "./plan/tables.ts";

export type { EdgeProblem } from "./desired/desired.ts";
export type { Plan } from "./plan/plan.ts";
export type { Step } from "./plan/step.ts";

export interface Outcome {
  /** What was done or tried. */
  readonly steps: readonly Step[];
  /** What is not as it should be. */
  readonly problems: readonly EdgeProblem[];
}

/** Times that the kernel is looked at again: removing one thing may take others along. */
const MOST_ROUNDS = 3;

const NOBODY: EdgeAccount = { epoch: "", revision: 0, interconnects: [], routes: [] };

/** An edge that cannot work on this machine. Its message is a sentence for whoever started it. */
export class EdgeUnavailable extends Error {
  override readonly name = "EdgeUnavailable";
}

interface Applied {
  readonly account: EdgeAccount;
  readonly states: ReadonlyMap<string, HealthState>;
}

export class Reconciler implements AsyncDisposable {
  readonly #config: EdgeConfig;
  readonly #commands: Commands;
  readonly #driver: TunnelDriver;
  readonly #file: MadeFile;
  readonly #view: KernelView;
  readonly #listeners = new Set<() => void>();
  #monitor: Monitor | undefined;
  /** What was last to be real; what would not become so, by its commands. */
  #last: Applied | undefined;
  #failing: ReadonlySet<string> = new Set();
  /** The file for BIRD is about to be taken away, and not to be written first. */
  #removesBird = false;
  /** How many are to be applied before anybody has time to look. */
  #waiting = 0;
  #looking = false;
  #lookAgain = false;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(config: EdgeConfig, commands: Commands, driver: TunnelDriver, file: MadeFile) {
    this.#config = config;
    this.#commands = commands;
    this.#driver = driver;
    this.#file = file;
    this.#view = new KernelView(commands, driver, config);
  }

  /** Throws `EdgeUnavailable` if the driver cannot be had here, or the list of what was made cannot be read. */
  static async open(config: EdgeConfig, commands: Commands): Promise<Reconciler> {
    const driver =
      config.driver === "kernel"
        ? new KernelDriver(commands)
        : new UserspaceDriver(commands, config.stateDirectory);
    const reason = await driver.unavailable();
    if (reason !== undefined) throw new EdgeUnavailable(reason);
    try {
      return new Reconciler(config, commands, driver, await MadeFile.open(config.stateDirectory));
    } catch (error) {
      throw new EdgeUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** What people should be told once about the driver. */
  get notice(): string | undefined {
    return this.#driver.notice;
  }

  /** What `apply` would do. */
  plan(account: EdgeAccount, states: ReadonlyMap<string, HealthState>): Promise<Plan> {
    return this.#inTurn(async () => {
      const { steps, problems } = await this.#plan(account, states, new Map());
      return { steps: steps.map(shown), problems };
    });
  }

  /** Makes it so. What cannot be done is in the outcome; only what nobody foresaw is thrown. */
  apply(account: EdgeAccount, states: ReadonlyMap<string, HealthState>): Promise<Outcome> {
    this.#waiting++;
    const outcome = this.#inTurn(async () => {
      this.#waiting--;
      this.#last = { account, states };
      try {
        return await this.#apply(account, states);
      } catch (error) {
        // A program that is not there, or does not end.
        if (error instanceof CommandFailed) return { steps: [], problems: [{ reason: error.message }] };
        throw error;
      } finally {
        // The next one may come soon, and should find nobody looking.
        this.#monitor?.defer();
      }
    });
    // What was touched is read again before it is asked for.
    this.#inTurn(() => this.#view.refresh(this.#monitor?.hearingSince())).catch(() => undefined);
    return outcome;
  }

  /** Calls when somebody else changed what is ours. */
  onDrift(listener: () => void): Disposable {
    this.#listeners.add(listener);
    this.#monitor ??= new Monitor(this.#commands, {
      heard: (line) => {
        this.#view.heard(line);
        return this.#mayBeOurs(line);
      },
      heardOfTables: () => this.#view.heardOfTables(),
      changed: () => void this.#look(),
    });
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size > 0) return;
        this.#monitor?.[Symbol.dispose]();
        this.#monitor = undefined;
      },
    };
  }

  /** Removes all that was made, and sets back what was set. The list goes last, if nothing is left. */
  clean(): Promise<Outcome> {
    return this.#inTurn(async () => {
      this.#last = undefined;
      const { sysctls, bird } = this.#file.made;
      this.#removesBird = true;
      const { steps, problems } = await this.#apply(NOBODY, new Map()).finally(() => {
        this.#removesBird = false;
      });
      const left: EdgeProblem[] = [...problems];
      const done: Step[] = [...steps];
      const attempt = async (step: Step, act: () => Promise<unknown>) => {
        done.push(step);
        try {
          await act();
        } catch (error) {
          if (!(error instanceof CommandFailed) && !(error instanceof Error && "code" in error)) throw error;
          left.push({ reason: `${step.what} ${error.message}` });
        }
      };
      for (const [key, value] of Object.entries(sysctls)) {
        const set = `${key}=${value}`;
        const what = `Set ${key.replaceAll("/", ".")} back to ${value}.`;
        await attempt({ what, commands: [`sysctl -w ${set}`], interrupts: [] }, () =>
          this.#commands.run("sysctl", ["-q", "-w", set]),
        );
      }
      if (bird !== undefined)
        await attempt({ what: `Remove ${bird}.`, commands: [`rm ${bird}`], interrupts: [] }, () =>
          removeBird(bird, this.#commands, this.#config),
        );
      await this.#driver.end();
      if (left.length === 0) {
        await this.#file.remove();
        await rm(join(this.#config.stateDirectory, "gre.log"), { force: true });
      }
      return { steps: done, problems: left };
    });
  }

  /** What was made stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    await this.#inTurn(() => this.#settle()).catch(() => undefined);
    this.#monitor?.[Symbol.dispose]();
    this.#monitor = undefined;
    await this.#driver[Symbol.asyncDispose]();
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(act);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** `failed`: interconnects that could not be made just now, with the reason. */
  async #plan(
    account: EdgeAccount,
    states: ReadonlyMap<string, HealthState>,
    failed: ReadonlyMap<string, string>,
  ): Promise<FullPlan> {
    // A look at everything compares tables with how they are listed.
    if (!this.#view.remembers(this.#monitor?.hearingSince())) await this.#settle();
    const config = this.#removesBird ? { ...this.#config, bird: undefined } : this.#config;
    const { made } = this.#file;
    const numbers = numbersFor(account, config, made.numbers);
    const wanted = { account, config, states, numbers, without: failed };
    let desired = desire(wanted);
    const actual = await this.#view.look(
      {
        settings: desired.sysctls.map(({ key }) => key),
        rules: desired.rules.length > 0 || Object.keys(made.numbers.given).length > 0,
        tables: Object.keys(made.tables),
      },
      this.#monitor?.hearingSince(),
    );
    const refused = refusals(account, config, desired, actual, made, this.#driver);
    if (refused.size > 0) desired = desire({ ...wanted, without: new Map([...refused, ...failed]) });
    return plan({ desired, actual, made, numbers }, config, this.#driver);
  }

  async #apply(account: EdgeAccount, states: ReadonlyMap<string, HealthState>): Promise<Outcome> {
    const failed = new Map<string, string>();
    const failing = new Set<string>();
    const done: Step[] = [];
    const troubles: EdgeProblem[] = [];
    let problems: readonly EdgeProblem[] = [];
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const full = await this.#plan(account, states, failed);
      problems = full.problems;
      const steps = full.steps.filter((step) => !failing.has(keyOf(step)));
      if (steps.length === 0) {
        if (round === 0) await this.#file.write(full.after, false).catch(() => undefined);
        break;
      }
      try {
        await this.#file.write(full.before, true);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        const reason = `Nothing was changed, since what is made cannot be written down: ${error.message}.`;
        return { steps: done.map(shown), problems: [...problems, ...troubles, { reason }] };
      }
      this.#view.changes(steps);
      const out = await carryOut(steps, this.#commands, this.#driver, this.#config);
      done.push(...steps);
      const made = out.failed.size > 0 ? full.before : full.after;
      await this.#file.write({ ...made, tables: await this.#tablesAfter(made, out.tables) }, false).catch(
        // The list before is still there and says more, which does no harm.
        () => undefined,
      );
      for (const step of out.failed) {
        failing.add(keyOf(step));
        if (step.phase !== "add") continue;
        const reason = out.problems.find(({ interconnect }) =>
          step.interconnects.includes(interconnect ?? ""),
        );
        for (const id of step.interconnects) failed.set(id, reason?.reason ?? step.what);
      }
      troubles.push(...out.problems);
      if (out.failed.size === 0 && !steps.some(({ unsettles }) => unsettles)) break;
    }
    this.#failing = failing;
    return { steps: done.map(shown), problems: once([...problems, ...troubles]) };
  }

  /** With those that were applied just now. Where changes are heard of, how they are listed is seen when it is quiet. */
  async #tablesAfter({ tables }: Made, applied: CarriedOut["tables"]): Promise<Made["tables"]> {
    if (applied.size === 0) return tables;
    const believes = this.#view.remembers(this.#monitor?.hearingSince());
    if (believes) this.#view.believe(applied);
    const listed = believes ? undefined : await this.#view.list([...applied.keys()]);
    const all = { ...tables };
    for (const [table, text] of applied)
      if (text === undefined) delete all[table];
      else all[table] = { text: digest(text), listing: listed?.get(table) ?? BELIEVED };
    return all;
  }

  /** Writes down how the tables that were applied are listed, if nobody changed them since. */
  async #settle(): Promise<void> {
    this.#monitor?.hearingSince();
    const names = this.#view.believed;
    if (names.length === 0) return;
    const listed = new Map(await this.#view.list(names));
    // Whoever came between is found by the next look, which has nothing to compare with.
    this.#monitor?.hearingSince();
    if (this.#view.isUncertainOfTables) return;
    const { made } = this.#file;
    const tables = { ...made.tables };
    for (const name of names) {
      const known = tables[name];
      if (known) tables[name] = { ...known, listing: listed.get(name) ?? BELIEVED };
    }
    await this.#file.write({ ...made, tables }, false).catch(() => undefined);
  }

  #mayBeOurs(line: string): boolean {
    if (line.includes(DEVICE_PREFIX) || line.includes("proto 190") || line.includes("patchbay")) return true;
    if (line.includes("fwmark")) return true;
    for (const device of this.#config.map.values()) if (line.includes(device)) return true;
    return false;
  }

  /** Something changed. Is there anything to do that was not tried in vain already? One look at a time. */
  async #look(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    try {
      do {
        this.#lookAgain = false;
        const differs = await this.#inTurn(async () => {
          if (this.#waiting === 0) await this.#settle().catch(() => undefined);
          if (this.#waiting === 0) return this.#last && (await this.#differs(this.#last));
          this.#monitor?.touch();
          return false;
        });
        if (differs) for (const listener of this.#listeners) listener();
      } while (this.#lookAgain);
    } finally {
      this.#looking = false;
    }
  }

  async #differs({ account, states }: Applied): Promise<boolean> {
    try {
      const { steps } = await this.#plan(account, states, new Map());
      return steps.some((step) => !this.#failing.has(keyOf(step)));
    } catch {
      // Whoever applies is told why.
      return true;
    }
  }
}

function shown({ what, commands, interrupts }: Step): Step {
  return { what, commands, interrupts };
}

function keyOf({ commands }: PlannedStep): string {
  return commands.join("\n");
}

/** The first of an interconnect tells; others follow from it. */
function once(problems: readonly EdgeProblem[]): readonly EdgeProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ interconnect, reason }) => {
    const key = interconnect === undefined ? reason : `${interconnect} ${reason}`;
    return !seen.has(key) && seen.add(key);
  });
}
