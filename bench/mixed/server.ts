/** The measured server: the command `patchbay serve` in a process of its own, on a data directory of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Watched } from "./watch.ts";
import { mixedSeed } from "./world.ts";

const root = join(import.meta.dirname, "../..");

export class LoadedServer implements AsyncDisposable {
  readonly url: string;
  readonly metrics: string;
  /** The data directory. Removed on disposal. */
  readonly data: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #errors: string[];

  /** With `profile`, the server also records what its long steps did. */
  static async start(profile: boolean): Promise<LoadedServer> {
    const folder = mkdtempSync(join(process.env["PATCHBAY_BENCH_DIR"] ?? tmpdir(), "patchbay-mixed-"));
    // Also removes the files of an interrupted run.
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
    const seed = join(folder, "seed.yaml");
    writeFileSync(seed, mixedSeed());
    const data = join(folder, "data");
    const options = [
      "--port",
      "0",
      "--metrics-port",
      "0",
      "--rate-limit",
      "999999999",
      "--log-level",
      "error",
    ];
    const child = spawn(
      process.execPath,
      [
        "--import",
        join(import.meta.dirname, "watch.ts"),
        join(root, "bin/patchbay.js"),
        "serve",
        ...options,
        ...["--data", data, "--seed", seed],
      ],
      {
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        env: { ...process.env, PATCHBAY_BENCH_PROFILE: profile ? "1" : "0" },
      },
    );
    const errors: string[] = [];
    child.stderr?.on("data", (chunk: Buffer) => {
      if (errors.length < 1_000) errors.push(String(chunk));
    });
    let greeting = "";
    for await (const chunk of child.stdout ?? []) {
      greeting += String(chunk);
      const url = /answers at (\S+)/.exec(greeting)?.[1];
      const metrics = /metrics +(\S+)/.exec(greeting)?.[1];
      if (url && metrics) return new LoadedServer(child, { folder, data, url, metrics, errors });
    }
    throw new Error(`The server did not start: ${greeting}${errors.join("")}`);
  }

  private constructor(
    child: ChildProcess,
    started: { folder: string; data: string; url: string; metrics: string; errors: string[] },
  ) {
    this.#process = child;
    this.#folder = started.folder;
    this.#errors = started.errors;
    this.url = started.url;
    this.data = started.data;
    this.metrics = started.metrics;
  }

  /** What the server logged at level `error`, and what Node.js wrote to its standard error. */
  get errors(): string {
    return this.#errors.join("");
  }

  /** Figures since the call before. */
  async figures(): Promise<Watched> {
    this.#process.send("figures");
    const [figures] = (await once(this.#process, "message")) as [Watched];
    return figures;
  }

  /** Stops the server as an operator does, and resolves when its process has ended. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
