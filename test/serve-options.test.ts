import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { ServerOptions } from "../src/server/config.ts";
import { runInProcess, serve, serveInProcess } from "./harness/command.ts";
import { skip } from "./harness/needs.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { ask, LIST } from "./harness/server.ts";
import { temporaryDirectory } from "./harness/temporary.ts";
import { onlySentence, refusalOf } from "./harness/terminal.ts";

let directory: string;
let data: string;
beforeEach(() => {
  directory = temporaryDirectory();
  data = join(directory, "data");
});

const PORTS = 3;

/** A seed file of one's own, with credentials that nobody knows. */
function ownSeed(): string {
  const file = join(directory, "seed.yaml");
  writeFileSync(file, makeSeed(PORTS));
  return file;
}

/** Options of a server that takes no fixed port. */
const free = (...more: readonly string[]) => ["--port", "0", "--metrics-port", "0", "--data", data, ...more];

/** The same for a server in this process. */
const usual = () => ({ port: "0", metricsPort: "off", logLevel: "silent", data });

/** The sentence with which the command refuses to start. */
async function refusal(args: readonly string[]): Promise<string> {
  return onlySentence(await runInProcess(["serve", ...args]));
}

describe("what the operator decides", () => {
  test("may be said by environment variables", async () => {
    const port = await freePort();
    const env = {
      PATCHBAY_HOST: "localhost",
      PATCHBAY_PORT: String(port),
      PATCHBAY_DATA: data,
      PATCHBAY_SEED: ownSeed(),
      PATCHBAY_SANDBOX: "1",
      PATCHBAY_METRICS_PORT: "off",
      PATCHBAY_LOG_LEVEL: "silent",
    };
    const { said, url } = await serveInProcess([], env);
    expect(said.stdout).toContain(`Patchbay answers at http://localhost:${port}\n`);
    expect(said.stdout).toContain(`data       ${data}, new; POST /patchbay/v1/reset goes back to the seed\n`);
    expect(said.stdout).not.toContain("metrics");
    expect(said.stderr).toBe("");
    expect((await ask(url, "POST", "/patchbay/v1/reset", { token: OWN_TOKEN })).status).toBe(200);
  });

  test("is what the options say where both speak", async () => {
    const port = await freePort();
    const env = {
      PATCHBAY_HOST: "host.invalid",
      PATCHBAY_PORT: "99999",
      PATCHBAY_DATA: join(directory, "other"),
      PATCHBAY_SEED: "missing.yaml",
      PATCHBAY_SANDBOX: "0",
      PATCHBAY_METRICS_PORT: "never",
      PATCHBAY_LOG_LEVEL: "loud",
    };
    const args = ["--host", "127.0.0.1", "--port", String(port), "--metrics-port", "off", "--data", data];
    const server = await serveInProcess(
      [...args, "--seed", ownSeed(), "--sandbox", "--log-level", "warn"],
      env,
    );
    expect(server.url).toBe(`http://127.0.0.1:${port}`);
    expect(server.said.stdout).toContain("goes back to the seed");
    expect(existsSync(join(directory, "other"))).toBe(false);
  });

  test("is ./data, port 8787 and the demonstration unless said, and an empty variable says nothing", async () => {
    const env = { PATCHBAY_PORT: "0", PATCHBAY_METRICS_PORT: "off", PATCHBAY_DATA: "", PATCHBAY_SANDBOX: "" };
    const { said } = await serve([], { env, cwd: directory });
    expect(said.stdout).toContain("  data       data, new; POST /patchbay/v1/reset goes back to the seed\n");
    expect(existsSync(join(data, "patchbay.db"))).toBe(true);
    const { stdout } = await runInProcess(["serve", "--help"]);
    expect(stdout).toContain("(default: 8787)");
  });

  test("may be IPv6", async (ctx) => {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address));
    if (!addresses.includes("::1")) skip(ctx, "this machine has no ::1");
    const { url } = await serveInProcess(free("--host", "::1"));
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await ask(url, "GET", LIST)).status).toBe(200);
  });

  test.each([
    [{ port: "eighty" }, "--port is eighty, but must be a port number from 0 to 65535 (0 picks a free one)."],
    [{ port: "65536" }, "--port is 65536, but must be a port number from 0 to 65535 (0 picks a free one)."],
    [{ healthQuorum: "0" }, "--health-quorum is 0, but must be a number of provider edges from 1 to 100."],
    [{ healthSettle: "soon" }, "--health-settle is soon, but must be a number of seconds from 0 to 86400."],
    [{ port: "-1" }, "--port is -1, but must be a port number from 0 to 65535 (0 picks a free one)."],
    [
      { metricsPort: "on" },
      "--metrics-port is on, but must be a port number from 0 to 65535 (0 picks a free one), or off.",
    ],
    [
      { logLevel: "loud" },
      "--log-level is loud, but must be fatal, error, warn, info, debug, trace or silent.",
    ],
    [
      { seed: "missing.yaml" },
      "The seed file cannot be read: ENOENT: no such file or directory, open 'missing.yaml'.",
    ],
    [
      { data: "/dev/null" },
      "The data directory /dev/null cannot be used: there is a file where a directory should be (EEXIST: file already exists, mkdir '/dev/null'). Name another with --data.",
    ],
    [
      { host: "host.invalid" },
      "There is no host host.invalid. Choose an address of this machine with --host.",
    ],
    [
      { host: "192.0.2.1" },
      "This machine does not have the address 192.0.2.1. Choose one that it has with --host.",
    ],
    [
      { host: "192.0.2.1", metricsPort: "0" },
      "This machine does not have the address 192.0.2.1. Choose one that it has with --host.",
    ],
    [
      { metricsHost: "192.0.2.1", metricsPort: "0" },
      "This machine does not have the address 192.0.2.1. Choose one that it has with --metrics-host.",
    ],
  ])("wrong in %j is refused with one plain sentence", async (options: ServerOptions, sentence) => {
    expect(await refusalOf({ ...usual(), seed: ownSeed(), ...options })).toBe(sentence);
  });

  test.each([
    [
      { PATCHBAY_HEALTH_SETTLE: "-1" },
      "PATCHBAY_HEALTH_SETTLE is -1, but must be a number of seconds from 0 to 86400.",
    ],
    [{ PATCHBAY_SANDBOX: "yes" }, "PATCHBAY_SANDBOX is yes, but must be true or false."],
    [
      { PATCHBAY_PORT: "http" },
      "PATCHBAY_PORT is http, but must be a port number from 0 to 65535 (0 picks a free one).",
    ],
    [
      { PATCHBAY_LOG_LEVEL: "7" },
      "PATCHBAY_LOG_LEVEL is 7, but must be fatal, error, warn, info, debug, trace or silent.",
    ],
  ])("wrong in %j is refused with one plain sentence", async (env: Record<string, string>, sentence) => {
    expect(await refusalOf({ data }, env)).toBe(sentence);
  });

  test.each([
    [["serve", "--prot", "1"], "error: unknown option '--prot'\n(Did you mean --port?)\n"],
    [["sevre"], "error: unknown command 'sevre'\n(Did you mean serve?)\n"],
    [["serve", "--port"], "error: option '--port <number>' argument missing\n"],
  ])("misspelt as %j is refused, with what was meant", async (args, said) => {
    expect(await runInProcess(args)).toEqual({ code: 1, stdout: "", stderr: said });
  });

  test("is explained by --help", async () => {
    const { code, stdout } = await runInProcess(["serve", "--help"]);
    expect(code).toBe(0);
    for (const name of ["HOST", "PORT", "DATA", "SEED", "SANDBOX", "METRICS_PORT", "LOG_LEVEL"]) {
      expect(stdout).toContain(`[PATCHBAY_${name}]`);
    }
  });
});

