/**
 * What is known of the kernel, in parts. What was heard of, or was changed by the edge itself, is read again; the rest
 * is remembered, since one change of a thousand interconnects must not cost a look at them all.
 */

import { performance } from "node:perf_hooks";
import type { EdgeConfig } from "../config.ts";
import { ROUTE_PROTOCOL, type Rule } from "../desired/desired.ts";
import { DEVICE_PREFIX } from "../devices.ts";
import type { Link, TunnelDriver } from "../drivers/driver.ts";
import type { Actual, ActualRoute } from "../plan/actual.ts";
import type { PlannedStep } from "../plan/step.ts";
import { readBird } from "./bird-file.ts";
import type { Commands } from "./commands.ts";
import { type Device, listing, readDevices, readRoutes, readRules, readSettings } from "./reading.ts";

/** Milliseconds after which everything is read anyway: of the kernel's settings nobody tells. */
const MOST_REMEMBERED = 30_000;
/** From so many devices on, all are read at once. */
const MANY = 48;

/** What is looked at besides devices, addresses and routes. */
export interface Wanted {
  /** Settings of the kernel, with slashes. */
  readonly settings: readonly string[];
  readonly rules: boolean;
  /** Tables of nftables. */
  readonly tables: readonly string[];
}

/** Instead of a digest: a table is as it was applied. */
export const BELIEVED = "";

/** What is not known any more. */
interface Stale {
  devices: Set<string> | "all";
  routes: boolean;
  rules: boolean;
  tables: boolean;
}

export class KernelView {
  readonly #commands: Commands;
  readonly #driver: TunnelDriver;
  readonly #config: Pick<EdgeConfig, "bird" | "stateDirectory">;
  #stale: Stale = everything();
  /** When all was read last. */
  #wholeAt = Number.NEGATIVE_INFINITY;
  readonly #links = new Map<string, Link>();
  readonly #addresses = new Map<string, ReadonlySet<string>>();
  #routes: readonly ActualRoute[] = [];
  #rules: readonly Rule[] | undefined;
  /** Digests; `undefined` of a table that is not there. */
  readonly #tables = new Map<string, string | undefined>();
  readonly #settings = new Map<string, string | undefined>();
  /** Of the last look. */
  #wanted: Wanted | undefined;

  constructor(commands: Commands, driver: TunnelDriver, config: Pick<EdgeConfig, "bird" | "stateDirectory">) {
    this.#commands = commands;
    this.#driver = driver;
    this.#config = config;
  }

  /** A line of `ip -o monitor label`, about anybody's. */
  heard(line: string): void {
    const [, kind, text = ""] = /^\[(\w+)\](?:Deleted )?(.*)$/.exec(line) ?? [];
    const device = /^\d+: +([^\s:@]+)/.exec(text)?.[1];
    if (kind === "RULE") this.#stale.rules = true;
    else if (kind === "ROUTE") this.#stale.routes ||= text.includes(`proto ${ROUTE_PROTOCOL}`);
    else if ((kind === "LINK" || kind === "ADDR") && device !== undefined) {
      this.#markDevice(device);
      // Of the routes that go with a device that goes down the kernel tells nothing.
      if (kind === "LINK" && (line.includes("]Deleted") || !/<[^>]*\bUP\b[^>]*>/.test(text)))
        this.#stale.routes = true;
    } else this.#stale = { ...everything(), tables: this.#stale.tables };
  }

  /** A table of nftables is another. */
  heardOfTables(): void {
    this.#stale.tables = true;
  }

  /** The edge itself is about to do these: nothing is looked at before it did. */
  changes(steps: readonly PlannedStep[]): void {
    for (const { action } of steps)
      if (action.kind === "ip") for (const line of action.lines) this.#changedBy(line);
      else if (action.kind === "setting") this.#settings.delete(action.key);
      else if (action.kind === "table") this.#stale.tables = true;
  }

