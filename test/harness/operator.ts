/** An operator at a shell: the command with an environment of its own, with a terminal or without. */

import { afterAll, beforeAll, beforeEach } from "vitest";
import { openAtTerminalIn, type RunningHere, runIn, type Said, startAtTerminalIn, startIn } from "./cli.ts";
import { ACCOUNT, demo, startTestServer, type TestServer } from "./server.ts";
import { temporaryDirectory } from "./temporary.ts";

/** Where a command is to speak to; a server of the tests, or the double of the vendor's. */
export interface Place {
  readonly url: string;
  readonly account?: string;
  readonly token?: string;
}

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

  /** Runs the command to its end in the test's own process. `input` is its stdin. */
  run(args: readonly string[], input = "", env: Readonly<Record<string, string>> = {}): Promise<Said> {
    return runIn({ ...this.#env, ...env }, args, input);
  }

  /** Runs the command to its end as a process. */
  async runProcess(
    args: readonly string[],
    input = "",
    env: Readonly<Record<string, string>> = {},
  ): Promise<Said> {
    const { child, ended } = startIn({ ...this.#env, ...env }, args);
    // A command that does not read its input may be gone before all of it was written.
    child.stdin?.on("error", () => undefined).end(input);
    return ended;
  }

  /** What a command that must succeed tells as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  async json(args: readonly string[]): Promise<any> {
    const said = await this.run([...args, "--json"]);
    if (said.code !== 0)
      throw new Error(`${args.join(" ")} ended with ${said.code}: ${said.stderr}${said.stdout}`);
    return JSON.parse(said.stdout);
  }

  /** Runs the command in the test's own process, at a simulated terminal. */
  draw(args: readonly string[], answers: readonly Answer[] = []): Promise<Drawn> {
    return answering(openAtTerminalIn(this.#env, args), answers);
  }

  /** Runs the command as a process, at a pseudo-terminal. */
  drawProcess(args: readonly string[], answers: readonly Answer[] = []): Promise<Drawn> {
    return answering(startAtTerminalIn(this.#env, args), answers);
  }
}

/** What is typed once the words before it are on the screen. A function does something before it types. */
type Answer = readonly [seen: string | RegExp, typed: string | (() => Promise<string>)];

interface Drawn {
  readonly code: number | null;
  readonly screen: string;
}

/** Types the answers in turn. */
async function answering(running: RunningHere, answers: readonly Answer[]): Promise<Drawn> {
  const { said, ended, type, hears } = running;
  let looked = 0;
  for (const [seen, typed] of answers) {
    const words = await hears(seen, looked);
    looked = said.stdout.indexOf(words, looked) + words.length;
    type(typeof typed === "string" ? typed : await typed());
  }
  const { code, stdout } = await ended;
  return { code, screen: stdout.replaceAll("\r\n", "\n") };
}

/** A server with the demonstration for all tests of a file, as it was seeded for each, and an operator at it for each. */
export function demonstration(): { readonly server: TestServer; readonly operator: Operator } {
  const there: { server?: TestServer; operator?: Operator } = {};
  const one = <T>(what: T | undefined): T => {
    if (what === undefined) throw new Error("It is there once the tests run.");
    return what;
  };
  beforeAll(async () => {
    there.server = await startTestServer();
  });
  afterAll(() => there.server?.close());
  beforeEach(async () => {
    await one(there.server).reset();
    there.operator = new Operator(one(there.server));
  });
  return {
    get server() {
      return one(there.server);
    },
    get operator() {
      return one(there.operator);
    },
  };
}
