/** Updates of the model's world as commands, and their decisions, without a server. */

import fc from "fast-check";
import { type Command, type Decision, decide } from "../../src/account/decide.ts";
import { interconnectKind } from "../../src/account/interconnect.ts";
import { updateInterconnect, updateInterconnects } from "../../src/account/interconnect-update.ts";
import type { State } from "../../src/account/state.ts";
import { type Form, type JsonObject, update } from "./arbitraries.ts";
import { IDS, seededState } from "./model-world.ts";
import { circumstances } from "./worlds.ts";

const kind = interconnectKind.name;

/** Freezes a value to its depths, so that whoever writes to it throws. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
}

/** An update of interconnects, by their places in the seed; the sixth is none. */
export interface Asked {
  readonly form: Form;
  readonly elements: readonly { readonly at: number; readonly update: JsonObject }[];
  readonly one: boolean;
  readonly second: number;
}

function askedIn(form: Form): fc.Arbitrary<Asked> {
  const element = fc.record({
    at: fc.nat(5),
    update: fc.oneof({ weight: 9, arbitrary: update(form) }, { weight: 1, arbitrary: update(form, true) }),
  });
  return fc.record({
    form: fc.constant(form),
    elements: fc.uniqueArray(element, { maxLength: 4, selector: ({ at }) => at }),
    one: fc.boolean(),
    second: fc.nat(59),
  });
}

export const asked = fc.oneof(askedIn("text"), askedIn("object"));

export function commandOf({ form, elements, one, second }: Asked): Command {
  const about = { ...circumstances(), time: `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000Z` };
  const [first] = elements;
  const condition = () => undefined;
  if (one && first) {
    return updateInterconnect(
      frozen({ id: IDS[first.at] ?? "none", update: first.update, form, condition }),
      about,
    );
  }
  const bodies = elements.map(({ at, update }) => ({ id: IDS[at] ?? "none", ...update }));
  return updateInterconnects(
    frozen({ elements: bodies, pointerOf: (n: number) => `/${n}`, form, condition }),
    about,
  );
}

/** Takes a state through the commands, and looks at each decision before it is applied. */
export function drive(
  account: string,
  requests: readonly Asked[],
  look: (state: State, command: Command, decision: Decision) => void,
) {
  const state = seededState(account);
  for (const request of requests) {
    const command = commandOf(request);
    for (const { doc } of state.list(kind)) frozen(doc);
    const decision = decide(state, command);
    look(state, command, decision);
    if (!decision.ok || !decision.change) continue;
    state.apply(decision.change.edits, decision.change.record.time);
    state.settle(decision.change.edits, decision.change.record.revision);
  }
  return state;
}
