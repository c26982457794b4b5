/** Any course of commands, failures, lost races and lost connections, and what must hold after each. */

import { expect, test } from "vitest";
import type { OnCommit } from "../../test/harness/faulty-store.ts";
import { LiveAccount } from "../../test/harness/live-account.ts";
import { Chance } from "../../test/harness/random.ts";
import { type Replay, replay } from "../../test/harness/replay.ts";
import { isLong } from "../../test/harness/runs.ts";
import { create, FIRST_ACCOUNT, remove, snapshot, update } from "../../test/harness/worlds.ts";
import type { Command, Decision } from "../account/decide.ts";
import type { State } from "../account/state.ts";
import { NotCommitted, OutcomeUnknown } from "./store.ts";

const COURSES = isLong ? 5_000 : 300;
const COMMANDS = 40;
/** What rules of a defective kind throw. */
const DEFECT = new TypeError("a defect");

interface Submitted {
  readonly command: Command;
  readonly dry: boolean;
  readonly outcome: PromiseSettledResult<Decision>;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Numbers of the interconnects that are there. */
function numbersIn(state: State): number[] {
  return state.ids("interconnect").map((id) => Number.parseInt(id, 16));
}

/** A store that fails in every way a store may, and commits that land after they were given up. */
function failAtRandom(account: LiveAccount, chance: Chance): { late: Promise<void>[] } {
  const late: Promise<void>[] = [];
  let theirs = 0;
  const others = async () => {
    for (let count = chance.between(1, 3); count > 0; count--) {
      const numbers = numbersIn(await account.stored());
      const description = `theirs ${++theirs}`;
      if (numbers.length > 0) await account.others(update({ [chance.pick(numbers)]: { description } }));
    }
  };
  const happenings: readonly OnCommit[] = [
    (_, proceed) => proceed(),
    () => Promise.reject(new NotCommitted("disk full")),
    () => Promise.reject(new OutcomeUnknown("lost on the way there")),
    async (_, proceed) => {
      await proceed();
      throw new OutcomeUnknown("lost on the way back");
    },
    async (_, proceed) => {
      late.push(turns(chance.below(4)).then(() => proceed().catch(() => undefined)));
      throw new OutcomeUnknown("late");
    },
    async (_, proceed) => {
      await others();
      await proceed();
    },
    async (_, proceed) => {
      await proceed();
      await others();
    },
    async (_, proceed) => {
      await proceed();
      await others();
      throw new OutcomeUnknown("lost on the way back");
    },
    async () => {
      await others();
      throw new OutcomeUnknown("lost on the way there");
    },
  ];
  account.store.onCommit = async (batch, proceed) => {
    await turns(chance.below(3));
    await (chance.below(2) === 0 ? proceed() : chance.pick(happenings)(batch, proceed));
  };
  account.store.onRead = async () => {
    await turns(chance.below(2));
    if (chance.below(12) === 0) throw new Error("cannot be read");
  };
  return { late };
}

function anyCommand(account: LiveAccount, chance: Chance, index: number): Command {
  const numbers = numbersIn(account.live.state);
  const dice = chance.below(20);
  if (dice === 0) {
    return {
      ...update({}),
      propose: () => {
        throw DEFECT;
      },
    };
  }
  if (dice < 4 || numbers.length === 0) return create(chance.between(6, 12));
  if (dice < 7) return remove(chance.pick(numbers));
  const some = chance.some(numbers, chance.between(1, 3));
  const values = dice < 10 ? { name: `name ${chance.below(5)}` } : { description: `command ${index}` };
  return update(Object.fromEntries(some.map((number) => [number, values])));
}

async function submitAll(account: LiveAccount, chance: Chance): Promise<Submitted[]> {
  const submitted: Promise<Submitted>[] = [];
  for (let index = 0; index < COMMANDS; index++) {
    const command = anyCommand(account, chance, index);
    const dry = chance.below(6) === 0;
    const outcome = Promise.allSettled([account.submit(command, dry)]);
    submitted.push(outcome.then(([settled]) => ({ command, dry, outcome: settled })));
    if (chance.below(3) === 0) await turns(chance.below(4));
  }
  return Promise.all(submitted);
}

/** What a command's outcome says that the log holds of it: a revision, nothing, or one cannot know. */
function expectedInLog({ dry, outcome }: Submitted): number | "nothing" | "unknown" {
  if (outcome.status === "rejected") return outcome.reason instanceof OutcomeUnknown ? "unknown" : "nothing";
  if (dry || !outcome.value.ok) return "nothing";
  return outcome.value.change?.record.revision ?? "nothing";
}

async function runCourse(chance: Chance): Promise<Submitted[]> {
  const account = await LiveAccount.open(6);
  const { late } = failAtRandom(account, chance);
  const submitted = await submitAll(account, chance);
  await Promise.all(late);
  account.store.onCommit = (_, proceed) => proceed();
  account.store.onRead = async () => undefined;
  expect(await account.submit(create(99))).toMatchObject({ ok: true });

  await account.expectNothingLost();
  const log = (await account.store.inner.changesAfter(FIRST_ACCOUNT, 0, 100_000))?.records ?? [];
  expect(log.map(({ revision }) => revision)).toEqual(log.map((_, index) => index + 1));

  const replayed: Replay = new Map();
  for (const record of log) replay(replayed, record);
  const { objects } = snapshot(account.live.state);
  const ofKind = (kind: string) => [...replayed].filter(([key]) => key.startsWith(`${kind}/`));
  for (const kind of ["interconnect", "settings"]) {
    const held = objects.filter((object) => object.kind === kind);
    expect(held.map(({ id, doc }) => [`${kind}/${id}`, doc])).toEqual(ofKind(kind));
  }

  for (const one of submitted) {
    const inLog = log.filter(({ request_id }) => request_id === one.command.circumstances.requestId);
    const expected = expectedInLog(one);
    const revisions = inLog.map(({ revision }) => revision);
    if (expected === "unknown") expect(revisions.length).toBeLessThanOrEqual(1);
    else expect(revisions).toEqual(expected === "nothing" ? [] : [expected]);
  }
  return submitted;
}

test(`after any of ${COURSES} courses, what was answered is in the log once, and nothing else is`, async () => {
  const outcomes = new Map<string, number>();
  const first = Number(process.env["PATCHBAY_TEST_CHANCE"] ?? new Chance().below(2 ** 31));
  for (let course = 0; course < COURSES; course++) {
    const chance = new Chance(first + course);
    try {
      for (const one of await runCourse(chance)) {
        const { outcome } = one;
        const kind =
          outcome.status === "rejected"
            ? outcome.reason.constructor.name
            : outcome.value.ok
              ? "accepted"
              : "refused";
        outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      }
    } catch (error) {
      throw new Error(`PATCHBAY_TEST_CHANCE=${chance.seed} shows it again.`, { cause: error });
    }
  }
  // Every way a command can end has happened, or the courses prove less than they seem to.
  expect([...outcomes.keys()].sort()).toEqual([
    "Conflict",
    "NotCommitted",
    "OutcomeUnknown",
    "TypeError",
    "accepted",
    "refused",
  ]);
});
