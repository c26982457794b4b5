import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { dump } from "../../src/admin/dump.ts";
import { load } from "../../src/admin/load.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { Writing } from "../../src/store/sqlite/writing.ts";
import { changeAtRandom, contentOf, done, linesOf, openWorld, refused } from "../harness/admin.ts";
import { BIN } from "../harness/command.ts";
import { Chance } from "../harness/random.ts";
import { isLong } from "../harness/runs.ts";
import { ACCOUNT, LIST, ORD, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { FIRST_ACCOUNT, makeSmallWorld } from "../harness/worlds.ts";

const WORLDS = isLong ? 500 : 10;

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
const at = (name: string) => join(directory, name);

test(`a dump of any of ${WORLDS} worlds, loaded, is dumped as it was but for the epochs`, async () => {
  const first = Number(process.env["PATCHBAY_TEST_CHANCE"] ?? new Chance().below(2 ** 31));
  for (let world = 0; world < WORLDS; world++) {
    const chance = new Chance(first + world);
    const place = (name: string) => at(`${world}-${name}`);
    const store = await openWorld(place("data"), chance, chance.below(60));
    // Beside a store that is in use, or after it: with rows of objects behind the log, or not.
    if (chance.below(2) === 0) await store.close();
    await done(dump, { data: place("data"), to: place("dump") });
    await store.close();
    await done(load, { data: place("loaded"), from: place("dump") });
    await done(dump, { data: place("loaded"), to: place("again") });
    expect(linesOf(place("again")), `PATCHBAY_TEST_CHANCE=${chance.seed}`).toEqual(linesOf(place("dump")));
    expect(await contentOf(place("loaded"))).toEqual(await contentOf(place("data")));
  }
});

test("what is loaded is served as it was, and goes on; who followed it is told that it is another history", async () => {
  const data = at("data");
  const before = await startTestServer({ data });
  await before.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1400 }] } });
  const state = (await before.ask("GET", `${OWN}/state`)).body.result;
  const log = (await before.ask("GET", `${OWN}/changes?after=0`)).body.result;
  await done(dump, { data, to: at("dump") });
  await before.close();

  await done(load, { data: at("loaded"), from: at("dump") });
  await using after = await startTestServer({ data: at("loaded") });
  const loaded = (await after.ask("GET", `${OWN}/state`)).body.result;
  expect(loaded).toEqual({ ...state, epoch: loaded.epoch });
  expect(loaded.epoch).not.toBe(state.epoch);
  expect((await after.ask("GET", `${OWN}/changes?after=0`)).body.result).toEqual(log);
  const follower = await after.ask("GET", `${OWN}/changes?after=2&epoch=${state.epoch}`);
  expect([follower.status, follower.body.errors[0].code]).toEqual([410, 990037]);
  await after.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1300 }] } });
  expect((await after.ask("GET", `${OWN}/state`)).body.result.revision).toBe(3);
});

test("a dump of a server at work is one moment of it", async () => {
  const data = at("data");
  await using server = await startTestServer({ data });
  let stop = false;
  const client = async () => {
    for (let mtu = 600; !stop; mtu = 600 + ((mtu + 1) % 800))
      await server.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu }] } });
  };
  const clients = [client(), client(), client()];
  for (let time = 0; time < 5; time++) {
    await dumpApart(data, at(`dump-${time}`));
    const { body } = await server.ask("GET", `${OWN}/state`);
    // Loading judges whether its log leads to its objects.
    await done(load, { data: at(`loaded-${time}`), from: at(`dump-${time}`) });
    const told = linesOf(at(`dump-${time}`)).map((line) => JSON.parse(line));
    const { revision } = told.find(({ type, id }) => type === "state" && id === ACCOUNT);
    expect(revision).toBeLessThanOrEqual(body.result.revision);
    expect(revision).toBeGreaterThan(time);
  }
  stop = true;
  await Promise.all(clients);
});

