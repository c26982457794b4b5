import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { done, refused } from "../../../test/harness/admin.ts";
import { Chance } from "../../../test/harness/random.ts";
import { temporaryDirectory } from "../../../test/harness/temporary.ts";
import { applied, FIRST_ACCOUNT, makeSmallWorld, snapshot, update } from "../../../test/harness/worlds.ts";
import { backup } from "../../admin/backup.ts";
import { init } from "../../admin/init.ts";
import { StoreRefused } from "../store.ts";
import { SqliteStore } from "./sqlite-store.ts";

const isLong = process.env["PATCHBAY_TEST_LONG"] !== undefined;

let directory: string;
let store: SqliteStore;
beforeEach(async () => {
  directory = join(temporaryDirectory(), "data");
  store = SqliteStore.open(directory);
  onTestFinished(() => store.close());
  await store.replace(makeSmallWorld(20));
});

/** Commits so many changes, one after the other, and returns the content that was acknowledged. */
async function change(times: number): Promise<unknown> {
  for (let time = 0; time < times; time++) {
    const state = await stateIn(store);
    const { id, epoch, revision: base } = state;
    const changes = [applied(state, update({ [time % 20]: { description: `change ${base}` } }))];
    await store.commit({ state: id, epoch, base, changes, deadline: null });
  }
  return snapshot(await stateIn(store));
}

async function stateIn(from: SqliteStore) {
  const state = await from.load(FIRST_ACCOUNT);
  if (!state) throw new Error("The account is missing.");
  return state;
}

/** Copies the files that a killed server leaves. */
function copy(name = "copy"): string {
  const to = join(directory, "..", name);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  for (const file of readdirSync(directory)) {
    if (!file.endsWith("-shm") && !file.startsWith("patchbay.lock"))
      cpSync(join(directory, file), join(to, file));
  }
  return to;
}

/** The content of a directory, or the sentence with which it is refused. */
async function contentOf(at: string): Promise<unknown> {
  let opened: SqliteStore | undefined;
  try {
    opened = SqliteStore.open(at);
    return snapshot(await stateIn(opened));
  } catch (error) {
    if (error instanceof StoreRefused) return error.message;
    throw error;
  } finally {
    await opened?.close();
  }
}

function flip(file: string, bit: number): void {
  const bytes = readFileSync(file);
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  writeFileSync(file, bytes);
}

describe("a flipped bit in the write-ahead log", () => {
  const FRAME = 24 + 4096;

  /** Bits of the header, of headers of frames, and of pages, all over the file. */
  function* bits(size: number, chance: Chance, each: number): Generator<number> {
    const frames = Math.floor((size - 32) / FRAME);
    const startOf = (frame: number) => 32 + frame * FRAME;
    for (let time = 0; time < each; time++) {
      yield chance.below(32 * 8);
      yield startOf(chance.below(frames)) * 8 + chance.below(24 * 8);
      yield startOf(chance.below(frames)) * 8 + chance.below(FRAME * 8);
      // The last frames, after which no other commit shows that they were synced.
      yield startOf(frames - 1 - chance.below(Math.min(3, frames))) * 8 + chance.below(FRAME * 8);
    }
  }

  test.each([1, 2, 12])(
    "after %s commits is refused, or the content is what was acknowledged",
    async (commits) => {
      const acknowledged = await change(commits);
      const chance = new Chance();
      const { size } = statSync(join(directory, "patchbay.db-wal"));
      let refusals = 0;
      for (const bit of bits(size, chance, isLong ? 60 : 4)) {
        const damaged = copy();
        flip(join(damaged, "patchbay.db-wal"), bit);
        const before = readFileSync(join(damaged, "patchbay.db-wal"));
        const found = await contentOf(damaged);
        if (typeof found === "string") {
          refusals++;
          expect(found, `bit ${bit}`).toContain(`The data directory ${damaged} lost acknowledged changes: `);
          expect(readFileSync(join(damaged, "patchbay.db-wal")).equals(before), `bit ${bit}`).toBe(true);
        } else expect(found, `bit ${bit}`).toEqual(acknowledged);
      }
      expect(refusals).toBeGreaterThan(0);
    },
  );

  test("is found without a mark if another commit follows it", async () => {
    await change(12);
    const damaged = copy();
    rmSync(join(damaged, "patchbay.mark"));
    flip(join(damaged, "patchbay.db-wal"), (32 + FRAME * 3 + 100) * 8);
    const sentence = `The data directory ${damaged} lost acknowledged changes: in patchbay.db-wal, frame 4 does not match its checksum, and later changes follow it. Nothing was changed. Restore a backup into a new directory with patchbay restore --from; docs/operating.md shows how to continue without one.`;
    expect(await contentOf(damaged)).toBe(sentence);
    expect(await refused(backup, { data: damaged, to: join(directory, "..", "backup") })).toBe(sentence);
  });
});

