import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { dump } from "../../src/admin/dump.ts";
import { load } from "../../src/admin/load.ts";
import { prune, readTime } from "../../src/admin/prune.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { changeAtRandom, contentOf, done, linesOf, openWorld, refused, timeOf } from "../harness/admin.ts";
import { BIN, quietly, serve } from "../harness/command.ts";
import { Chance } from "../harness/random.ts";
import { isLong } from "../harness/runs.ts";
import { makeSeed, OWN_TOKEN } from "../harness/seeds.ts";
import { ask, codes, LIST, ORD, OWN, one, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { applied, FIRST_ACCOUNT, idOf, makeSmallWorld, update } from "../harness/worlds.ts";

const WORLDS = isLong ? 500 : 10;

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
const at = (name: string) => join(directory, name);

/** The time of the change of this number, as the option takes it. */
const minute = (number: number) => timeOf(number).replace(/\.\d+Z/, "Z");

test(`of any of ${WORLDS} worlds, pruned again and again, the archives and a later dump give the whole history back`, async () => {
  const first = Number(process.env["PATCHBAY_TEST_CHANCE"] ?? new Chance().below(2 ** 31));
  let moved = 0;
  for (let world = 0; world < WORLDS; world++) {
    const chance = new Chance(first + world);
    const place = (name: string) => at(`${world}-${name}`);
    const data = place("data");
    let store = await openWorld(data, chance, 20);
    const archive: string[] = [];
    for (let time = 1; time <= 3; time++) {
      // Beside a store in use, whose rows stand behind its log, or after it was closed.
      const apart = chance.below(2) === 0;
      if (apart) await store.close();
      const to = place(`archive-${time}`);
      await done(prune, { data, before: minute(chance.between(1, 20 * time)), archive: to });
      if (existsSync(to)) archive.push(to);
      if (apart) store = await SqliteStore.open(data);
      await changeAtRandom(store, chance, 20, 20 * time);
    }
    await done(dump, { data, to: place("dump") });
    await store.close();
    await done(load, { data: place("loaded"), from: place("dump"), archive });
    const [pruned, whole] = [await contentOf(data), await contentOf(place("loaded"))];
    const seen = `PATCHBAY_TEST_CHANCE=${chance.seed}`;
    expect(
      whole.map((state) => ({ ...state, log: [] })),
      seen,
    ).toEqual(pruned.map((state) => ({ ...state, log: [] })));
    for (const [index, { log = [] }] of whole.entries()) {
      expect(log.map(({ revision }) => revision)).toEqual(log.map((_, number) => number + 1));
      const kept = pruned[index]?.log ?? [];
      expect(log.slice(-kept.length)).toEqual(kept);
      expect(kept.length).toBeGreaterThan(0);
      moved += log.length - kept.length;
    }
    // What is loaded without its archives is what was dumped, and no more.
    await done(load, { data: place("short"), from: place("dump") });
    await done(dump, { data: place("short"), to: place("again") });
    expect(linesOf(place("again")), seen).toEqual(linesOf(place("dump")));
  }
  expect(moved).toBeGreaterThan(WORLDS);
});

describe("on a server at work", () => {
  test("readers of what is gone are told so, and all else goes on", async () => {
    const data = at("data");
    await using server = await startTestServer({ data });
    for (let mtu = 1001; mtu <= 1010; mtu++)
      await server.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu }] } });
    const before = (await server.ask("GET", `${OWN}/changes?limit=100`)).body.result;
    const state = (await server.ask("GET", `${OWN}/state`)).body.result;
    const second = before.at(-3);
    await setTimeout(2);
    expect(
      await done(prune, { data, before: second.time.replace(/\d{3}Z$/, "Z"), archive: at("archive") }),
    ).toMatch(/^2 changes of 1 state moved to /);

    const gone = await server.ask("GET", `${OWN}/changes/2`);
    expect([gone.status, codes(gone)]).toEqual([410, [990120]]);
    expect(gone.body.errors[0].message).toBe(
      "Change 2 is no longer kept here; the oldest that is has revision 3.",
    );
    for (const after of [0, 1]) {
      const follower = await server.ask("GET", `${OWN}/changes?after=${after}&epoch=${state.epoch}&wait=30`);
      expect([follower.status, codes(follower)]).toEqual([410, [990121]]);
    }
    const rest = await server.ask("GET", `${OWN}/changes?after=2`);
    expect(rest.body.result.map(({ revision }: { revision: number }) => revision)).toEqual([
      3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
    expect((await server.ask("GET", `${OWN}/changes/3`)).body.result).toEqual(before.at(-3));
    for (const never of ["0", "12", "x"]) {
      expect((await server.ask("GET", `${OWN}/changes/${never}`)).status).toBe(404);
    }
    // A listing ends where the log now begins, also for who is in the middle of it.
    const pages = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const { body } = await server.ask("GET", `${OWN}/changes?limit=4${cursor && `&cursor=${cursor}`}`);
      pages.push(...body.result);
      cursor = body.result_info.cursor;
    }
    expect(pages).toEqual(before.slice(0, -2));

    expect((await server.ask("GET", `${OWN}/state`)).body.result).toEqual(state);
    const next = await server.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1400 }] } });
    expect(next.headers.get("etag")).toBe(`"${state.epoch}-12"`);
    const waiting = server.ask("GET", `${OWN}/changes?after=12&wait=30`);
    await server.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1300 }] } });
    expect((await waiting).body.result).toHaveLength(1);
  });

  test("the log of the directory is pruned alike", async () => {
    const data = at("data");
    await using server = await startTestServer({ data });
    const path = "/client/v4/user";
    for (const first_name of ["one", "two"]) await server.ask("PATCH", path, { body: { first_name } });
    await setTimeout(2);
    expect(await done(prune, { data, before: "0d", discard: true })).toBe("2 changes of 1 state removed.\n");
    const gone = await server.ask("GET", "/patchbay/v1/changes/2");
    expect([gone.status, codes(gone)]).toEqual([410, [990120]]);
    const follower = await server.ask("GET", "/patchbay/v1/changes?after=1");
    expect([follower.status, codes(follower)]).toEqual([410, [990121]]);
    const kept = await server.ask("GET", "/patchbay/v1/changes?after=2");
    expect(kept.body.result.map(({ revision }: { revision: number }) => revision)).toEqual([3]);
  });

  test("the newest change stays, however old", async () => {
    const data = at("data");
    await using server = await startTestServer({ data });
    await setTimeout(2);
    expect(await done(prune, { data, before: "0d", archive: at("archive") })).toMatch(/^No changes of /);
    expect(existsSync(at("archive"))).toBe(false);
    await server.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1400 }] } });
    await setTimeout(2);
    expect(await done(prune, { data, before: "0d", discard: true })).toBe("1 change of 1 state removed.\n");
    expect((await server.ask("GET", `${OWN}/changes`)).body.result).toHaveLength(1);
    expect((await server.ask("GET", `${OWN}/changes/2`)).status).toBe(200);
  });

  test("a change that waits to be confirmed stays, with all that came after it, and can still be undone", async () => {
    await using server = await startTestServer({ data: at("data") });
    const headers = { "x-patchbay-confirm-within": "3600" };
    for (const mtu of [1300, 1301]) await server.ask("PUT", one(ORD), { body: { mtu } });
    await server.ask("PUT", one(ORD), { body: { mtu: 1302 }, headers });
    for (const confirm_within of [4000, 5000])
      await server.ask("POST", `${OWN}/changes/4/extend`, { body: { confirm_within } });
    await done(prune, { data: at("data"), before: "0d", discard: true });
    const { body } = await server.ask("GET", `${OWN}/changes?after=3`);
    expect(body.result.map(({ revision }: { revision: number }) => revision)).toEqual([4, 5, 6]);
    expect((await server.ask("GET", `${OWN}/changes/3`)).status).toBe(410);
    for (const [path, body] of [
      ["changes/3/revert", undefined],
      ["changes/3/confirm", undefined],
      ["changes/3/extend", { confirm_within: 60 }],
      ["restore", { to_revision: 3 }],
    ] as const) {
      const reply = await server.ask("POST", `${OWN}/${path}`, body === undefined ? {} : { body });
      expect([path, reply.status, codes(reply)]).toEqual([path, 410, [990120]]);
    }
    expect((await server.ask("POST", `${OWN}/changes/4/revert`)).status).toBe(200);
    expect((await server.ask("GET", one(ORD))).body.result.interconnect.mtu).toBe(1301);
  });

  test("pruned while clients write, then killed, it has lost nothing", async () => {
    const PORTS = 60;
    const data = at("data");
    writeFileSync(at("seed.yaml"), makeSeed(PORTS));
    const server = await serve(quietly(data, at("seed.yaml")));
    const { url } = server;
    let stop = false;
    let acknowledged = 0;
    const client = async (number: number) => {
      for (let count = 0; !stop; count++) {
        const interconnects = [number, number + 20, number + 40].map((port) => ({
          id: idOf(port),
          description: `${count}`,
        }));
        const { status } = await ask(url, "PUT", LIST, { token: OWN_TOKEN, body: { interconnects } });
        expect(status).toBe(200);
        acknowledged++;
      }
    };
    const clients = Array.from({ length: 6 }, (_, number) => client(number));
    const archive: string[] = [];
    for (let time = 0; time < 4; time++) {
      while (acknowledged < (time + 1) * 60) await setTimeout(5);
      archive.push(at(`archive-${time}`));
      expect(await pruneApart(["--data", data, "--before", "0h", "--archive", at(`archive-${time}`)])).toBe(
        0,
      );
    }
    stop = true;
    await Promise.all(clients);
    const state = (await ask(url, "GET", `${OWN}/state`, { token: OWN_TOKEN })).body.result;
    await server.end("SIGKILL");

    expect(state.revision).toBe(acknowledged + 1);
    await done(dump, { data, to: at("dump") });
    expect(linesOf(at("dump")).length).toBeLessThan(acknowledged + PORTS);
    // Loading judges whether all changes together lead to the objects.
    await done(load, { data: at("loaded"), from: at("dump"), archive });
    const again = await serve(quietly(at("loaded")));
    const loaded = (await ask(again.url, "GET", `${OWN}/state`, { token: OWN_TOKEN })).body.result;
    expect(loaded).toEqual({ ...state, epoch: loaded.epoch });
    const log = await ask(again.url, "GET", `${OWN}/changes?after=0&limit=1`, { token: OWN_TOKEN });
    expect(log.body.result[0].revision).toBe(1);
  });
});

