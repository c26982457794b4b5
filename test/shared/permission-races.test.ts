/**
 * Requests that race with a change that is committed at the same time, through two servers on one PostgreSQL database: what
 * a token may do is judged on the state that decides, however old the memory of the server that is asked.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { isLong } from "../harness/runs.ts";
import { ORD, OWN, one, type Reply, startTestServer, type TestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

/** Holds Magic WAN Write, and no right to administer. */
const writer = { token: "demo-wan-write-token-0000000000000000000" };
const pending = { "x-patchbay-confirm-within": "60" };
const ROUNDS = isLong ? 300 : 12;

const servers: TestServer[] = [];

beforeAll(async () => {
  const url = await freshDatabase();
  for (let count = 0; count < 2; count++)
    servers.push(await startTestServer({}, { store: await PostgresStore.open(url) }));
});
afterAll(() => Promise.all(servers.map((server) => server.close())));

function pair(round: number): [TestServer, TestServer] {
  const [first, second] = servers;
  if (!first || !second) throw new Error("The servers have not started.");
  return round % 2 === 0 ? [first, second] : [second, first];
}

const revisionOf = async (server: TestServer): Promise<number> =>
  (await server.ask("GET", `${OWN}/state`)).body.result.revision;

/** A restore that is decided before the change finds nothing to restore. */
const outcomeOf = (reply: Reply) =>
  reply.status === 200 && reply.body.result === null ? "nothing to change" : verdict(reply);

/** What a token without the right attempts while the change is being made. */
const attempts: Readonly<Record<string, (server: TestServer, revision: number) => Promise<Reply>>> = {
  confirm: (server, revision) => server.ask("POST", `${OWN}/changes/${revision}/confirm`, writer),
  extend: (server, revision) =>
    server.ask("POST", `${OWN}/changes/${revision}/extend`, { ...writer, body: { confirm_within: 3600 } }),
  revert: (server, revision) => server.ask("POST", `${OWN}/changes/${revision}/revert`, writer),
  restore: (server, revision) =>
    server.ask("POST", `${OWN}/restore`, { ...writer, body: { to_revision: revision - 1 } }),
  override: (server) =>
    server.ask("PUT", one(ORD), {
      ...writer,
      body: { mtu: 1300 },
      headers: { "x-patchbay-override": "confirm" },
    }),
};

test.each(Object.keys(attempts))(
  "a token without the right cannot %s a change of the settings, in whichever order they arrive",
  async (name) => {
    const attempt = attempts[name];
    const answers: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [here, there] = pair(round);
      const revision = (await revisionOf(here)) + 1;
      // Both servers have the state from before the change in memory.
      await revisionOf(there);
      const change = here.ask("PUT", `${OWN}/settings`, {
        body: { authorized_prefixes: [`203.0.113.${round}/32`] },
        headers: pending,
      });
      const attempted: Promise<Reply | undefined>[] = [];
      for (let count = 0; count < 4; count++) attempted.push(Promise.resolve(attempt?.(there, revision)));
      expect(verdict(await change)).toBe("200");
      for (const reply of await Promise.all(attempted)) if (reply) answers.push(outcomeOf(reply));
      const state = (await here.ask("GET", `${OWN}/state`)).body.result;
      expect([state.revision, state.pending_change?.revision]).toEqual([revision, revision]);
      expect(verdict(await here.ask("POST", `${OWN}/changes/${revision}/revert`))).toBe("200");
    }
    expect(answers).toHaveLength(ROUNDS * 4);
    expect(answers.filter((answer) => answer === "200")).toEqual([]);
  },
);

test("a token that made a change can confirm it through a server that has not read it yet", async () => {
  for (let round = 0; round < 10; round++) {
    const [here, there] = pair(round);
    const change = await here.ask("PUT", one(ORD), {
      ...writer,
      body: { mtu: 1300 + round },
      headers: pending,
    });
    expect(verdict(change)).toBe("200");
    const revision = await revisionOf(there);
    expect(verdict(await there.ask("POST", `${OWN}/changes/${revision}/confirm`, writer))).toBe("200");
  }
});