describe("a port that is taken", () => {
  test.each([
    ["--port", "--metrics-port"],
    ["--metrics-port", "--port"],
  ])("by another program is refused with one plain sentence: %s", async (option, other) => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    expect(await refusal(["--data", data, other, "0", option, String(port)])).toBe(
      `Port ${port} is taken by another program. Choose another with ${option} (0 picks a free one).`,
    );
  });
});

describe("the demonstration's public credentials", () => {
  const sentence = (host: string) =>
    `The credentials of the demonstration are printed in public documentation, so a server that has them listens on this machine alone, not on ${host}. Leave --host out, or start from a --seed of your own in an empty --data directory.`;

  test.each(["0.0.0.0", "::", "192.0.2.1"])("keep a new server from listening on %s", async (host) => {
    expect(await refusalOf({ ...usual(), host })).toBe(sentence(host));
  });

  test("refused, leave the directory empty for a seed of one's own", async () => {
    await refusalOf({ ...usual(), host: "0.0.0.0" });
    const { url } = await serveInProcess(free("--host", "0.0.0.0", "--seed", ownSeed()));
    expect((await ask(url, "GET", LIST, { token: OWN_TOKEN })).status).toBe(200);
    expect((await ask(url, "GET", LIST)).status).toBe(403);
  });

  test("in the data count, whatever seed is given now", async () => {
    await (await serveInProcess(free())).end("SIGTERM");
    expect(await refusalOf({ ...usual(), host: "0.0.0.0", seed: ownSeed() })).toBe(sentence("0.0.0.0"));
  });

  test("cannot be brought by a reset to a server that others reach", async () => {
    const seed = ownSeed();
    await (await serveInProcess(free("--seed", seed))).end("SIGTERM");
    expect(await refusalOf({ ...usual(), host: "0.0.0.0", sandbox: true })).toBe(sentence("0.0.0.0"));
    const { said, url } = await serveInProcess(free("--host", "0.0.0.0"));
    expect(said.stdout).not.toContain("reset");
    const reset = await ask(url, "POST", "/patchbay/v1/reset", { token: OWN_TOKEN });
    expect(reset.status).toBe(403);
    expect((await ask(url, "GET", LIST, { token: OWN_TOKEN })).status).toBe(200);
  });
});

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
