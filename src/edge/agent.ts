/**
 * The agent: follows the account, makes the kernel as it says, watches what it made, and tells the server. Nothing that
 * becomes of the server changes the kernel.
 */

import type { Logger } from "pino";
import type { EdgeConfiguration, HealthState } from "../contract/health.ts";
import type { EdgeAccount, EdgeInterconnect } from "./account.ts";
import { deviceOf } from "./devices.ts";
import { Client } from "./follow/client.ts";
import { followByPolling } from "./follow/cloudflare.ts";
import { followedPart } from "./follow/followed-part.ts";
import { onlyAccount } from "./follow/only-account.ts";
import { type Follower, followPatchbay } from "./follow/patchbay.ts";
import { Pauses } from "./follow/pauses.ts";
import { keepAccount, readKeptAccount } from "./kept-account.ts";
import { keepHealth, readKeptHealth } from "./kept-health.ts";
import { Commands } from "./kernel/commands.ts";
import { giveBack } from "./memory.ts";
import type { EdgeOptions } from "./options.ts";
import { portsOf } from "./ports.ts";
import { type ProbeTarget, probeTargets, unwatched } from "./probe/targets.ts";
import { Reconciler } from "./reconciler.ts";
import { Reporter, type Standing } from "./report/reporter.ts";
import { type Item, Spool } from "./report/spool.ts";
import { type AgentStatus, StatusServer } from "./status.ts";
import { Watch, type WatchedState } from "./watch.ts";

/** Milliseconds after which the kernel is looked at again though nothing was heard of a change. */
const LOOK_EVERY = 30_000;
/** Milliseconds until what failed as a whole is tried again. */
const RETRY = 5_000;
/** Milliseconds between two looks for minutes that are over. */
const MINUTES_EVERY = 5_000;
/** After so many steps memory is given back, if no others follow for so many milliseconds. */
const MANY_STEPS = 100;
const GIVE_BACK_AFTER = 5_000;

const NOTHING: EdgeAccount = { epoch: "", revision: 0, interconnects: [], routes: [] };

interface Parts {
  readonly reconciler: Reconciler;
  readonly watch: Watch;
  readonly spool: Spool;
  /** Health as it was when the last agent ended. */
  readonly before: ReadonlyMap<string, WatchedState>;
}