/** In a process of its own, as an operator does it. */
async function dumpApart(data: string, to: string): Promise<void> {
  const child = spawn(process.execPath, [BIN, "dump", "--data", data, "--to", to], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  expect(await once(child, "close")).toEqual([0, null]);
}

test("what stands beside the log, and states that nothing changed yet, are carried too", async () => {
  const store = await openWorld(at("data"), new Chance(9), 5);
  const refusal = (number: number) => ({
    time: `2025-02-0${number}T00:00:00.000000Z`,
    actor: { type: "token", id: "t", name: "t" } as const,
    request_id: `r${number}`,
    address: "192.0.2.1",
    operation: "updateInterconnects",
    status: 403,
    code: 10000,
    message: "Authentication error",
    method: "PUT",
    path: "/",
  });
  await store.note([1, 2].map((number) => ({ state: FIRST_ACCOUNT, event: refusal(number) })));
  const events = await store.eventsAfter(FIRST_ACCOUNT, 0, 10);
  await store.close();
  const raw = new DatabaseSync(join(at("data"), "patchbay.db"));
  const empty = "c".repeat(32);
  new Writing(raw).create(empty, "e0");
  raw.close();
  await done(dump, { data: at("data"), to: at("dump") });
  await done(load, { data: at("loaded"), from: at("dump") });
  await done(dump, { data: at("loaded"), to: at("again") });
  expect(linesOf(at("again"))).toEqual(
    linesOf(at("dump")).map((line) => line.replace('"epoch":"e0"', '"epoch":""')),
  );
  const loaded = await SqliteStore.open(at("loaded"));
  onTestFinished(() => loaded.close());
  expect(await loaded.eventsAfter(FIRST_ACCOUNT, 0, 10)).toEqual(events);
  expect(events).toHaveLength(2);
  expect((await loaded.load(empty))?.durable).toBe(0);
  // The log can be searched for a time, as it could.
  expect(await loaded.changeAt(FIRST_ACCOUNT, "2000-01-01T00:00:00.000000Z")).toBe(1);
});

describe("dump", () => {
  beforeEach(async () => {
    const store = await openWorld(at("data"), new Chance(7), 20);
    await store.close();
  });

  test("makes a file of its user's alone, and overwrites none", async () => {
    const said = await done(dump, { data: at("data"), to: at("dump") });
    expect(said).toMatch(/^\S+ holds 3 states with \d+ objects and 23 changes\.\n$/);
    expect(statSync(at("dump")).mode & 0o777).toBe(0o600);
    const before = readFileSync(at("dump"), "utf8");
    expect(await refused(dump, { data: at("data"), to: at("dump") })).toBe(
      `${at("dump")} is there already. Name a new file.`,
    );
    expect(readFileSync(at("dump"), "utf8")).toBe(before);
  });

  test("is refused where there is no data, and makes none", async () => {
    expect(await refused(dump, { data: at("none"), to: at("dump") })).toBe(
      `There is no patchbay.db in ${at("none")}. Name a data directory with --data.`,
    );
    expect(readdirSync(directory)).toEqual(["data"]);
  });

  test("is refused where it cannot write", async () => {
    const to = join(at("none"), "dump");
    expect(await refused(dump, { data: at("data"), to })).toMatch(/none\/dump could not be written: ENOENT/);
  });

  test.each([
    ["cannot be read", "UPDATE change SET record = substr(record, 1, 40) WHERE revision = 5", /checksum/],
    [
      "is another's",
      "UPDATE change SET record = replace(record, '\"revision\":5', '\"revision\":6') WHERE revision = 5",
      /checksum/,
    ],
    ["is missing", "DELETE FROM change WHERE revision = 5", /lacks revision 5/],
  ])("is refused, and leaves no file, when a change %s", async (_, damage, reason) => {
    const raw = new DatabaseSync(join(at("data"), "patchbay.db"));
    raw.exec(damage);
    raw.close();
    const sentence = await refused(dump, { data: at("data"), to: at("dump") });
    expect(sentence).toMatch(/could not be dumped: a file of it is damaged/);
    expect(sentence).toMatch(reason);
    expect(readdirSync(directory)).toEqual(["data"]);
  });

  test("carries the rows of tables that it knows nothing of, and load refuses those that this version has not", async () => {
    const raw = new DatabaseSync(join(at("data"), "patchbay.db"));
    raw.exec(`CREATE TABLE sample (state TEXT, number INTEGER, share REAL, note TEXT, PRIMARY KEY (state, number)) STRICT, WITHOUT ROWID;
      INSERT INTO sample VALUES ('b', 1, 0.5, NULL), ('a', 2, 1.0, 'line' || char(10) || 'two');`);
    raw.close();
    await done(dump, { data: at("data"), to: at("dump") });
    const rows = linesOf(at("dump")).filter((line) => line.startsWith('{"type":"row"'));
    expect(rows.map((line) => JSON.parse(line).values)).toEqual([
      { state: "a", number: 2, share: 1, note: "line\ntwo" },
      { state: "b", number: 1, share: 0.5, note: null },
    ]);
    const line = linesOf(at("dump")).indexOf(rows[0] ?? "") + 1;
    expect(await refused(load, { data: at("loaded"), from: at("dump") })).toBe(
      `${at("dump")}:${line}: this version of Patchbay does not know the table sample.`,
    );
  });
});

describe("load is refused, with the line, and leaves nothing, when", () => {
  /** The lines of a dump: a header, two accounts with four changes and some objects, the directory, the end. */
  let lines: string[];
  beforeEach(async () => {
    const store = await SqliteStore.open(at("data"));
    await store.replace(makeSmallWorld(3));
    await changeAtRandom(store, new Chance(11), 30);
    await store.close();
    await done(dump, { data: at("data"), to: at("dump") });
    lines = readFileSync(at("dump"), "utf8").trimEnd().split("\n");
  });

  /** The number of the first line of a type that holds a text. */
  const find = (type: string, text = "") =>
    lines.findIndex((line) => line.startsWith(`{"type":"${type}"`) && line.includes(text)) + 1;
  const edit = (number: number, change: (line: string) => string) => {
    lines[number - 1] = change(lines[number - 1] ?? "");
    return number;
  };

  const become = (others: readonly string[], number: number) => {
    lines = [...others];
    return number;
  };

  const cases: readonly [string, () => number, RegExp][] = [
    ["it is no dump", () => become(["{}"], 1), /a line is an object whose "type" is header, state/],
    ["it is empty", () => become([], 1), /the file ends here, before its end/],
    ["it has no header", () => become(lines.slice(1), 1), /the first line is no header/],
    [
      "it is of a later format",
      () => edit(1, (line) => line.replace('"format":1', '"format":2')),
      /the dump is of format 2, but this version reads 1/,
    ],
    [
      "it is an archive",
      () => edit(1, (line) => line.replace("world", "archive")),
      /this is an archive: name it with --archive/,
    ],
    [
      "it was cut off between lines",
      () => become(lines.slice(0, -3), lines.length - 2),
      /before its end: it was cut off/,
    ],
    [
      "it was cut off within a line",
      () => {
        become(lines.slice(0, 9), 9);
        return edit(9, (line) => line.slice(0, -9));
      },
      /this is no JSON/,
    ],
    ["it goes on after its end", () => lines.push(lines[1] ?? ""), /there is something after the end/],
    [
      "its end counts otherwise",
      () => edit(lines.length, (line) => line.replace(/"objects":\d+/, '"objects":1')),
      /should hold 1 objects, but holds \d+/,
    ],
    [
      "a line has a field that nobody knows",
      () => edit(2, (line) => line.replace('{"type"', '{"more":1,"type"')),
      /must not have additional properties|more/,
    ],
    [
      "a state is told twice",
      () => {
        const end = lines.length;
        lines.splice(end - 1, 0, lines[1] ?? "");
        return end;
      },
      /stands in the file already/,
    ],
    [
      "a state has the id of none",
      () => edit(2, (line) => line.replace(FIRST_ACCOUNT, "x")),
      /\/id must match pattern/,
    ],
    [
      "a change is missing",
      () => {
        const number = find("change", '"revision":3');
        lines.splice(number - 1, 1);
        return number;
      },
      /the change has revision 4, but 3 is next/,
    ],
    [
      "the last changes are missing",
      () => {
        const number = find("object");
        lines.splice(number - 2, 1);
        return number - 1;
      },
      /change \d+ of the state a+ is missing before this/,
    ],
    [
      "there is a change too many",
      () => {
        const number = find("object");
        lines.splice(number - 1, 0, lines[number - 2] ?? "");
        return number;
      },
      /ends at revision \d+, before this change/,
    ],
    [
      "a change has no time",
      () => edit(find("change", '"revision":3'), (line) => line.replace(/"time":"[^"]*"/, '"time":"today"')),
      /\/record\/time must match format "date-time"/,
    ],
    [
      "a change is of a kind that this version does not know",
      () =>
        edit(find("change", '"revision":2'), (line) =>
          line.replace('"kind":"interconnect"', '"kind":"wormhole"'),
        ),
      /no objects of the kind wormhole/,
    ],
    [
      "an account holds what only the directory holds",
      () => edit(find("object"), (line) => line.replace(/"kind":"\w+"/, '"kind":"token"')),
      /no objects of the kind token/,
    ],
    [
      "an object stands before its state's changes",
      () => {
        const [object = ""] = lines.splice(find("object") - 1, 1);
        lines.splice(2, 0, object);
        return 3;
      },
      /change 1 of the state a+ is missing before this/,
    ],
    [
      "an object is told twice",
      () => {
        const number = find("object") + 1;
        lines.splice(number - 1, 0, lines[number - 2] ?? "");
        return number;
      },
      /stands in this state already/,
    ],
    [
      "an object is younger than its state",
      () => edit(find("object"), (line) => line.replace(/"revision":\d+/, '"revision":99')),
      /is of revision 99, but its state stands at/,
    ],
    [
      "an object is not what its log says",
      () => edit(find("object", '"mtu":1476'), (line) => line.replace('"mtu":1476', '"mtu":1400')),
      /not what the changes of the state a+ lead to/,
    ],
    [
      "an object is of another revision than its log says",
      () =>
        edit(find("object", '"kind":"interconnect"'), (line) =>
          line.replace(/"revision":\d+/, '"revision":2'),
        ),
      /not what the changes of the state a+ lead to/,
    ],
    [
      "two objects hold the same name",
      () =>
        edit(find("object", '"kind":"interconnect"') + 1, (line) =>
          line.replace(
            /"name":"\w+"/,
            /"name":"\w+"/.exec(lines[find("object", '"kind":"interconnect"') - 1] ?? "")?.[0] ?? "",
          ),
        ),
      /the name of interconnect \w+ is that of interconnect/,
    ],
    [
      "a document is none of its kind",
      () =>
        edit(find("object", '"kind":"interconnect"'), (line) =>
          line.replace(/"interface_address":"[^"]*"/, '"interface_address":7'),
        ),
      /this is no interconnect|not what the changes/,
    ],
    [
      "there is no directory",
      () => {
        const number = find("state", "directory");
        const [removed] = [lines.splice(number - 1, lines.length - number).length];
        edit(lines.length, (line) =>
          line
            .replace('"states":3', '"states":2')
            .replace(/"changes":(\d+)/, (_, n) => `"changes":${n - 1}`)
            .replace(/"objects":(\d+)/, (_, n) => `"objects":${n - (removed - 2)}`),
        );
        return 1;
      },
      /holds no directory/,
    ],
  ];

  test.each(cases)("%s", async (_, spoil, reason) => {
    const number = spoil();
    writeFileSync(at("spoilt"), lines.map((line) => `${line}\n`).join(""));
    const sentence = await refused(load, { data: at("loaded"), from: at("spoilt") });
    expect(sentence.slice(0, sentence.indexOf(": "))).toBe(`${at("spoilt")}:${number}`);
    expect(sentence).toMatch(reason);
    expect(readdirSync(at("loaded"))).toEqual(["patchbay.lock"]);
    // The same directory takes a dump that is whole.
    await done(load, { data: at("loaded"), from: at("dump") });
  });

  test("an object is missing", async () => {
    const number = find("object", '"kind":"interconnect"');
    lines.splice(number - 1, 1);
    edit(lines.length, (line) => line.replace(/"objects":(\d+)/, (_, n) => `"objects":${n - 1}`));
    writeFileSync(at("spoilt"), `${lines.join("\n")}\n`);
    expect(await refused(load, { data: at("loaded"), from: at("spoilt") })).toMatch(
      /spoilt:\d+: (this is not what the changes|the interconnect \w+ is missing)/,
    );
  });

  test("it is no text", async () => {
    writeFileSync(at("spoilt"), Buffer.from([0x7b, 0xff, 0x0a]));
    expect(await refused(load, { data: at("loaded"), from: at("spoilt") })).toBe(
      `${at("spoilt")}:1: this is no UTF-8.`,
    );
  });

  test("there is no such file", async () => {
    expect(await refused(load, { data: at("loaded"), from: at("none") })).toContain(
      `${at("none")} cannot be read: ENOENT`,
    );
  });

  test("the directory is not empty", async () => {
    expect(await refused(load, { data: at("data"), from: at("dump") })).toContain(
      `The directory ${at("data")} is not empty: it holds patchbay.db`,
    );
  });
});

test("a load that is killed leaves nothing that could be served, and the next one is not in its way", async () => {
  const store = await SqliteStore.open(at("data"));
  await store.replace(makeSmallWorld(5_000));
  await store.close();
  await done(dump, { data: at("data"), to: at("dump") });
  const args = [BIN, "load", "--data", at("loaded"), "--from", at("dump")];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const unfinished = join(at("loaded"), "patchbay.db.new");
  while (!existsSync(unfinished) && child.exitCode === null) await new Promise((next) => setImmediate(next));
  child.kill("SIGKILL");
  await once(child, "close");
  expect(existsSync(unfinished)).toBe(true);
  expect(existsSync(join(at("loaded"), "patchbay.db"))).toBe(false);
  await done(load, { data: at("loaded"), from: at("dump") });
  expect(readdirSync(at("loaded")).sort()).toEqual(["patchbay.db", "patchbay.lock", "patchbay.mark"]);
  expect(await contentOf(at("loaded"))).toEqual(await contentOf(at("data")));
});
