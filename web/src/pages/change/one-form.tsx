/** All fields of one interconnect. */

import type { Shown } from "../../../../src/file/shown.ts";
import { member } from "../../../../src/file/shown.ts";
import { typedValue } from "./drafts.ts";
import { type Editing, inputId } from "./editing.ts";
import { FieldInput } from "./field-input.tsx";
import { type FieldInfo, groups, lackOf } from "./fields.ts";
import { Help } from "./help.tsx";
import { troublesAt } from "./judge.ts";
import { TroubleList } from "./trouble-list.tsx";
import { tellValue } from "./words.ts";

export function OneForm({ shown, editing }: { readonly shown: Shown; readonly editing: Editing }) {
  return (
    <div className="change-one">
      <p className="muted change-facts">
        <span className="mono">{shown.id}</span> · version {String(member(shown.raw, "version"))}
      </p>
      <TroubleList id={`whole-${shown.id}`} troubles={troublesAt(editing.troubles, shown.id, undefined)} />
      {groups.map(({ title, fields }) => {
        const there = fields.filter(({ path }) => lackOf(shown, path) === undefined);
        return (
          <fieldset key={title}>
            <legend>{title}</legend>
            {there.map((field) => (
              <OneField key={field.path} field={field} shown={shown} editing={editing} />
            ))}
          </fieldset>
        );
      })}
    </div>
  );
}

interface OneFieldProps {
  readonly field: FieldInfo;
  readonly shown: Shown;
  readonly editing: Editing;
}

function OneField({ field, shown, editing }: OneFieldProps) {
  const { path } = field;
  const id = inputId(shown.id, path);
  const troubles = troublesAt(editing.troubles, shown.id, path);
  const changed = editing.drafts.get(shown.id)?.has(path) ?? false;
  const described = [troubles.length > 0 && `${id}-wrong`, `${id}-help`].filter(Boolean).join(" ");
  return (
    <div className={changed ? "change-field changed" : "change-field"}>
      <label htmlFor={id}>{field.label}</label>
      <div className="change-field-value">
        <FieldInput
          field={field}
          id={id}
          value={typedValue(editing.drafts, shown, path)}
          describedBy={described}
          invalid={troubles.length > 0}
          change={(value) => editing.set([shown], path, value)}
        />
        {changed && (
          <p className="change-was">
            was <span className="mono">{tellValue(field, shown.fields.get(path))}</span>
            <button
              type="button"
              className="plain"
              aria-label={`Undo ${field.label}`}
              onClick={() => {
                editing.undo(shown.id, path);
                document.getElementById(id)?.focus();
              }}
            >
              Undo
            </button>
          </p>
        )}
        <TroubleList id={`${id}-wrong`} troubles={troubles} />
      </div>
      <Help id={`${id}-help`} text={field.help} />
    </div>
  );
}
