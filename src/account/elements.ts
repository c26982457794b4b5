/** Elements of a bulk request: where they stand, what they name, and on what condition. */

import { show } from "../contract/check.ts";
import type { ErrorName, Problem, Problems } from "../contract/errors.ts";
import type { Slot, State } from "./state.ts";

/** Judges a request's condition, once the object is known to exist. */
export type Condition = (state: State, slot: Slot | undefined) => Problem | undefined;

/** Elements of a request's body. */
export interface Asked {
  readonly elements: readonly unknown[];
  /** JSON pointer of an element in the body as it was sent. */
  readonly pointerOf: (index: number) => string;
  readonly condition: Condition;
}

/** What is named: the kind, the refusal of one that is not there, and what may help to find it. */
export interface Naming {
  readonly kind: string;
  readonly unknown: ErrorName;
  readonly hint?: (state: State, id: string) => string;
}

/** Finds the objects that elements name by their ids, each of which may be named once. */
export function namedOnce(state: State, { kind, unknown, hint }: Naming, problems: Problems) {
  const seen = new Map<string, number>();
  return (id: string | undefined, element: unknown, pointer: string, index: number): Slot | undefined => {
    if (id === undefined) {
      // An id of the wrong form has been told already.
      if (typeof element !== "object" || element === null || Object.hasOwn(element, "id")) return undefined;
      const values = { field: "id", hint: ` It says which ${kind} the element is for.` };
      problems.add("missing_field", values, pointer);
      return undefined;
    }
    const slot = state.newest(kind, id);
    const first = seen.get(id);
    if (!slot)
      problems.add(unknown, () => ({ id: show(id), hint: hint?.(state, id) ?? "" }), `${pointer}/id`);
    else if (first !== undefined) problems.add("repeated_element", { kind, id, first }, `${pointer}/id`);
    else seen.set(id, index);
    return first === undefined ? slot : undefined;
  };
}
