import { type ChangeRecord, editsOf } from "../account/change.ts";
import { kinds } from "../account/kinds.ts";
import type { Edit, State } from "../account/state.ts";

/** Carries a state over the next durable change. Throws if the record is not of the next. */
export function carryOver(state: State, record: ChangeRecord): readonly Edit[] {
  if (record.revision !== state.revision + 1) {
    throw new SyntaxError(`the log of ${state.id} lacks revision ${state.revision + 1}`);
  }
  const edits = editsOf(state, record, kinds);
  state.apply(edits, record.time);
  state.settle(edits, record.revision);
  return edits;
}
