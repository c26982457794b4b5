/** BIRD 2 in a host of a test's network: a configuration that includes what an edge writes. */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Host } from "./namespaces.ts";

export class Bird {
  readonly host: Host;
  /** The file that the edge writes, and the socket that BIRD is told by. */
  readonly include: string;
  readonly control: string;
  readonly #config: string;
  #child: ChildProcess | undefined;
  /** Everything it said. */
  said = "";

  /** `about` is the operator's own part of the configuration. */
  constructor(host: Host, directory: string, name: string, about: string) {
    this.host = host;
    this.include = join(directory, `${name}-sessions.conf`);
    this.control = join(directory, `${name}.ctl`);
    this.#config = join(directory, `${name}.conf`);
    // As at an operator's: there before the edge has ever run.
    writeFileSync(this.include, "");
    const head = 'log stderr all;\ntimeformat protocol "%s.%6f";\nprotocol device { }\n';
    writeFileSync(this.#config, `${head}${about}\ninclude "${this.include}";\n`);
  }

  async start(): Promise<void> {
    const args = ["-f", "-c", this.#config, "-s", this.control, "-P", `${this.control}.pid`];
    const child = this.host.spawn("bird", args);
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.said += text;
    });
    const deadline = performance.now() + 10_000;
    while (!(await this.ask("show", "status").catch(() => undefined))) {
      if (performance.now() > deadline || child.exitCode !== null) throw new Error(this.said);
      await setTimeout(20);
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    const ended = once(child, "close");
    child.kill();
    await ended;
  }

  ask(...words: readonly string[]): Promise<string> {
    return this.host.commands.run("birdc", ["-s", this.control, ...words]);
  }

  /** The sessions of BGP: the state of each, and since when it is so, in seconds since 1970. */
  async sessions(): Promise<
    readonly { readonly name: string; readonly since: number; readonly info: string }[]
  > {
    const text = await this.ask("show", "protocols");
    return text.split("\n").flatMap((line) => {
      const [name = "", protocol, , , since = "", ...info] = line.trim().split(/\s+/);
      return protocol === "BGP" ? [{ name, since: Number(since), info: info.join(" ") }] : [];
    });
  }
}
