/** Confirmation, undo, deadline and health at once: one of them wins, and the account is as that one left it. */

import { afterAll, expect, test } from "vitest";
import type { HealthReport } from "../../src/contract/health.ts";
import { currentOf, report, transitionOf } from "../harness/edge-report.ts";
import { Chance } from "../harness/random.ts";
import { isLong } from "../harness/runs.ts";
import { ORD, OWN, one, startTestServer } from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";

const ROUNDS = isLong ? 1_000 : 60;

const clock = new SetClock("2026-03-01T12:00:00Z");
const server = await startTestServer({ healthSettle: 3 }, { clock });
afterAll(() => server.close());

const at = (seconds = 0) => new Date(clock.now() + seconds * 1000).toISOString();
const mtu = async () => (await server.ask("GET", one(ORD))).body.result.interconnect.mtu;
const state = async () => (await server.ask("GET", `${OWN}/state`)).body.result;

type Configuration = HealthReport["configuration"];

const fall = (edge: string, configuration: Configuration) =>
  report(server, { edge, configuration, transitions: [transitionOf("down", at(), { from: "healthy" })] });

/** What may end a wait. Each is asked without waiting for the others; those of health, of edges that made it real. */
const contenders = {
  confirm: ({ revision }: Configuration) => server.ask("POST", `${OWN}/changes/${revision}/confirm`),
  revert: ({ revision }: Configuration) => server.ask("POST", `${OWN}/changes/${revision}/revert`),
  fall: (configuration: Configuration) => fall("ord-1", configuration),
  fallElsewhere: (configuration: Configuration) => fall("ord-2", configuration),
  settle: (configuration: Configuration) => report(server, { configuration }),
  override: () =>
    server.ask("PUT", one(ORD), {
      body: { description: at() },
      headers: { "x-patchbay-override": "confirm" },
    }),
};

/** Whoever removes what waits has decided. */
function endsAWait({ objects }: { objects: { kind: string; action: string }[] }): boolean {
  return objects.some(({ kind, action }) => kind === "pending_change" && action === "delete");
}

test(`of ${ROUNDS} rounds each is decided once`, { timeout: 300_000 }, async () => {
  const won = new Map<string, number>();
  for (let round = 1; round <= ROUNDS; round++) {
    const chance = new Chance(round);
    const before = round % 2 === 0 ? 1476 : 1300;
    const after = round % 2 === 0 ? 1300 : 1476;
    await server.ask("PUT", one(ORD), { body: { mtu: before } });
    clock.pass(5);
    const states = [currentOf("healthy", at(-1))];
    for (const edge of ["ord-1", "ord-2"]) await report(server, { edge, states });
    const reply = await server.ask("PUT", one(ORD), {
      body: { mtu: after },
      headers: { "x-patchbay-confirm-within": "5", "x-patchbay-revert-on": "down" },
    });
    const revision = Number(reply.headers.get("x-patchbay-revision"));
    expect(reply.headers.get("x-patchbay-watched"), `round ${round}`).toBe("1");
    const { epoch } = await state();
    const configuration = { status: "applied" as const, epoch, revision, problems: [] };
    for (const edge of ["ord-1", "ord-2"]) await report(server, { edge, states, configuration });
    // The time for health's own confirmation has come, and in every third round that of the deadline, too.
    clock.pass(round % 3 === 0 ? 5 : 4);
    const some = chance.some(Object.keys(contenders), chance.between(1, 6)) as (keyof typeof contenders)[];
    await Promise.all(some.map((name) => contenders[name](configuration)));
    const { body } = await server.ask("GET", `${OWN}/changes?after=${revision}&wait=30`);
    // What came beside it is there now, if it is to come at all.
    await report(server);
    await server.ask("PUT", one(ORD), { body: { description: `round ${round}` } });
    const log = (await server.ask("GET", `${OWN}/changes?after=${revision}&limit=100`)).body.result;
    const ends = log.filter(endsAWait);
    expect(ends, `round ${round}: ${some}`).toHaveLength(1);
    const [end] = ends;
    expect(body.result[0].revision).toBe(revision + 1);
    expect(end.revision).toBe(revision + 1);
    // What was confirmed may be undone all the same, as any change.
    const undone = log.some(({ reverts }: { reverts?: number }) => reverts === revision);
    expect(await mtu(), `round ${round}: ${some}`).toBe(undone ? before : after);
    if (end.operation !== "confirmChange") expect(undone).toBe(true);
    expect((await state()).pending_change).toBeNull();
    const who = `${end.operation} by ${end.actor.type === "system" ? end.actor.id : "hand"}`;
    won.set(who, (won.get(who) ?? 0) + 1);
  }
  // Each way to end a wait has won at least once, or nothing of this was a race.
  expect([...won.keys()].sort()).toEqual([
    "confirmChange by hand",
    "confirmChange by health",
    "expireChange by deadline",
    "revertChange by hand",
    "revertChange by health",
  ]);
});
