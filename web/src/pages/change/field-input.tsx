import { useState } from "react";
import type { Value } from "../../../../src/file/fields.ts";
import type { FieldInfo } from "./fields.ts";

interface FieldInputProps {
  readonly field: FieldInfo;
  readonly id: string;
  /** None where several have different ones. */
  readonly value: Value | undefined;
  readonly label?: string;
  readonly describedBy: string | undefined;
  readonly invalid: boolean;
  readonly several?: boolean;
  readonly change: (value: Value) => void;
}

/** The one way to type a field. What is no number stays a text, of which the rules say what is wrong. */
export function FieldInput(props: FieldInputProps) {
  const { field, value, several, change } = props;
  const common = {
    id: props.id,
    "aria-label": props.label,
    "aria-describedby": props.describedBy,
    "aria-invalid": props.invalid,
    "data-field": field.path,
  };
  if (field.form === "true or false" || field.choices.length > 0) {
    const options = field.form === "true or false" ? ["true", "false"] : field.choices;
    const asked = (text: string) => change(field.form === "true or false" ? text === "true" : text);
    return (
      <select
        {...common}
        value={value === undefined ? "" : String(value)}
        onChange={(event) => asked(event.target.value)}
      >
        {(value === undefined || several) && (
          <option value="" disabled>
            {several ? "several values" : "not set"}
          </option>
        )}
        {options.map((option) => (
          <option key={option} value={option}>
            {field.form === "true or false" ? (option === "true" ? "on" : "off") : option}
          </option>
        ))}
      </select>
    );
  }
  if (field.form === "list of texts") return <ListInput {...props} common={common} />;
  return (
    <input
      {...common}
      type={field.secret ? "password" : "text"}
      className={field.path === "name" || field.path === "description" ? undefined : "mono"}
      inputMode={field.form === "whole number" ? "numeric" : undefined}
      autoComplete="off"
      spellCheck={false}
      placeholder={several ? "several values" : undefined}
      value={value === undefined ? "" : shownText(field, value)}
      onChange={({ target }) => change(field.form === "whole number" ? numberIn(target.value) : target.value)}
    />
  );
}

/** A secret that is kept is shown to nobody: what stands in its place is no value to begin with. */
function shownText(field: FieldInfo, value: Value): string {
  return field.secret && value === "(masked)" ? "" : String(value);
}

function numberIn(text: string): Value {
  const number = Number(text);
  return /^\s*-?\d+\s*$/.test(text) && Number.isSafeInteger(number) ? number : text;
}

/** One to a line, or with commas between. What is typed stays as it is typed while it means the same. */
function ListInput({ value, several, change, common }: FieldInputProps & { readonly common: object }) {
  const told = Array.isArray(value) ? value.join("\n") : "";
  const [text, setText] = useState(told);
  const typed = itemsIn(text).join("\n") === told ? text : told;
  return (
    <textarea
      {...common}
      className="mono"
      rows={Math.min(6, Math.max(2, typed.split("\n").length))}
      spellCheck={false}
      placeholder={several ? "several values" : "one to a line"}
      value={typed}
      onChange={({ target }) => {
        setText(target.value);
        change(itemsIn(target.value));
      }}
    />
  );
}

function itemsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== "");
}
