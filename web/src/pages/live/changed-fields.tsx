import type { ChangeRecord } from "../../../../src/contract/log.ts";
import { fieldOf, type Value } from "../../../../src/file/fields.ts";
import { fullLabel } from "../change/labels.ts";
import { tellValue } from "../change/words.ts";

/** Interconnects and other objects that are told. */
const MOST = 50;

interface ChangedFieldsProps {
  readonly objects: ChangeRecord["objects"];
}

/** Field by field, before and after, as the log has it. */
export function ChangedFields({ objects }: ChangedFieldsProps) {
  const told = objects.filter(({ kind }) => kind !== "pending_change");
  return (
    <div className="differences">
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        {told.slice(0, MOST).map(({ kind, id, name, fields }) => (
          <tbody key={`${kind} ${id}`}>
            <tr className="of">
              <th scope="rowgroup" colSpan={3}>
                {name ?? id}
                {kind !== "interconnect" && <span className="tag">{kind}</span>}
              </th>
            </tr>
            {Object.entries(fields).map(([path, { before, after }]) => (
              <tr key={path}>
                <th scope="row">{kind === "interconnect" ? fullLabel(path) : path}</th>
                <td className="mono before">{tell(path, before)}</td>
                <td className="mono after">
                  <span aria-hidden="true">→ </span>
                  {tell(path, after)}
                </td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
      {told.length > MOST && <p className="muted">And {told.length - MOST} more: history tells them all.</p>}
    </div>
  );
}

function tell(path: string, value: unknown): string {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return JSON.stringify(value);
  return tellValue(fieldOf(path), value as Value | undefined);
}
