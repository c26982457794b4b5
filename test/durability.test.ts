import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { ChangeRecord } from "../src/account/change.ts";
import { quietly, type Running, serve } from "./harness/command.ts";
import { Chance } from "./harness/random.ts";
import { type Plain, type Replay, replay } from "./harness/replay.ts";
import { isLong } from "./harness/runs.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { type Ask, ask, codes, LIST, OWN, one } from "./harness/server.ts";
import { temporaryDirectory } from "./harness/temporary.ts";
import { idOf } from "./harness/worlds.ts";

const ROUNDS = isLong ? 200 : 5;
/** More than the store writes in one turn of its process. */
const INTERCONNECTS = 1_200;
/** The first of them updates nearly all interconnects at once, time and again. */
const CLIENTS = 6;

const token = OWN_TOKEN;

interface Update {
  /** Unlike any other's. Every object of the update gets it as its description. */
  readonly tag: string;
  readonly ids: readonly string[];
  /** Told by the answer, if there was one. */
  acknowledged?: { readonly requestId: string; readonly etag: string };
}

interface Account {
  readonly epoch: string;
  readonly revision: number;
  readonly objects: Replay;
}

async function readAccount(url: string): Promise<Account> {
  const { status, body } = await ask(url, "GET", `${OWN}/state`, { token });
  expect(status).toBe(200);
  const { epoch, revision, interconnects } = body.result;
  return {
    epoch,
    revision,
    objects: new Map(interconnects.map((it: Plain) => [`interconnect/${it["id"]}`, it])),
  };
}

async function readLog(url: string, after: number): Promise<ChangeRecord[]> {
  const records: ChangeRecord[] = [];
  for (;;) {
    const from = records.at(-1)?.revision ?? after;
    const { body } = await ask(url, "GET", `${OWN}/changes?after=${from}&limit=100`, { token });
    records.push(...body.result);
    if (body.result.length === 0) return records;
  }
}

/** One client: update after update, single and bulk, until the server answers no more. */
async function stream(url: string, chance: Chance, name: string, sent: Update[], onAnswer: () => void) {
  const all = [...Array(INTERCONNECTS).keys()];
  for (let count = 0; ; count++) {
    const tag = `${name}-${count}`;
    const single = !name.endsWith("client 0") && chance.below(5) < 3;
    const size = name.endsWith("client 0") ? chance.between(1_001, INTERCONNECTS) : chance.between(2, 40);
    const numbers = single ? [chance.pick(all)] : chance.some(all, size);
    const update: Update = { tag, ids: numbers.map(idOf) };
    sent.push(update);
    const values = {
      description: tag,
      mtu: chance.between(576, 1476),
      health_check: { rate: chance.pick(["low", "mid", "high"]) },
    };
    const asked: Ask = single
      ? { token, body: values }
      : { token, body: { interconnects: update.ids.map((id) => ({ id, ...values })) } };
    const reply = await ask(url, "PUT", single ? one(update.ids[0] ?? "") : LIST, asked).catch(whenBroken);
    // The connection broke: nobody was told whether the update was made.
    if (!reply) return;
    expect(reply.status).toBe(200);
    update.acknowledged = {
      requestId: reply.headers.get("cf-ray") ?? "",
      etag: reply.headers.get("etag") ?? "",
    };
    onAnswer();
  }
}

/** What `fetch` throws when the other end is gone; everything else is a failure of the test. */
function whenBroken(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error;
}