export class Agent implements AsyncDisposable {
  readonly #options: EdgeOptions;
  readonly #log: Logger;
  readonly #version: string;
  readonly #closing = new AbortController();
  readonly #open = new AsyncDisposableStack();
  readonly #reconciler: Reconciler;
  readonly #watch: Watch;
  readonly #spool: Spool;
  /** Counts until they are watched again. */
  #before: ReadonlyMap<string, WatchedState>;
  #reporter: Reporter | undefined;
  #id: string | undefined;
  /** What is wanted; before anything is known, nothing is touched. */
  #wanted: EdgeAccount | undefined;
  #kept: EdgeAccount | undefined;
  #configuration: EdgeConfiguration = { status: "modified", epoch: "", revision: 0, problems: [] };
  #trouble: string | undefined = "not asked yet";
  #last: AgentStatus["last_reconciliation"] = null;
  #due = false;
  #keeping: NodeJS.Timeout | undefined;
  #givingBack: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: EdgeOptions, log: Logger, version: string, parts: Parts) {
    this.#options = options;
    this.#log = log;
    this.#version = version;
    this.#reconciler = parts.reconciler;
    this.#watch = parts.watch;
    this.#spool = parts.spool;
    this.#before = parts.before;
  }

  /** Starts it: what was made real last is made so again before the server is asked. Throws `EdgeRefused`. */
  static async start(options: EdgeOptions, log: Logger, version: string): Promise<Agent> {
    const { edge } = options;
    await using opened = new AsyncDisposableStack();
    let agent: Agent | undefined;
    const status = () => agent?.status ?? starting(options, version);
    opened.use(await StatusServer.open(edge.stateDirectory, options.metricsPort, status));
    const commands = new Commands();
    const reconciler = opened.use(await Reconciler.open(edge, commands));
    const before = readKeptHealth(edge.stateDirectory);
    const watch = opened.use(
      new Watch({
        commands,
        healthTimeScale: edge.healthTimeScale,
        before,
        log: (message, error) => log.error({ err: error }, message),
      }),
    );
    const spool = new Spool(edge.stateDirectory, (sentence) => log.error(sentence));
    agent = new Agent(options, log, version, { reconciler, watch, spool, before });
    if (reconciler.notice !== undefined) log.warn(reconciler.notice);
    agent.#open.use(opened.move());
    await agent.#begin();
    return agent;
  }

  async #begin(): Promise<void> {
    const { edge, account } = this.#options;
    this.#open.use(
      this.#watch.onTransition((transition) => {
        const { interconnect: id, from, to, reason } = transition;
        const interconnect = this.#wanted?.interconnects.find((one) => one.id === id)?.name ?? id;
        this.#log[to === "healthy" ? "info" : "warn"]({ interconnect, from, to, reason }, "health changed");
        this.#keepHealthSoon();
        this.#tell([{ kind: "transition", value: transition }]);
        if (edge.role === "provider") void this.#reconcileSoon();
      }),
    );
    const kept = await readKeptAccount(edge.stateDirectory);
    if (kept && (account === undefined || kept.id === account)) {
      this.#id = kept.id;
      this.#wanted = this.#kept = kept.account;
      await this.#reconcileSoon();
    }
    this.#open.use(this.#reconciler.onDrift(() => this.#drifted()));
    this.#every(LOOK_EVERY, () => void this.#reconcileSoon());
    this.#every(MINUTES_EVERY, () =>
      this.#tell(this.#watch.takeMinutes().map((value) => ({ kind: "minute", value }))),
    );
    const following = this.#follow();
    this.#open.defer(() => following);
  }

  /** What is seen goes to the server, or waits for it. An API that is polled takes no reports. */
  #tell(items: readonly Item[]): void {
    if (items.length === 0) return;
    if (this.#reporter) this.#reporter.tell(items);
    else if (this.#options.poll === undefined) this.#spool.add(items);
  }

  #every(milliseconds: number, act: () => void): void {
    const timer = setInterval(act, milliseconds);
    this.#open.defer(() => clearInterval(timer));
  }

  #drifted(): void {
    void this.#reconcileSoon();
    // A port may have lost its signal.
    this.#reporter?.tell();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    const { server, token, poll } = this.#options;
    const follower: Follower = {
      account: (account) => {
        this.#wanted = account;
        void this.#reconcileSoon();
      },
      reached: (trouble) => this.#reached(trouble),
    };
    const id = await this.#findAccount(signal);
    if (id === undefined) return;
    this.#id = id;
    const client = new Client({ server, token, account: id });
    if (poll !== undefined) return followByPolling(client, poll, follower, signal);
    this.#reporter = new Reporter({
      client,
      spool: this.#spool,
      standing: () => this.#standing(),
      heard: (trouble) => this.#heard(trouble),
    });
    await followPatchbay(client, follower, signal);
    await this.#reporter[Symbol.asyncDispose]();
  }

  /** The account that was named, that was followed before, or the only one that the token opens. */
  async #findAccount(signal: AbortSignal): Promise<string | undefined> {
    const known = this.#options.account ?? this.#id;
    if (known !== undefined) return known;
    const pauses = new Pauses();
    const client = new Client({ ...this.#options, account: "" });
    while (!signal.aborted) {
      try {
        return await onlyAccount(client, signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#reached(error instanceof Error ? error.message : String(error));
        await pauses.after(error, signal);
      }
    }
    return undefined;
  }

  #reached(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    if (trouble === undefined) this.#log.info({ server: this.#options.server }, "the server answers");
    else this.#log.warn({ server: this.#options.server, trouble }, "the server is away; what was made stays");
    this.#trouble = trouble;
  }

  #reportTrouble: string | undefined;

  #heard(trouble: string | undefined): void {
    if (trouble !== this.#reportTrouble && trouble !== undefined)
      this.#log.warn({ trouble, waiting: this.#spool.size }, "what is seen cannot be reported; it is kept");
    this.#reportTrouble = trouble;
  }

  /** Makes the kernel as the newest account says; those who ask meanwhile share the next run. */
  #reconcileSoon(): Promise<void> {
    this.#due = true;
    this.#running ??= this.#reconcileWhileDue().finally(() => {
      this.#running = undefined;
      // It became due after it was last looked whether it is.
      if (this.#due && !this.#closing.signal.aborted) void this.#reconcileSoon();
    });
    return this.#running;
  }

  async #reconcileWhileDue(): Promise<void> {
    while (this.#due && !this.#closing.signal.aborted) {
      this.#due = false;
      await this.#reconcile();
    }
  }

  async #reconcile(): Promise<void> {
    const wanted = this.#wanted;
    if (!wanted) return;
    const account = followedPart(wanted, this.#options);
    const { epoch, revision } = account;
    const targets = probeTargets(account, this.#options.edge);
    const began = performance.now();
    try {
      const { steps, problems } = await this.#reconciler.apply(account, this.#statesOf(targets));
      const milliseconds = performance.now() - began;
      const known = new Set(problems.map(({ interconnect }) => interconnect));
      const alsoNot = unwatched(account, this.#options.edge).filter(
        ({ interconnect }) => !known.has(interconnect),
      );
      const told = [...problems, ...alsoNot].slice(0, 1000);
      if (steps.length >= MANY_STEPS) this.#giveBackSoon();
      if (steps.length > 0 || !this.#last) {
        this.#last = { time: new Date().toISOString(), milliseconds, steps: steps.length };
        this.#log.info(
          {
            revision,
            steps: steps.slice(0, 20).map(({ what }) => what),
            more: Math.max(0, steps.length - 20),
            milliseconds,
          },
          steps.length > 0 ? "made it so" : "it is as it should be",
        );
      }
      this.#settled({ status: told.length > 0 ? "error" : "applied", epoch, revision, problems: told });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#settled({ status: "error", epoch, revision, problems: [{ reason: reason.slice(0, 500) }] });
      const again = setTimeout(() => void this.#reconcileSoon(), RETRY);
      this.#closing.signal.addEventListener("abort", () => clearTimeout(again), { once: true });
    }
    this.#watch.set(targets);
    this.#before = new Map();
    this.#keep(wanted);
  }

  #giveBackSoon(): void {
    clearTimeout(this.#givingBack);
    this.#givingBack = setTimeout(giveBack, GIVE_BACK_AFTER).unref();
  }

  #settled(configuration: EdgeConfiguration): void {
    const before = this.#configuration;
    this.#configuration = configuration;
    const same = JSON.stringify(before) === JSON.stringify(configuration);
    if (!same && configuration.problems.length > 0)
      this.#log.error(
        { revision: configuration.revision, problems: configuration.problems.slice(0, 20) },
        "not all could be made",
      );
    if (!same) this.#reporter?.tell([], true);
  }

  /** What is known of health; before they are watched again, what the last agent knew. */
  get #known(): ReadonlyMap<string, WatchedState> {
    return this.#before.size === 0 ? this.#watch.states : new Map([...this.#before, ...this.#watch.states]);
  }

  /** As far as is known, of those that are to be watched: what is not watched any more has no state. */
  #statesOf(targets: readonly ProbeTarget[]): ReadonlyMap<string, HealthState> {
    const known = this.#known;
    return new Map(
      targets.flatMap(({ interconnect }) => {
        const one = known.get(interconnect);
        return one ? [[interconnect, one.state] as const] : [];
      }),
    );
  }

  /** Not waited for: what comes next is made real meanwhile. The newest is written, one at a time. */
  #keep(account: EdgeAccount): void {
    if (account === this.#kept) return;
    this.#kept = account;
    this.#writing = this.#writing.then(() => this.#write(account));
  }

  async #write(account: EdgeAccount): Promise<void> {
    if (account !== this.#kept || this.#id === undefined) return;
    try {
      await keepAccount(this.#options.edge.stateDirectory, { id: this.#id, account });
    } catch (error) {
      this.#kept = undefined;
      this.#log.error(
        { err: error },
        "the configuration cannot be kept on disk: a restart would begin without it",
      );
    }
  }

  /** Many change together when a cable is cut: they are written once. */
  #keepHealthSoon(): void {
    this.#keeping ??= setTimeout(() => {
      this.#keeping = undefined;
      this.#keepHealth();
    }, 50);
  }

  #keepHealth(): void {
    try {
      keepHealth(this.#options.edge.stateDirectory, this.#known);
    } catch (error) {
      this.#log.error({ err: error }, "health cannot be kept on disk: a restart would begin without it");
    }
  }

  #standing(): Standing {
    const { name, site, role, driver } = this.#options.edge;
    const states = [...this.#known].map(([interconnect, state]) => ({ interconnect, ...state }));
    return {
      edge: name,
      site,
      role,
      driver,
      version: this.#version,
      configuration: this.#configuration,
      ports: portsOf(this.#wanted?.interconnects ?? [], this.#options.edge),
      states,
    };
  }

  get status(): AgentStatus {
    const states = this.#known;
    const interconnects = followedPart(this.#wanted ?? NOTHING, this.#options).interconnects;
    return {
      ...starting(this.#options, this.#version),
      server: { url: this.#options.server, trouble: this.#trouble ?? this.#reportTrouble ?? null },
      account: this.#id ?? null,
      configuration: this.#configuration,
      last_reconciliation: this.#last,
      interconnects: interconnects.map((one) => this.#statusOf(one, states)),
      unreported: { items: this.#spool.size, dropped: this.#spool.dropped },
    };
  }

  #statusOf(
    interconnect: EdgeInterconnect,
    states: ReadonlyMap<string, WatchedState>,
  ): AgentStatus["interconnects"][number] {
    const { id, name, healthCheck } = interconnect;
    const device = deviceOf(interconnect, this.#options.edge);
    const known = states.get(id);
    const { sent, lost } = this.#watch.countsOf(id);
    return {
      id,
      name,
      device: device ?? null,
      state: known?.state ?? null,
      since: known?.since ?? null,
      reason: known?.reason ?? (healthCheck.enabled ? "no probe has come back yet" : "health checks are off"),
      latency: this.#watch.latestRoundTrip(id) ?? null,
      sent,
      lost,
    };
  }

  /** Ends the agent. What it made stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#givingBack);
    await this.#running;
    await this.#writing;
    if (this.#keeping) {
      clearTimeout(this.#keeping);
      this.#keepHealth();
    }
    await this.#open.disposeAsync();
  }
}

function starting({ edge, server }: EdgeOptions, version: string): AgentStatus {
  const { name, site, role, driver } = edge;
  return {
    edge: name,
    site,
    role,
    driver,
    version,
    server: { url: server, trouble: "not asked yet" },
    account: null,
    configuration: { status: "modified", epoch: "", revision: 0, problems: [] },
    last_reconciliation: null,
    interconnects: [],
    unreported: { items: 0, dropped: 0 },
  };
}
