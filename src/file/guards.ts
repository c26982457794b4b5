/** What should make an operator look twice before a plan is applied. */

import { fieldOf } from "./fields.ts";
import type { Plan } from "./plan.ts";

/** A mistake in `defaults` changes all; in an account of a few, most changes change many of them. */
const MANY_OF = 10;
const MOST_PERCENT = 30;
/** Names that a sentence lists. */
const NAMED = 5;

/** Sentences, each a reason why the plan needs `--force`. */
export function guardsOf({ steps, total }: Plan): readonly string[] {
  const guards: string[] = [];
  if (total >= MANY_OF && steps.length * 100 > total * MOST_PERCENT) {
    const percent = Math.round((steps.length * 100) / total);
    guards.push(
      `It changes ${steps.length} of the account's ${total} interconnects (${percent} %, more than ${MOST_PERCENT} %).`,
    );
  }
  const moved = steps.filter(({ fields }) => fields.some(({ path }) => fieldOf(path)?.address));
  if (moved.length > 0) {
    const names = moved.slice(0, NAMED).map(({ name }) => name);
    const more = moved.length > NAMED ? ` and ${moved.length - NAMED} more` : "";
    guards.push(
      `It changes addresses of ${names.join(", ")}${more}: the other end has to change with it, or the interconnect is cut.`,
    );
  }
  return guards;
}
