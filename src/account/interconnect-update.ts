/** The two updates of interconnects, as commands. */

import { Checker, type Exception } from "../contract/check.ts";
import { type Problems, problem } from "../contract/errors.ts";
import { UpdateWithObject, UpdateWithText } from "../contract/interconnect.ts";
import { didYouMean } from "../contract/similar.ts";
import type { Circumstances, Command, Wish } from "./decide.ts";
import { type Asked, type Condition, type Naming, namedOnce } from "./elements.ts";
import { interconnectKind, interconnectOf } from "./interconnect.ts";
import { mergeInterconnect } from "./interconnect-merge.ts";
import type { TargetForm } from "./interconnect-view.ts";
import { settingsOf } from "./settings.ts";
import type { State } from "./state.ts";

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

export interface UpdateMany extends Asked {
  readonly form: TargetForm;
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

const naming: Naming = { kind: interconnectKind.name, unknown: "unknown_interconnect", hint };

function* proposeMany(asked: UpdateMany, state: State, problems: Problems): Iterable<Wish> {
  const named = namedOnce(state, naming, problems);
  const settings = settingsOf(state);
  const checker = checkers[asked.form];
  for (const [index, element] of asked.elements.entries()) {
    const pointer = asked.pointerOf(index);
    const update = checker.read(element, pointer, problems);
    const slot = update && named(update.id, element, pointer, index);
    if (!update || !slot?.entry) continue;
    const by = { settings, problems, pointer };
    const doc = mergeInterconnect(slot.id, interconnectOf(slot.entry), update, by);
    yield { kind: interconnectKind, slot, doc, pointer };
  }
}

/** The name of an interconnect given in place of its id, or an id that is nearly right. */
function hint(state: State, id: string): string {
  const named = state.holder(`tunnel-name:${id}`);
  if (named) return ` That is the name of ${named.id}.`;
  const ids = state.ids(interconnectKind.name);
  return ids.length > 200 ? "" : didYouMean(id, ids).replace(/^ Known:.*$/, "");
}
