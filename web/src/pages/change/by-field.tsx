/** One field of all that are chosen: set for all at once, or one by one. */

import { useState } from "react";
import { means } from "../../../../src/file/fields.ts";
import type { Shown } from "../../../../src/file/shown.ts";
import { typedValue } from "./drafts.ts";
import { type Editing, inputId } from "./editing.ts";
import { FieldInput } from "./field-input.tsx";
import { type FieldInfo, lackOf } from "./fields.ts";
import { Help } from "./help.tsx";
import { troublesAt } from "./judge.ts";
import { fullLabel } from "./labels.ts";
import { TroubleList } from "./trouble-list.tsx";
import { tellValue } from "./words.ts";

/** Rows that are there at once; more are asked for. */
const ROWS = 100;

interface ByFieldProps {
  readonly field: FieldInfo;
  readonly editing: Editing;
  /** A row that must be there, further down than the first ones. */
  readonly wanted: string | undefined;
}

export function ByField({ field, editing, wanted }: ByFieldProps) {
  const [most, setMost] = useState(ROWS);
  const { path } = field;
  const { chosen, drafts } = editing;
  const able = chosen.filter((shown) => lackOf(shown, path) === undefined);
  const place = chosen.findIndex(({ id }) => id === wanted);
  const rows = chosen.slice(0, Math.max(most, place + 1));
  return (
    <section className="change-by-field" aria-label={fullLabel(path)}>
      <h2>{fullLabel(path)}</h2>
      <Help id={`all-${path}-help`} text={field.help} />
      {!field.unique && able.length > 1 && <ForAll field={field} editing={editing} able={able} />}
      <table className="change-values">
        <thead>
          <tr>
            <th scope="col">Interconnect</th>
            <th scope="col">Now</th>
            <th scope="col">Afterwards</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((shown) => (
            <ValueRow
              key={shown.id}
              field={field}
              shown={shown}
              editing={editing}
              changed={drafts.get(shown.id)?.has(path) ?? false}
            />
          ))}
        </tbody>
      </table>
      {rows.length < chosen.length && (
        <button type="button" onClick={() => setMost(rows.length + ROWS)}>
          Show {Math.min(ROWS, chosen.length - rows.length)} more of {chosen.length.toLocaleString("en")}
        </button>
      )}
    </section>
  );
}

interface ForAllProps {
  readonly field: FieldInfo;
  readonly editing: Editing;
  readonly able: readonly Shown[];
}

function ForAll({ field, editing, able }: ForAllProps) {
  const { path } = field;
  const [first, ...others] = able.map((shown) => typedValue(editing.drafts, shown, path));
  const same = others.every((value) => means(field, value, first));
  const id = `all-${path.replaceAll(".", "-")}`;
  return (
    <div className="change-for-all">
      <label htmlFor={id}>For all {able.length.toLocaleString("en")}</label>
      <FieldInput
        field={field}
        id={id}
        value={same ? first : undefined}
        several={!same}
        describedBy={`all-${path}-help`}
        invalid={false}
        change={(value) => editing.set(able, path, value)}
      />
    </div>
  );
}

interface ValueRowProps {
  readonly field: FieldInfo;
  readonly shown: Shown;
  readonly editing: Editing;
  readonly changed: boolean;
}

function ValueRow({ field, shown, editing, changed }: ValueRowProps) {
  const { path } = field;
  const id = inputId(shown.id, path);
  const troubles = troublesAt(editing.troubles, shown.id, path);
  const lack = lackOf(shown, path);
  return (
    <tr className={changed ? "changed" : undefined}>
      <th scope="row">{shown.name}</th>
      <td className="now mono">{lack === undefined ? tellValue(field, shown.fields.get(path)) : "–"}</td>
      <td className="after">
        {lack === undefined ? (
          <>
            <div className="change-with-undo">
              <FieldInput
                field={field}
                id={id}
                label={`${fullLabel(path)} of ${shown.name}`}
                value={typedValue(editing.drafts, shown, path)}
                describedBy={troubles.length > 0 ? `${id}-wrong` : undefined}
                invalid={troubles.length > 0}
                change={(value) => editing.set([shown], path, value)}
              />
              {changed && (
                <button
                  type="button"
                  className="plain"
                  aria-label={`Undo ${fullLabel(path)} of ${shown.name}`}
                  onClick={() => {
                    editing.undo(shown.id, path);
                    document.getElementById(id)?.focus();
                  }}
                >
                  Undo
                </button>
              )}
            </div>
            <TroubleList id={`${id}-wrong`} troubles={troubles} />
          </>
        ) : (
          <span className="muted">{lack}</span>
        )}
      </td>
    </tr>
  );
}