describe("a power failure", () => {
  test("may cut off a commit that was not synced, at any place", async () => {
    const before = await change(3);
    const { size } = statSync(join(directory, "patchbay.db-wal"));
    const mark = readFileSync(join(directory, "patchbay.mark"));
    await change(1);
    const { size: after } = statSync(join(directory, "patchbay.db-wal"));
    const chance = new Chance();
    for (let time = 0; time < 5; time++) {
      const cut = copy();
      truncateSync(join(cut, "patchbay.db-wal"), chance.between(size, after - 1));
      writeFileSync(join(cut, "patchbay.mark"), mark);
      expect(await contentOf(cut)).toEqual(before);
    }
  });

  test("may leave the end of a commit that was not synced, and not its beginning", async () => {
    const before = await change(3);
    const { size } = statSync(join(directory, "patchbay.db-wal"));
    const mark = readFileSync(join(directory, "patchbay.mark"));
    await change(1);
    const torn = copy();
    const wal = readFileSync(join(torn, "patchbay.db-wal"));
    writeFileSync(join(torn, "patchbay.db-wal"), wal.fill(0, size, size + 4096));
    writeFileSync(join(torn, "patchbay.mark"), mark);
    expect(await contentOf(torn)).toEqual(before);
  });

  test("may leave a mark that is empty, or behind", async () => {
    const acknowledged = await change(3);
    for (const mark of ["", readFileSync(join(directory, "patchbay.mark"), "utf8").slice(0, 130)]) {
      const left = copy();
      writeFileSync(join(left, "patchbay.mark"), mark);
      expect(await contentOf(left)).toEqual(acknowledged);
      expect(readFileSync(join(left, "patchbay.mark"), "utf8")).toContain(` ${FIRST_ACCOUNT} `);
    }
  });
});

describe("a database that is behind its mark is refused:", () => {
  const sentence = (at: string, what: string) =>
    `The data directory ${at} lost acknowledged changes: ${what}. Nothing was changed. Restore a backup into a new directory with patchbay restore --from; docs/operating.md shows how to continue without one.`;

  test("an older copy in its place", async () => {
    await change(1);
    const older = copy("older");
    await change(2);
    const newer = copy("newer");
    for (const name of ["patchbay.db", "patchbay.db-wal"]) cpSync(join(older, name), join(newer, name));
    expect(await contentOf(newer)).toBe(
      sentence(newer, `${FIRST_ACCOUNT} is at revision 2, but patchbay.mark shows 4`),
    );
    rmSync(join(newer, "patchbay.mark"));
    expect(await contentOf(newer)).toEqual(await contentOf(older));
  });

  test("a database of another history", async () => {
    const older = copy("older");
    await store.replace(makeSmallWorld(1));
    const newer = copy("newer");
    for (const name of ["patchbay.db", "patchbay.db-wal"]) cpSync(join(older, name), join(newer, name));
    expect(await contentOf(newer)).toMatch(
      / has the epoch \w+, but patchbay\.mark shows \w+\. Nothing was changed\./,
    );
  });

  test("no database, or an empty one", async () => {
    await change(1);
    const without = copy();
    rmSync(join(without, "patchbay.db"));
    const expected = sentence(without, "patchbay.db is missing or empty, but patchbay.mark is not");
    expect(await contentOf(without)).toBe(expected);
    expect(existsSync(join(without, "patchbay.db"))).toBe(false);
    expect(existsSync(join(without, "patchbay.db-wal"))).toBe(true);
    writeFileSync(join(without, "patchbay.db"), "");
    expect(await contentOf(without)).toBe(expected);
    rmSync(join(without, "patchbay.mark"));
    expect(await contentOf(without)).toBe(
      sentence(without, "patchbay.db is missing or empty, but patchbay.db-wal is not"),
    );
  });

  test("a database without its write-ahead log", async () => {
    const without = copy();
    rmSync(join(without, "patchbay.db-wal"));
    expect(await contentOf(without)).toBe(
      sentence(without, "patchbay.db holds nothing, but patchbay.mark shows that it did"),
    );
  });
});

test("a new directory has a mark once it has data", async () => {
  const made = join(directory, "..", "made");
  await SqliteStore.open(made).close();
  expect(existsSync(join(made, "patchbay.mark"))).toBe(false);
  await SqliteStore.open(made).close();
  const initial = join(directory, "..", "initial");
  await done(init, { data: initial });
  expect(readFileSync(join(initial, "patchbay.mark"), "utf8")).toMatch(
    /^[0-9a-f]{8} directory [0-9a-f]{16} 1 *\n$/,
  );
});

test("a replaced world is marked by its new epochs", async () => {
  const acknowledged = await change(2);
  expect(await contentOf(copy())).toEqual(acknowledged);
  await store.replace(makeSmallWorld(2));
  expect(await contentOf(copy())).toEqual(snapshot(await stateIn(store)));
});
