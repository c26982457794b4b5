/** Small worlds, and commands on them, for tests that work below the server. */

import { createHash, randomBytes } from "node:crypto";
import type { Change } from "../../src/account/change.ts";
import { type Circumstances, type Command, decide } from "../../src/account/decide.ts";
import { type InterconnectDoc, interconnectKind } from "../../src/account/interconnect.ts";
import { updateInterconnects } from "../../src/account/interconnect-update.ts";
import { kinds } from "../../src/account/kinds.ts";
import { type SeededState, seedWorld } from "../../src/account/seed.ts";
import { SETTINGS_ID, settingsKind } from "../../src/account/settings.ts";
import { State } from "../../src/account/state.ts";
import type { Chance } from "./random.ts";

export const FIRST_ACCOUNT = "a".repeat(32);
export const SECOND_ACCOUNT = "b".repeat(32);

const TIME = "2026-03-04T05:06:07.000000Z";
const actor = { type: "system", id: "test", name: "test" } as const;

/** The id of the interconnect of this number. */
export const idOf = (number: number) => number.toString(16).padStart(32, "0");

/** The interface subnet of the interconnect of this number. */
export function addressOf(number: number): string {
  const host = number * 2;
  return `10.${(host >> 16) & 255}.${(host >> 8) & 255}.${host & 255}/31`;
}

/** A world of two accounts, each with interconnects `pni_0`, `pni_1`, … */
export function makeSmallWorld(interconnects = 3, time = TIME): readonly SeededState[] {
  const account = (id: string) => ({
    id,
    name: `Account ${id.charAt(0)}`,
    interconnects: Array.from({ length: interconnects }, (_, number) => ({
      id: idOf(number),
      name: `pni_${number}`,
      version: "1",
      interface_address: addressOf(number),
    })),
  });
  const world = seedWorld(
    { accounts: [account(FIRST_ACCOUNT), account(SECOND_ACCOUNT)] },
    {
      time,
      hash: (secret) => createHash("sha256").update(secret).digest("hex"),
      epoch: () => randomBytes(8).toString("hex"),
    },
  );
  if (!world.ok) throw new Error(world.problems.map(({ message }) => message).join("\n"));
  return world.states;
}

let requests = 0;
/** Circumstances of a request of its own. */
export function circumstances(): Circumstances {
  return { time: TIME, actor, requestId: `request-${++requests}` };
}

/** The command that lays fields over interconnects, by their numbers. */
export function update(fields: Readonly<Record<number, object>>): Command {
  const elements = Object.entries(fields).map(([number, values]) => ({
    id: idOf(Number(number)),
    ...values,
  }));
  const asked = {
    elements,
    pointerOf: (index: number) => `/interconnects/${index}`,
    form: "text",
    condition: () => undefined,
  } as const;
  return updateInterconnects(asked, circumstances());
}

/** The command that lays the same fields over the first so many interconnects. */
export function updateFirst(count: number, fields: object): Command {
  return update(Object.fromEntries(Array.from({ length: count }, (_, number) => [number, fields])));
}

/** The command that makes the interconnect of this number. */
export function create(number: number, fields: Partial<InterconnectDoc> = {}): Command {
  const doc: InterconnectDoc = {
    name: `pni_${number}`,
    version: "1",
    created_on: TIME,
    modified_on: TIME,
    interface_address: addressOf(number),
    mtu: 1476,
    automatic_return_routing: false,
    health_check: { enabled: true, rate: "mid", type: "reply", direction: "unidirectional", target: "" },
    ...fields,
  };
  return {
    operation: "create",
    circumstances: circumstances(),
    propose: (state, problems) => {
      const slot = state.slotFor(interconnectKind.name, idOf(number));
      const there = slot.entry && !slot.entry.deleted;
      if (there) problems.add("invalid_request", { detail: `interconnect ${number} is there already` });
      return there ? [] : [{ kind: interconnectKind, slot, doc, pointer: "" }];
    },
  };
}

/** The command that removes the interconnect of this number. */
export function remove(number: number): Command {
  return {
    operation: "remove",
    circumstances: circumstances(),
    propose: (state, problems) => {
      const slot = state.newest(interconnectKind.name, idOf(number));
      if (!slot) problems.add("unknown_interconnect", { id: idOf(number), hint: "" });
      return slot ? [{ kind: interconnectKind, slot, doc: undefined, pointer: "" }] : [];
    },
  };
}

/** The command that gives the account these flags. */
export function setFlags(flags: readonly string[]): Command {
  return {
    operation: "setFlags",
    circumstances: circumstances(),
    propose: (state) => {
      const slot = state.slotFor(settingsKind.name, SETTINGS_ID);
      return [{ kind: settingsKind, slot, doc: { ...slot.entry?.doc, flags }, pointer: "" }];
    },
  };
}

/** Some command that changes the state: one interconnect more, one less, or a few changed. */
export function anyChange(state: State, chance: Chance): Command {
  const numbers = state.ids(interconnectKind.name).map((id) => Number.parseInt(id, 16));
  const dice = chance.below(10);
  if (dice < 3 || numbers.length === 0) return create(100 + state.revision);
  if (dice < 5) return remove(chance.pick(numbers));
  const description = `at ${state.revision}`;
  return update(Object.fromEntries(chance.some(numbers, 3).map((number) => [number, { description }])));
}

/** Decides a command that is sure to change something, and applies the change. */
export function applied(state: State, command: Command): Change {
  const decision = decide(state, command);
  if (!decision.ok) throw new Error(decision.problems.map(({ message }) => message).join("\n"));
  if (!decision.change) throw new Error("The command changes nothing.");
  state.apply(decision.change.edits, decision.change.record.time);
  return decision.change;
}

/** Everything that a state says of what is durable, as plain data. */
export function snapshot(state: State) {
  const names = [...kinds.keys()];
  return {
    id: state.id,
    epoch: state.epoch,
    revision: state.durable,
    collections: Object.fromEntries(names.map((kind) => [kind, state.collectionRevision(kind)])),
    objects: names.flatMap((kind) =>
      state.list(kind).map(({ id, revision, doc }) => ({ kind, id, revision, doc })),
    ),
  };
}

/** The state that the first change of a world makes. */
export function stateOf(seeded: SeededState): State {
  const state = new State(seeded.id, seeded.epoch);
  state.apply(seeded.change.edits, seeded.change.record.time);
  state.settle(seeded.change.edits, seeded.change.record.revision);
  return state;
}
