/** An operator at a shell: the command with an environment of its own, with a terminal or without. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { BIN, ROOT } from "./command.ts";
import { ACCOUNT, demo } from "./server.ts";
import { temporaryDirectory } from "./temporary.ts";

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a command is to speak to; a server of the tests, or the double of the vendor's. */
export interface Place {
  readonly url: string;
  readonly account?: string;
  readonly token?: string;
}

/** util-linux's `script` gives a command a terminal; it is part of every Debian, but not of every system. */
export const canDraw = spawnSync("script", ["--version"]).status === 0;

export class Operator {
  readonly home = temporaryDirectory();
  readonly #env: Record<string, string>;

  /** Speaks to a place by the environment, or to none. */
  constructor(place?: Place, env: Readonly<Record<string, string>> = {}) {
    const { url, account = ACCOUNT, token = demo.token } = place ?? { url: "" };
    const named = {
      CLOUDFLARE_BASE_URL: `${url}/client/v4`,
      CLOUDFLARE_ACCOUNT_ID: account,
      CLOUDFLARE_API_TOKEN: token,
    };
    const path = process.env["PATH"] ?? "";
    this.#env = { PATH: path, HOME: this.home, TERM: "xterm", ...(place ? named : {}), ...env };
  }

  /** Runs the command to its end; `input` is what its stdin holds. */
  async run(args: readonly string[], input = "", env: Readonly<Record<string, string>> = {}): Promise<Said> {
    const child = spawn(process.execPath, [BIN, ...args], { cwd: ROOT, env: { ...this.#env, ...env } });
    onTestFinished(() => void child.kill("SIGKILL"));
    const said = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said.stderr += text;
    });
    // A command that does not read its input may be gone before all of it was written.
    child.stdin.on("error", () => undefined).end(input);
    const [code] = await once(child, "close");
    return { code: typeof code === "number" ? code : null, ...said };
  }

  /** What a command that must succeed tells as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  async json(args: readonly string[]): Promise<any> {
    const said = await this.run([...args, "--json"]);
    if (said.code !== 0)
      throw new Error(`${args.join(" ")} ended with ${said.code}: ${said.stderr}${said.stdout}`);
    return JSON.parse(said.stdout);
  }

  /**
   * Runs the command at a terminal. `answers`: what is typed once the words before it are on the screen, in turn; a
   * function does something before it types.
   */
  async draw(
    args: readonly string[],
    answers: readonly (readonly [seen: string, typed: string | (() => Promise<string>)])[] = [],
  ): Promise<{ readonly code: number | null; readonly screen: string }> {
    const command = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(" ");
    const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: ROOT, env: this.#env });
    onTestFinished(() => void child.kill("SIGKILL"));
    let screen = "";
    let looked = 0;
    const waiting = [...answers];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      screen += text;
      const [next] = waiting;
      if (!next) return;
      const at = screen.indexOf(next[0], looked);
      if (at < 0) return;
      looked = at + next[0].length;
      waiting.shift();
      const [, typed] = next;
      if (typeof typed === "string") child.stdin.write(typed);
      else void typed().then((text) => child.stdin.write(text));
    });
    const [code] = await once(child, "close");
    return { code: typeof code === "number" ? code : null, screen: screen.replaceAll("\r\n", "\n") };
  }
}