/** Lets clients update at will, and kills the server at some moment. */
async function streamAndKill(server: Running, chance: Chance, round: number): Promise<Update[]> {
  const sent: Update[] = [];
  const enough = Promise.withResolvers<void>();
  let answers = 0;
  const wanted = chance.between(1, 120);
  const onAnswer = () => {
    if (++answers === wanted) enough.resolve();
  };
  const clients = Array.from({ length: CLIENTS }, (_, client) =>
    stream(server.url, chance, `round ${round}, client ${client}`, sent, onAnswer),
  );
  await Promise.race([enough.promise, Promise.all(clients)]);
  // Not at the moment of an answer, but at any.
  await setTimeout(chance.below(15));
  expect(await server.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
  await Promise.all(clients);
  return sent;
}

const tagsOf = ({ objects }: ChangeRecord) =>
  new Set(objects.map(({ fields }) => fields["description"]?.after));

/** Every update is in the log once and whole, or (if nobody was told of it) not at all. */
function compare(sent: readonly Update[], log: readonly ChangeRecord[], { epoch, objects }: Account): void {
  const logged = new Map<unknown, ChangeRecord>();
  for (const record of log) {
    const [tag, ...others] = tagsOf(record);
    expect(others).toEqual([]);
    expect(logged.has(tag), `${tag} is in the log twice`).toBe(false);
    logged.set(tag, record);
  }
  const last = new Map(
    log.flatMap(({ revision, objects: all }) => all.map(({ id }) => [id, revision] as const)),
  );
  for (const { tag, ids, acknowledged } of sent) {
    const record = logged.get(tag);
    logged.delete(tag);
    if (acknowledged) {
      expect(record, `${tag} was acknowledged and is lost`).toBeDefined();
      expect(record?.request_id).toBe(acknowledged.requestId);
      expect(acknowledged.etag).toBe(`"${epoch}-${record?.revision}"`);
    }
    if (!record) continue;
    expect(record.objects.map(({ id }) => id)).toEqual(ids);
    for (const id of ids) {
      const shown = objects.get(`interconnect/${id}`)?.["description"];
      const later = (last.get(id) ?? 0) > record.revision;
      expect(later || shown === tag, `${id} does not show ${tag}`).toBe(true);
    }
  }
  expect([...logged.keys()], "changes that nobody asked for").toEqual([]);
}

test(`whatever was acknowledged survives kill -9, in ${ROUNDS} rounds`, async () => {
  const data = temporaryDirectory();
  const seed = join(data, "seed.yaml");
  writeFileSync(seed, makeSeed(INTERCONNECTS));
  const options = quietly(join(data, "data"), seed);
  const chance = new Chance();
  let server = await serve(options);
  let account = await readAccount(server.url);
  const counts = { acknowledged: 0, unanswered: 0, made: 0, bulk: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const sent = await streamAndKill(server, chance, round);
    server = await serve(options);
    expect(server.said.stdout).toContain("as it was left");

    const found = await readAccount(server.url);
    const log = await readLog(server.url, account.revision);
    expect(found.epoch).toBe(account.epoch);
    expect(log.map(({ revision }) => revision)).toEqual(log.map((_, index) => account.revision + 1 + index));
    expect(found.revision).toBe(account.revision + log.length);
    compare(sent, log, found);
    const { objects } = account;
    for (const record of log) replay(objects, record);
    expect([...found.objects]).toEqual([...objects]);

    const acknowledged = sent.filter((update) => update.acknowledged);
    counts.acknowledged += acknowledged.length;
    counts.bulk += acknowledged.filter(({ ids }) => ids.length > 1).length;
    counts.unanswered += sent.length - acknowledged.length;
    counts.made += log.length - acknowledged.length;
    account = found;
  }
  await server.end("SIGKILL");
  console.log(
    `${ROUNDS} kills: ${counts.acknowledged} updates acknowledged (${counts.bulk} of many), none lost; of ${counts.unanswered} unanswered, ${counts.made} were made`,
  );
  expect(counts.acknowledged).toBeGreaterThan(ROUNDS);
  expect(counts.bulk).toBeGreaterThan(0);
  expect(counts.unanswered).toBeGreaterThan(0);
}, 3_600_000);

describe("on a disk that takes no more", () => {
  /** Kilobytes that any one file may have. */
  const ROOM = 600;
  const PORTS = 200;

  test("updates are refused, reads go on, and a server with room finds all that was acknowledged", async () => {
    const data = temporaryDirectory();
    const seed = join(data, "seed.yaml");
    writeFileSync(seed, makeSeed(PORTS));
    const options = quietly(join(data, "data"), seed);
    const limited = await serve(options, { before: ["bash", "-c", `ulimit -f ${ROOM}; exec "$0" "$@"`] });
    const { url } = limited;

    let acknowledged = 0;
    let refused = await put(url, 0);
    while (refused.status === 200) refused = await put(url, ++acknowledged);
    expect(refused.status).toBe(503);
    expect(codes(refused)).toEqual([990002]);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await put(url, acknowledged)).status).toBe(503);

    const before = await readAccount(url);
    expect(before.revision).toBe(acknowledged + 1);
    expect(await readLog(url, 0)).toHaveLength(acknowledged + 1);
    await limited.end("SIGTERM");

    const { url: roomy, end } = await serve(options);
    expect(await readAccount(roomy)).toEqual(before);
    expect((await put(roomy, acknowledged)).status).toBe(200);
    expect((await readAccount(roomy)).revision).toBe(acknowledged + 2);
    await end("SIGTERM");
  });

  /** Updates every interconnect, so that each round takes room. */
  function put(url: string, round: number) {
    const interconnects = Array.from({ length: PORTS }, (_, number) => ({
      id: idOf(number),
      description: `round ${round} of ${number}, ${"to fill the disk ".repeat(10)}`,
    }));
    return ask(url, "PUT", LIST, { token, body: { interconnects } });
  }
});