/** In a process of its own, as an operator does it. */
async function pruneApart(args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [BIN, "prune", ...args], { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "close");
  return code;
}

test("killed when the archive is written and changes are being removed, it has lost nothing, and can be run again", async () => {
  const CHANGES = 6_000;
  const data = at("data");
  const store = await SqliteStore.open(data);
  await store.replace(makeSmallWorld(3));
  const state = await store.load(FIRST_ACCOUNT);
  if (!state) throw new Error("There is no account.");
  const changes = Array.from({ length: CHANGES }, (_, number) =>
    applied(state, update({ 0: { description: `${number}` } })),
  );
  await store.commit({ state: state.id, epoch: state.epoch, base: 1, changes, deadline: null });
  await store.close();
  const oldest = () => {
    using raw = new DatabaseSync(join(data, "patchbay.db"), { timeout: 5_000 });
    const row = raw.prepare("SELECT min(revision) AS r FROM change WHERE state = ?").get(FIRST_ACCOUNT);
    return Number(row?.["r"]);
  };
  const whole = await contentOf(data);

  const args = ["prune", "--data", data, "--before", "0d", "--archive", at("first")];
  const child = spawn(process.execPath, [BIN, ...args], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const closed = once(child, "close");
  while (child.exitCode === null && oldest() === 1) await setTimeout(1);
  child.kill("SIGKILL");
  await closed;
  const [floor, first] = [oldest(), JSON.parse(readFileSync(at("first"), "utf8").split("\n")[1] ?? "")];
  expect(floor).toBeGreaterThan(1);
  expect(floor).toBeLessThan(first.revision);

  await done(prune, { data, before: "0d", archive: at("second") });
  expect(oldest()).toBe(CHANGES + 1);
  await done(dump, { data, to: at("dump") });
  // What stands in both archives is told twice, and taken once.
  await done(load, { data: at("loaded"), from: at("dump"), archive: [at("first"), at("second")] });
  expect(await contentOf(at("loaded"))).toEqual(whole);
});

describe("load refuses archives", () => {
  let archive: string[];
  beforeEach(async () => {
    const data = at("data");
    const store = await openWorld(data, new Chance(5), 30);
    archive = [at("first"), at("second")];
    for (const [index, to] of archive.entries())
      await done(prune, { data, before: minute(10 * (index + 1)), archive: to });
    await done(dump, { data, to: at("dump") });
    await store.close();
  });

  test("between which changes are missing", async () => {
    expect(await refused(load, { data: at("loaded"), from: at("dump"), archive: [at("first")] })).toMatch(
      /dump:2: change \d+ of the state a+ is in none of the files\.$/,
    );
    // The newer one alone goes before the dump, as far as it goes.
    await done(load, { data: at("loaded"), from: at("dump"), archive: [at("second")] });
  });

  test("of another history, if they do not tell all of it", async () => {
    await done(load, { data: at("other"), from: at("dump") });
    await done(dump, { data: at("other"), to: at("later") });
    expect(await refused(load, { data: at("loaded"), from: at("later"), archive: [at("second")] })).toMatch(
      /second:2: this is of another history than the dump \(epoch \w+, not \w+\)\. Only with all archives/,
    );
    await done(load, { data: at("loaded"), from: at("later"), archive });
  });

  test("that tell other changes than the dump", async () => {
    const other = await openWorld(at("other"), new Chance(6), 30);
    await done(dump, { data: at("other"), to: at("strange") });
    await other.close();
    expect(await refused(load, { data: at("loaded"), from: at("strange"), archive })).toMatch(
      /strange:\d+: another file tells another change of revision \d+: they are of two histories\.$/,
    );
  });

  test("of accounts that the dump has not", async () => {
    const lines = readFileSync(at("first"), "utf8").replaceAll(FIRST_ACCOUNT, "c".repeat(32));
    writeFileSync(at("strange"), lines);
    expect(await refused(load, { data: at("loaded"), from: at("dump"), archive: [at("strange")] })).toMatch(
      /strange:2: the state c+ is not in the dump that the archive should go before\.$/,
    );
  });

  test("given as dumps, and dumps given as archives", async () => {
    expect(await refused(load, { data: at("loaded"), from: at("first") })).toMatch(
      /first:1: this is an archive: name it with --archive, and a dump with --from\.$/,
    );
    expect(await refused(load, { data: at("loaded"), from: at("dump"), archive: [at("dump")] })).toMatch(
      /dump:1: this is a dump, not an archive: name it with --from\.$/,
    );
  });
});

describe("prune", () => {
  test("makes a file of its user's alone, and overwrites none: then nothing is removed", async () => {
    const store = await openWorld(at("data"), new Chance(1), 10);
    await store.close();
    await done(prune, { data: at("data"), before: minute(5), archive: at("archive") });
    expect(statSync(at("archive")).mode & 0o777).toBe(0o600);
    const before = await contentOf(at("data"));
    expect(await refused(prune, { data: at("data"), before: minute(8), archive: at("archive") })).toBe(
      `${at("archive")} is there already. Name a new file.`,
    );
    expect(await contentOf(at("data"))).toEqual(before);
  });

  test.each([
    [{}, "Give an archive for the changes with --archive FILE, or delete them with --discard."],
    [
      { archive: "a", discard: true },
      "Give an archive for the changes with --archive FILE, or delete them with --discard.",
    ],
    [{ discard: true, before: "9999-01-01" }, "--before is 9999-01-01, which is still to come."],
    [
      { discard: true, before: "2026-02-30" },
      "--before is 2026-02-30, but must be a time such as 2026-01-31 or 2026-01-31T12:00:00Z (UTC), or 90d for what is older than 90 days.",
    ],
    [{ discard: true, before: "yesterday" }, /^--before is yesterday, but must be a time/],
    [
      { discard: true, before: "2026-01-01T00:00:00+02:00" },
      /^--before is 2026-01-01T00:00:00\+02:00, but must be/,
    ],
  ])("told %j is refused with one plain sentence", async (options, sentence) => {
    expect(await refused(prune, { data: at("none"), before: "2026-01-01", ...options })).toMatch(sentence);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("takes a time, a day, or how long ago", () => {
    const now = Date.parse("2026-03-01T12:00:00Z");
    expect(readTime("2026-01-31", now)).toBe(Date.parse("2026-01-31T00:00:00Z"));
    expect(readTime("2026-01-31T12:00:00.5Z", now)).toBe(Date.parse("2026-01-31T12:00:00.500Z"));
    expect(readTime("90d", now)).toBe(now - 90 * 86_400_000);
    expect(readTime("12h", now)).toBe(Date.parse("2026-03-01T00:00:00Z"));
  });
});
