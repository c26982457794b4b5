import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { quietly, type Running, serve } from "../harness/command.ts";
import { ACCOUNTS, OPERATOR_TOKENS, policy, USERS } from "../harness/directory.ts";
import { Chance } from "../harness/random.ts";
import { isLong } from "../harness/runs.ts";
import { ACCOUNT, type Ask, ask, LIST, type Reply } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const ROUNDS = isLong ? 100 : 3;
const CLIENTS = 4;

const reading = { name: "durable", policies: [policy(["magicWanRead"], [`account.${ACCOUNT}`])] };

/** One credential or account, and what was told of it. What was asked for last and not answered may be so or not. */
interface Thing {
  /** What opens it is known to work. */
  works: Ask[];
  /** What opened it is known to work no more. */
  stopped: Ask[];
  /** What was on its way when the server ended: it may work or not. */
  open: Ask[];
  /** The account it is a look into. */
  readonly path: string;
}

/** Makes tokens, users and accounts, rolls and deletes them, until the server answers no more. */
async function stream(url: string, chance: Chance, things: Thing[], onAnswer: () => void): Promise<void> {
  const send = async (method: string, path: string, body?: object): Promise<Reply | undefined> => {
    const reply = await ask(url, method, path, body ? { body } : {}).catch(whenBroken);
    if (reply) {
      expect(reply.status).toBe(200);
      onAnswer();
    }
    return reply;
  };
  for (;;) {
    const made = chance.below(3) > 0 ? await token(send, chance, things) : await account(send, things);
    if (!made) return;
  }
}

type Send = (method: string, path: string, body?: object) => Promise<Reply | undefined>;

/** The life of a token: made, perhaps rolled, perhaps deleted. False if it was broken off. */
async function token(send: Send, chance: Chance, things: Thing[]): Promise<boolean> {
  const made = await send("POST", OPERATOR_TOKENS, reading);
  if (!made) return false;
  const { id, value } = made.body.result;
  const thing: Thing = { works: [{ token: value }], stopped: [], open: [], path: LIST };
  things.push(thing);
  /** What works now is not known to until the answer. */
  const unsettle = () => {
    thing.open = thing.works;
    thing.works = [];
  };
  if (chance.below(2) === 0) {
    unsettle();
    const rolled = await send("PUT", `${OPERATOR_TOKENS}/${id}/value`);
    if (!rolled) return false;
    thing.stopped.push(...thing.open);
    thing.works = [{ token: rolled.body.result }];
    thing.open = [];
  }
  if (chance.below(2) === 0) {
    unsettle();
    if (!(await send("DELETE", `${OPERATOR_TOKENS}/${id}`))) return false;
    thing.stopped.push(...thing.open);
    thing.open = [];
  }
  return true;
}

/** An account, and a user who is a member of it. */
async function account(send: Send, things: Thing[]): Promise<boolean> {
  const made = await send("POST", ACCOUNTS, { name: "durable" });
  if (!made) return false;
  const { id } = made.body.result;
  const email = `${id}@example.com`;
  const path = LIST.replace(ACCOUNT, id);
  things.push({ works: [{}], stopped: [], open: [], path });
  const user = await send("POST", USERS, { email, accounts: [id] });
  if (!user) return false;
  const headers = { "x-auth-email": email, "x-auth-key": user.body.result.key };
  things.push({ works: [{ token: null, headers }], stopped: [], open: [], path });
  return true;
}

/** What `fetch` throws when the other end is gone; everything else is a failure of the test. */
function whenBroken(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error;
}

async function streamAndKill(server: Running, chance: Chance, things: Thing[]): Promise<void> {
  const enough = Promise.withResolvers<void>();
  let answers = 0;
  const wanted = chance.between(1, 100);
  const onAnswer = () => {
    if (++answers === wanted) enough.resolve();
  };
  const clients = Array.from({ length: CLIENTS }, () => stream(server.url, chance, things, onAnswer));
  await Promise.race([enough.promise, Promise.all(clients)]);
  // Not at the moment of an answer, but at any.
  await setTimeout(chance.below(10));
  expect(await server.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
  await Promise.all(clients);
}

test(`tokens, users and accounts that were acknowledged survive kill -9, and what was revoked stays so, in ${ROUNDS} rounds`, async () => {
  const options = quietly(join(temporaryDirectory(), "data"));
  const chance = new Chance();
  const things: Thing[] = [];
  let server = await serve(options);
  for (let round = 0; round < ROUNDS; round++) {
    await streamAndKill(server, chance, things);
    server = await serve(options);
    expect(server.said.stdout).toContain("as it was left");
    for (const { works, stopped, open, path } of things) {
      const opens = async (asked: Ask) => verdict(await ask(server.url, "GET", path, asked));
      for (const asked of works) expect(await opens(asked)).toBe("200");
      for (const asked of stopped) expect(await opens(asked)).toBe("403 9109");
      for (const asked of open) expect(["200", "403 9109"]).toContain(await opens(asked));
    }
    // Every account of the directory has its state, and the log all there was.
    const { body } = await ask(server.url, "GET", `${ACCOUNTS}?per_page=50`);
    for (const { id } of body.result)
      expect(verdict(await ask(server.url, "GET", `/patchbay/v1/accounts/${id}/state`))).toBe("200");
  }
  await server.end("SIGKILL");
  const count = (of: keyof Thing) => things.reduce((sum, thing) => sum + thing[of].length, 0);
  console.log(
    `${ROUNDS} kills: ${count("works")} credentials and accounts work, ${count("stopped")} were revoked, ${count("open")} were on their way`,
  );
  expect(count("works")).toBeGreaterThan(ROUNDS);
  expect(count("stopped")).toBeGreaterThan(0);
}, 3_600_000);
