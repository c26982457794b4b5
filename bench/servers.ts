/** Starts servers to be measured, each on the first processor where that can be chosen. */

import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Told } from "./child.ts";
import { TOKEN } from "./world.ts";

const canPin = process.platform === "linux" && spawnSync("taskset", ["-V"]).status === 0;

export class MeasuredServer {
  readonly port: number;
  /** Milliseconds from the start of the process until it listened. */
  readonly readyMs: number;
  /** Bytes, right after the start. */
  readonly rss: number;
  readonly #process: ChildProcess;

  static async start(kind: string, argument = ""): Promise<MeasuredServer> {
    const env = { ...process.env, PATCHBAY_BENCH_TOKEN: TOKEN };
    const child = fork(join(import.meta.dirname, "child.ts"), [kind, argument], { env });
    if (canPin) spawnSync("taskset", ["-a", "-p", "-c", "0", String(child.pid)]);
    const [told] = (await once(child, "message")) as [Told];
    if (!("port" in told)) throw new Error("The server told no port.");
    return new MeasuredServer(child, told);
  }

  private constructor(child: ChildProcess, told: Extract<Told, { port: number }>) {
    this.#process = child;
    this.port = told.port;
    this.readyMs = told.readyMs;
    this.rss = told.rss;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Seconds of processor time so far. */
  async cpu(): Promise<number> {
    this.#process.send("cpu");
    const [told] = (await once(this.#process, "message")) as [Told];
    return "cpu" in told ? told.cpu : Number.NaN;
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.disconnect();
    await exited;
  }
}

/** Keeps this process, which makes the load, off the server's processor. */
export function pinLoad(): void {
  if (canPin) spawnSync("taskset", ["-a", "-p", "-c", "1", String(process.pid)]);
}
