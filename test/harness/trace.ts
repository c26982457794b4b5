/** Reads a trace of system calls (`strace -f -yy`), and judges whether any answer left before its update was synced. */

/** Marks an update in its request, its answer and the bytes on their way to the disk. */
const TAG = /tag-\d{6}/g;

/** `1234 pwrite64(24</data/patchbay.db-wal>, …) = 24`, also while it is under way. */
const CALL = /^(\d+)\s+(\w+)\(\d+<(TCP(?:v6)?:\[[^\]]*\]|[^>]*)>(.*)$/;
/** `1234 <... fsync resumed>) = 0` */
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$/;

const WRITES = new Set([
  "write",
  "writev",
  "pwrite64",
  "pwritev",
  "pwritev2",
  "sendto",
  "sendmsg",
  "ftruncate",
]);
const SYNCS = new Set(["fsync", "fdatasync"]);
const READS = new Set(["read", "recvfrom", "recvmsg"]);

export interface Verdict {
  /** Answers 200 to a PUT. */
  readonly answers: number;
  /** Syncs of the store's files that were completed while requests were served. */
  readonly syncs: number;
  /** What left too early, in words with the line of the trace. */
  readonly violations: readonly string[];
}

/** Follows a trace call by call. */
class Judge {
  readonly #data: string;
  /** Files of the store with bytes that a power loss would take, and the tags among those bytes. */
  readonly #unsynced = new Map<string, Set<string>>();
  readonly #safe = new Set<string>();
  /** The sync that each thread is waiting for: its file, and what that had when the sync began. */
  readonly #syncing = new Map<string, { readonly file: string; readonly tags: Set<string> | undefined }>();
  /** The method of each connection's newest request. */
  readonly #methods = new Map<string, string>();
  readonly #violations: string[] = [];
  #answers = 0;
  #syncs = 0;

  constructor(data: string) {
    this.#data = data;
  }

  get verdict(): Verdict {
    return { answers: this.#answers, syncs: this.#syncs, violations: this.#violations };
  }

  read(line: string, number: number): void {
    const resumed = RESUMED.exec(line);
    if (resumed) {
      const [, thread = "", name = "", rest = ""] = resumed;
      if (SYNCS.has(name)) this.#endSync(thread, rest);
      return;
    }
    const call = CALL.exec(line);
    if (!call) return;
    const [, thread = "", name = "", target = "", rest = ""] = call;
    if (target.startsWith("TCP")) this.#talk(name, target, rest, number);
    else if (this.#keeps(target)) this.#store(thread, name, target, rest);
  }

  /**
   * Is this one of the files that a restart reads? The index in shared memory is made anew; what edges reported may
   * lose its last second (docs/health.md), and the mark may be behind the database.
   */
  #keeps(file: string): boolean {
    return (
      file.startsWith(`${this.#data}/`) &&
      !file.endsWith("-shm") &&
      !file.startsWith(`${this.#data}/patchbay.mark`) &&
      !file.startsWith(`${this.#data}/health.db`)
    );
  }

  #store(thread: string, name: string, file: string, rest: string): void {
    if (WRITES.has(name)) {
      const tags = this.#unsynced.get(file) ?? new Set();
      for (const [tag] of rest.matchAll(TAG)) tags.add(tag);
      this.#unsynced.set(file, tags);
    } else if (SYNCS.has(name)) {
      this.#syncing.set(thread, { file, tags: this.#unsynced.get(file) });
      this.#unsynced.delete(file);
      if (!rest.includes("<unfinished")) this.#endSync(thread, rest);
    }
  }

  #endSync(thread: string, rest: string): void {
    const syncing = this.#syncing.get(thread);
    this.#syncing.delete(thread);
    if (!syncing) return;
    const { file, tags = new Set() } = syncing;
    if (!/=\s*0\s*$/.test(rest)) {
      this.#unsynced.set(file, tags.union(this.#unsynced.get(file) ?? new Set()));
      return;
    }
    for (const tag of tags) this.#safe.add(tag);
    if (this.#methods.size > 0) this.#syncs++;
  }

  #talk(name: string, connection: string, rest: string, line: number): void {
    if (READS.has(name)) {
      const method = /"([A-Z]+) \/[^"]* HTTP\/1\.1\\r\\n/.exec(rest)?.[1];
      if (method !== undefined) this.#methods.set(connection, method);
    } else if (WRITES.has(name) && this.#methods.get(connection) === "PUT") this.#judge(rest, line);
  }

  #judge(sent: string, line: number): void {
    const begins = sent.includes('"HTTP/1.1 200 ');
    if (begins) {
      this.#answers++;
      const syncing = [...this.#syncing.values()].filter(({ tags }) => tags).map(({ file }) => file);
      for (const file of [...this.#unsynced.keys(), ...syncing]) {
        this.#violations.push(`line ${line}: an answer left while ${file} was not synced`);
      }
    }
    for (const tag of new Set(sent.match(TAG))) {
      if (!this.#safe.has(tag))
        this.#violations.push(`line ${line}: the answer to ${tag} left before it was synced`);
    }
  }
}

/** Judges a whole trace of a server that keeps its store in `data`. */
export function judgeTrace(lines: readonly string[], data: string): Verdict {
  const judge = new Judge(data);
  for (const [index, line] of lines.entries()) judge.read(line, index + 1);
  return judge.verdict;
}
