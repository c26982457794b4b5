/** The two updates of interconnects, as commands. */

import { Checker, type Exception, show } from "../contract/check.ts";
import { type Problem, type Problems, problem } from "../contract/errors.ts";
import { UpdateWithObject, UpdateWithText } from "../contract/interconnect.ts";
import { didYouMean } from "../contract/similar.ts";
import type { Circumstances, Command, Wish } from "./decide.ts";
import { interconnectKind, interconnectOf } from "./interconnect.ts";
import { mergeInterconnect } from "./interconnect-merge.ts";
import type { TargetForm } from "./interconnect-view.ts";
import { settingsOf } from "./settings.ts";
import type { Slot, State } from "./state.ts";

/** A key that is too long is not repeated to anybody. */
const keepSecret: Exception = (path, value, problems, pointer) => {
  if (path !== "/bgp/md5_key" || typeof value !== "string") return false;
  const values = { field: "bgp.md5_key", given: "not shown", expected: "at most 80 characters long" };
  problems.add("invalid_value", values, pointer);
  return true;
};

/** Says what is wrong with a target of the other form; `null` and the like are left to the schema. */
function wrongForm(header: string, other: "string" | "object", expected: string): Exception {
  return (path, value, problems, pointer) => {
    if (keepSecret(path, value, problems, pointer)) return true;
    if (path !== "/health_check/target" || value === null || Array.isArray(value) || typeof value !== other)
      return false;
    problems.add("target_form", { header, expected }, pointer);
    return true;
  };
}

const checkers = {
  text: new Checker(UpdateWithText, wrongForm("absent or false", "object", "a string")),
  object: new Checker(UpdateWithObject, wrongForm("true", "string", "an object {saved}")),
};

/** Judges a request's condition, once the object is known to exist. */
export type Condition = (state: State, slot: Slot | undefined) => Problem | undefined;

export interface UpdateOne {
  readonly id: string;
  readonly update: unknown;
  readonly form: TargetForm;
  readonly condition: Condition;
}

/** Update interconnect: one object, named by the path. */
export function updateInterconnect(asked: UpdateOne, circumstances: Circumstances): Command {
  return {
    operation: "updateInterconnect",
    circumstances,
    condition: (state) => {
      const slot = state.newest(interconnectKind.name, asked.id);
      if (!slot) return problem("interconnect_not_found", { id: asked.id, hint: hint(state, asked.id) });
      return asked.condition(state, slot);
    },
    propose: (state, problems) => {
      const slot = state.newest(interconnectKind.name, asked.id);
      const update = checkers[asked.form].read(asked.update, "", problems);
      if (!slot?.entry || !update) return [];
      const by = { settings: settingsOf(state), problems, pointer: "" };
      const doc = mergeInterconnect(slot.id, interconnectOf(slot.entry), update, by);
      return [{ kind: interconnectKind, slot, doc, pointer: "" }];
    },
  };
}

export interface UpdateMany {
  readonly elements: readonly unknown[];
  /** JSON pointer of an element in the body as it was sent. */
  readonly pointerOf: (index: number) => string;
  readonly form: TargetForm;
  readonly condition: Condition;
}

/** Update multiple interconnects: all or nothing, judged as the set would be afterwards. */
export function updateInterconnects(asked: UpdateMany, circumstances: Circumstances): Command {
  return {
    operation: "updateInterconnects",
    circumstances,
    condition: (state) => asked.condition(state, undefined),
    propose: (state, problems) => proposeMany(asked, state, problems),
  };
}

function* proposeMany(asked: UpdateMany, state: State, problems: Problems): Iterable<Wish> {
  const seen = new Map<string, number>();
  const settings = settingsOf(state);
  const checker = checkers[asked.form];
  for (const [index, element] of asked.elements.entries()) {
    const pointer = asked.pointerOf(index);
    const update = checker.read(element, pointer, problems);
    const slot = update && findNamed(state, update.id, element, pointer, problems);
    if (!update || !slot?.entry) continue;
    const first = seen.get(slot.id);
    if (first !== undefined) {
      problems.add("repeated_element", { kind: "interconnect", id: slot.id, first }, `${pointer}/id`);
      continue;
    }
    seen.set(slot.id, index);
    const doc = mergeInterconnect(slot.id, interconnectOf(slot.entry), update, {
      settings,
      problems,
      pointer,
    });
    yield { kind: interconnectKind, slot, doc, pointer };
  }
}

function findNamed(
  state: State,
  id: string | undefined,
  element: unknown,
  pointer: string,
  problems: Problems,
): Slot | undefined {
  if (id === undefined) {
    // An id of the wrong form has been told already.
    if (typeof element !== "object" || element === null || Object.hasOwn(element, "id")) return undefined;
    problems.add(
      "missing_field",
      { field: "id", hint: " It says which interconnect the element is for." },
      pointer,
    );
    return undefined;
  }
  const slot = state.newest(interconnectKind.name, id);
  if (!slot)
    problems.add("unknown_interconnect", () => ({ id: show(id), hint: hint(state, id) }), `${pointer}/id`);
  return slot;
}

/** The name of an interconnect given in place of its id, or an id that is nearly right. */
function hint(state: State, id: string): string {
  const named = state.holder(`tunnel-name:${id}`);
  if (named) return ` That is the name of ${named.id}.`;
  const ids = state.ids(interconnectKind.name);
  return ids.length > 200 ? "" : didYouMean(id, ids).replace(/^ Known:.*$/, "");
}