  /**
   * The kernel as it is. `hearing`: since when every change is heard of (a time of `performance.now`); of what was read
   * before, or if nobody listens, nothing is remembered. Not to be called again before it ended.
   */
  async look(wanted: Wanted, hearing: number | undefined): Promise<Actual> {
    const began = performance.now();
    const remembers = this.remembers(hearing);
    this.#wanted = wanted;
    if (!remembers) this.#forgetAll();
    const stale = this.#stale;
    this.#stale = { devices: new Set(), routes: false, rules: false, tables: false };
    try {
      const devices = this.#readDevices(stale.devices);
      const [, , , , bird, carried] = await Promise.all([
        stale.routes
          ? this.#readRoutes()
          : devices.then((differ) => (differ ? this.#readRoutes() : undefined)),
        this.#readRules(wanted.rules, stale.rules),
        this.#readTables(wanted.tables, stale.tables),
        this.#readSettings(wanted.settings, stale.devices),
        readBird(this.#config),
        devices.then((differ) => this.#driver.carried(this.#links, differ)),
      ]);
      if (!remembers) this.#wholeAt = began;
      return {
        links: this.#links,
        addresses: this.#addresses,
        routes: this.#routes,
        rules: this.#rules ?? [],
        tables: this.#tables,
        sysctls: this.#settings,
        carried,
        bird,
      };
    } catch (error) {
      this.#forgetAll();
      throw error;
    }
  }

  /** Reads a few devices again, if nothing else is to be read. */
  async refresh(hearing: number | undefined): Promise<void> {
    if (!this.#wanted || !this.remembers(hearing) || this.#stale.devices === "all") return;
    if (this.#stale.devices.size > 0) await this.look(this.#wanted, hearing);
  }

  /** Will the next look read only what changed? */
  remembers(hearing: number | undefined): boolean {
    if (hearing === undefined || this.#wholeAt <= hearing) return false;
    return performance.now() - this.#wholeAt < MOST_REMEMBERED;
  }

  /**
   * Tables that were applied just now are so, and those that were removed are gone, until something is heard of one.
   * What was heard until now may have been about others too, which are listed again.
   */
  believe(applied: ReadonlyMap<string, string | undefined>): void {
    this.#stale.tables = false;
    this.#tables.clear();
    for (const [name, text] of applied) this.#tables.set(name, text === undefined ? undefined : BELIEVED);
  }

  get believed(): readonly string[] {
    if (this.#stale.tables) return [];
    return [...this.#tables].flatMap(([name, text]) => (text === BELIEVED ? [name] : []));
  }

  /** Was something heard of tables that was not looked at yet? */
  get isUncertainOfTables(): boolean {
    return this.#stale.tables;
  }

  /** Lists tables now. */
  async list(names: readonly string[]): Promise<ReadonlyMap<string, string | undefined>> {
    for (const name of names) this.#tables.delete(name);
    await this.#readTables(names, false);
    return this.#tables;
  }

  #forgetAll(): void {
    this.#stale = everything();
    this.#wholeAt = Number.NEGATIVE_INFINITY;
  }

  #markDevice(name: string): void {
    const { devices } = this.#stale;
    if (devices === "all") return;
    // One that is not known may be new, or one that is known may have got another name.
    if (this.#links.has(name) && devices.size < MANY) devices.add(name);
    else this.#stale.devices = "all";
  }

  #changedBy(line: string): void {
    const [kind, ...words] = line.split(" ").filter((word) => word !== "-6");
    if (kind === "rule") this.#stale.rules = true;
    else if (kind === "route") this.#stale.routes = true;
    else {
      const devices = words.filter((word) => word.startsWith(DEVICE_PREFIX) || this.#links.has(word));
      for (const device of devices) this.#markDevice(device);
      if (devices.length === 0) this.#stale.devices = "all";
      // All other changes of a device may take routes along.
      if (!/^link set dev \S+ (mtu \d+|alias ".*")$/.test(line)) this.#stale.routes = true;
    }
  }

  /** Resolves with whether routes may have gone along with what changed. */
  async #readDevices(stale: ReadonlySet<string> | "all"): Promise<boolean> {
    if (stale === "all") {
      const found = await readDevices(this.#commands);
      this.#links.clear();
      this.#addresses.clear();
      for (const [name, device] of found) this.#keep(name, device);
      return true;
    }
    if (stale.size === 0) return false;
    const found = await readDevices(this.#commands, [...stale]);
    let differ = false;
    for (const name of stale) {
      const before = { link: this.#links.get(name), addresses: this.#addresses.get(name) };
      const now = found.get(name);
      differ ||= before.link?.up !== now?.link.up || !sameSet(before.addresses, now?.addresses);
      this.#keep(name, now);
    }
    return differ;
  }

  #keep(name: string, device: Device | undefined): void {
    if (device) {
      this.#links.set(name, device.link);
      this.#addresses.set(name, device.addresses);
    } else {
      this.#links.delete(name);
      this.#addresses.delete(name);
    }
  }

  async #readRoutes(): Promise<void> {
    this.#routes = await readRoutes(this.#commands);
  }

  async #readRules(wanted: boolean, stale: boolean): Promise<void> {
    if (wanted && (stale || !this.#rules)) this.#rules = await readRules(this.#commands);
    else if (stale) this.#rules = undefined;
  }

  async #readTables(wanted: readonly string[], stale: boolean): Promise<void> {
    if (stale) this.#tables.clear();
    const missing = wanted.filter((table) => !this.#tables.has(table));
    const listed = missing.map(async (table) => [table, await listing(this.#commands, table)] as const);
    for (const [table, text] of await Promise.all(listed)) this.#tables.set(table, text);
  }

  async #readSettings(wanted: readonly string[], stale: ReadonlySet<string> | "all"): Promise<void> {
    const parts = stale === "all" ? [] : [...stale].map((device) => `/${device}/`);
    const isKnown = (key: string) =>
      stale !== "all" && this.#settings.has(key) && !parts.some((part) => key.includes(part));
    const missing = wanted.filter((key) => !isKnown(key));
    const found = await readSettings(this.#commands, missing);
    for (const key of missing) this.#settings.set(key, found.get(key));
  }
}

function everything(): Stale {
  return { devices: "all", routes: true, rules: true, tables: true };
}

function sameSet(one: ReadonlySet<string> | undefined, other: ReadonlySet<string> | undefined): boolean {
  return one?.size === other?.size && [...(one ?? [])].every((item) => other?.has(item));
}
