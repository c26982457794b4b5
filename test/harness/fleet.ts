/** Several servers, each a process of its own, on one database. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Running, serve } from "./command.ts";
import type { Chance } from "./random.ts";

/** Ends a process when the pipe to it ends: with the test's own, however that goes. */
const GUARDIAN = 'read -r _; kill -KILL "$1" 2> /dev/null';

export class Fleet {
  readonly #args: readonly string[];
  readonly #servers: (Running | undefined)[];

  /** Starts servers at the same time. `database` is the address by which each of them reaches it. */
  static async start(databases: readonly string[], args: readonly string[]): Promise<Fleet> {
    const fleet = new Fleet(databases, args);
    await Promise.all(databases.keys().map((number) => fleet.start(number)));
    return fleet;
  }

  readonly #databases: readonly string[];

  private constructor(databases: readonly string[], args: readonly string[]) {
    this.#databases = databases;
    this.#args = args;
    this.#servers = databases.map(() => undefined);
  }

  /** Starts one that is not there. */
  async start(number: number): Promise<void> {
    const usual = ["--port", "0", "--metrics-port", "off", "--log-level", "silent"];
    const database = this.#databases[number] ?? "";
    const server = await serve([...usual, "--database", database, ...this.#args]);
    this.#servers[number] = server;
    guard(server);
  }

  /** Kills one where it stands. */
  async kill(number: number): Promise<void> {
    const server = this.#servers[number];
    this.#servers[number] = undefined;
    await server?.end("SIGKILL");
  }

  get numbers(): number[] {
    return [...this.#servers.keys()];
  }

  isThere(number: number): boolean {
    return this.#servers[number] !== undefined;
  }

  /** Where one of them answers. */
  url(number: number): string {
    const server = this.#servers[number];
    if (!server) throw new Error(`Server ${number} is not there.`);
    return server.url;
  }

  /** Where any of those answers that are there; `undefined` if none is. */
  any(chance: Chance): string | undefined {
    const there = this.#servers.filter((server) => server !== undefined);
    return there.length === 0 ? undefined : chance.pick(there).url;
  }
}

function guard({ process: server }: Running): void {
  const guardian = spawn("/bin/sh", ["-c", GUARDIAN, "guardian", String(server.pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guardian.unref();
  const { stdin } = guardian;
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  // Its number may be another's soon.
  void once(server, "exit").then(() => guardian.kill("SIGKILL"));
}
