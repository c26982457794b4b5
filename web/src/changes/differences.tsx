/** Field by field, before and after, one object below the other. */

import "./differences.css";
import { useState } from "react";
import type { ToldField, ToldObject } from "../../../src/account/log/net.ts";
import { nameOf, tellKind, tellValue } from "./words.ts";

/** Objects that are shown at once. */
const STEP = 50;

interface DifferencesProps {
  readonly objects: readonly ToldObject[];
  /** Shows the changes of that object alone. */
  readonly only?: (id: string) => void;
}

const signs = {
  create: { sign: "+", word: "created" },
  update: { sign: "~", word: "changed" },
  delete: { sign: "−", word: "deleted" },
} as const;

export function Differences({ objects, only }: DifferencesProps) {
  const [most, setMost] = useState(STEP);
  return (
    <>
      {objects.slice(0, most).map((object) => (
        <OneObject key={`${object.kind} ${object.id}`} object={object} only={only} />
      ))}
      {objects.length > most && (
        <p className="differences-more">
          <button type="button" onClick={() => setMost(most + STEP)}>
            Show {Math.min(STEP, objects.length - most)} more of {objects.length.toLocaleString("en")}
          </button>
        </p>
      )}
    </>
  );
}

function OneObject({ object, only }: { object: ToldObject; only: DifferencesProps["only"] }) {
  const { kind, id, action, fields } = object;
  const { sign, word } = signs[action];
  const entries = Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
  return (
    <section className={`difference ${action}`} aria-label={`${nameOf(object)} ${word}`}>
      <header>
        <span className="difference-sign" aria-hidden="true">
          {sign}
        </span>
        <h3>{nameOf(object)}</h3>
        <span className="muted" title={id}>
          {tellKind(kind)} {word}
        </span>
        {only && (
          <button
            type="button"
            className="plain difference-only"
            onClick={() => only(id)}
            aria-label={`All its changes: ${nameOf(object)}`}
          >
            All its changes
          </button>
        )}
      </header>
      {entries.length > 0 && (
        <table>
          <thead className="visually-hidden">
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {entries.map(([path, field]) => (
              <tr key={path}>
                <th scope="row">{path}</th>
                <Sides action={action} field={field} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Of what was made or removed, only one side says anything. */
function Sides({ action, field }: { action: ToldObject["action"]; field: ToldField }) {
  const { before, after } = field;
  const old = <Value value={before} className="before" />;
  const value = <Value value={after} className="after" />;
  if (action === "create") return <td colSpan={2}>{value}</td>;
  if (action === "delete") return <td colSpan={2}>{old}</td>;
  return (
    <>
      <td>{old}</td>
      <td>
        <span className="muted" aria-hidden="true">
          →{" "}
        </span>
        {value}
      </td>
    </>
  );
}

function Value({ value, className }: { value: unknown; className: string }) {
  if (value === undefined) return <span className="muted">none</span>;
  return <span className={`mono ${className}`}>{tellValue(value)}</span>;
}
