import { useState } from "react";
import { fieldOf } from "../../../../src/file/fields.ts";
import { type DifferencesOf, DifferenceTable } from "./difference-table.tsx";
import { fullLabel } from "./labels.ts";
import type { Difference, Planned, ServerPlan } from "./server-plan.ts";
import { tellValue } from "./words.ts";

/** Interconnects that are shown before more are asked for. */
const MOST = 50;

/** What the server would make of the plan. */
export function PlanTable({ plan }: { readonly plan: ServerPlan }) {
  const [most, setMost] = useState(MOST);
  const changed = plan.interconnects.filter(({ differences }) => differences.length > 0);
  return (
    <section>
      <h2>
        {changed.length.toLocaleString("en")} of {plan.total.toLocaleString("en")} interconnects
      </h2>
      {changed.length === 0 && <p>Nothing would change: all is as asked for already.</p>}
      {changed.length > 0 && <DifferenceTable objects={changed.slice(0, most).map(shownOf)} />}
      {changed.length > most && (
        <button type="button" onClick={() => setMost(changed.length)}>
          Show all {changed.length.toLocaleString("en")}
        </button>
      )}
    </section>
  );
}

function shownOf({ moved, differences }: Planned): DifferencesOf {
  return {
    key: moved.after.id,
    name: moved.before.name,
    fields: differences.map((one) => ({
      key: one.path,
      label: labelOf(one.path),
      before: tellValue(fieldOf(one.path), one.before),
      after: tellAfter(one),
      tag: one.follows ? "follows" : undefined,
    })),
  };
}

function labelOf(path: string): string {
  return path === "health_check.target.effective" ? "Health check: probes are sent to" : fullLabel(path);
}

function tellAfter({ path, before, after }: Difference): string {
  const field = fieldOf(path);
  const isAnother = field?.secret && before !== undefined && after !== undefined;
  return isAnother ? "another secret" : tellValue(field, after);
}
