import { useState } from "react";
import { fieldOf, type Value } from "../../../../src/file/fields.ts";
import { fullLabel } from "./labels.ts";
import type { Difference, Planned, ServerPlan } from "./server-plan.ts";
import { tellValue } from "./words.ts";

/** Interconnects that are shown before more are asked for. */
const MOST = 50;

/** Field by field, before and after. */
export function PlanTable({ plan }: { readonly plan: ServerPlan }) {
  const [most, setMost] = useState(MOST);
  const changed = plan.interconnects.filter(({ differences }) => differences.length > 0);
  return (
    <section className="differences">
      <h2>
        {changed.length.toLocaleString("en")} of {plan.total.toLocaleString("en")} interconnects
      </h2>
      {changed.length === 0 && <p>Nothing would change: all is as asked for already.</p>}
      {changed.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          {changed.slice(0, most).map((planned) => (
            <OneInterconnect key={planned.moved.after.id} {...planned} />
          ))}
        </table>
      )}
      {changed.length > most && (
        <button type="button" onClick={() => setMost(changed.length)}>
          Show all {changed.length.toLocaleString("en")}
        </button>
      )}
    </section>
  );
}

function OneInterconnect({ moved, differences }: Planned) {
  return (
    <tbody>
      <tr className="of">
        <th scope="rowgroup" colSpan={3}>
          {moved.before.name}
        </th>
      </tr>
      {differences.map((one) => (
        <tr key={one.path}>
          <th scope="row">
            {labelOf(one.path)}
            {one.follows && <span className="tag">follows</span>}
          </th>
          <td className="mono before">{tell(one, one.before)}</td>
          <td className="mono after">
            <span aria-hidden="true">→ </span>
            {tellAfter(one)}
          </td>
        </tr>
      ))}
    </tbody>
  );
}

function labelOf(path: string): string {
  return path === "health_check.target.effective" ? "Health check: probes are sent to" : fullLabel(path);
}

const tell = ({ path }: Difference, value: Value | undefined) => tellValue(fieldOf(path), value);

function tellAfter(one: Difference): string {
  const isSecret = fieldOf(one.path)?.secret && one.before !== undefined && one.after !== undefined;
  return isSecret ? "another secret" : tell(one, one.after);
}
