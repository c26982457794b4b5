/** A file of interconnects, pasted: the same that `patchbay export` writes and `patchbay apply` takes. */

import "./paste.css";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useMemo, useRef } from "react";
import { type Plan, planOf } from "../../../../src/file/plan.ts";
import { readInterconnects } from "../../../../src/file/reading.ts";
import type { SessionAccount } from "../../api/session.ts";
import { Bar } from "./bar.tsx";
import type { Basis } from "./basis.ts";
import { noPlan } from "./drafts.ts";
import { judge, type Trouble } from "./judge.ts";
import { PlanPage } from "./plan-page.tsx";
import { type Refused, withRefused } from "./refused.ts";

interface PastePageProps {
  readonly account: SessionAccount;
  readonly basis: Basis;
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly refused: Refused | undefined;
  readonly setRefused: (refused: Refused | undefined) => void;
  readonly finish: (revision: number) => void;
}

/** Something that is wrong, and the line and column of the text, both from 1. */
interface Marked extends Trouble {
  readonly line: number;
  readonly column: number;
}

const example = `interconnects:
  pni_ord:
    mtu: 1400
    health_check:
      rate: high`;

export function PastePage(props: PastePageProps) {
  const { basis, text, setText, refused } = props;
  const search = useSearch({ from: "/dashboard/$account/change" });
  const navigate = useNavigate({ from: "/dashboard/$account/change" });
  const area = useRef<HTMLTextAreaElement>(null);
  const typed = useDeferredValue(text);
  const judged = useMemo(() => judgeText(typed, basis, refused), [typed, basis, refused]);
  // What is planned is all that was typed, judged or not: the server judges it as well.
  const isPlanned = search.plan !== undefined;
  const { plan, marks } = useMemo(
    () => (isPlanned ? judgeText(text, basis, refused) : judged),
    [isPlanned, judged, text, basis, refused],
  );

  useEffect(() => area.current?.focus(), []);

  const goTo = (marked: Marked | undefined) => {
    const field = area.current;
    if (!field || !marked) return;
    const lines = field.value.split("\n");
    const start = lines.slice(0, marked.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    field.focus();
    field.setSelectionRange(start + marked.column - 1, start + (lines[marked.line - 1]?.length ?? 0));
  };
  const toPlan = () => {
    const now = typed === text ? judged : judgeText(text, basis, refused);
    if (now.marks.length > 0) goTo(now.marks[0]);
    else if (now.plan.steps.length > 0) void navigate({ search: { ...search, plan: "" } });
  };

  if (search.plan !== undefined && plan.steps.length > 0)
    return <PlanPage {...props} plan={plan} correct={() => history.back()} />;
  return (
    <>
      <div className="change-head">
        <h1>Paste a file of interconnects</h1>
        <p className="muted">
          YAML or JSON, as <code>patchbay export</code> writes it. What is left out stays as it is.
        </p>
      </div>
      <div className="change-paste">
        <textarea
          ref={area}
          className="mono"
          aria-label="File of interconnects"
          aria-invalid={marks.length > 0}
          aria-describedby="paste-troubles"
          spellCheck={false}
          placeholder={example}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <ol className="paste-marks" id="paste-troubles" aria-label="Problems">
          {marks.map((marked) => (
            <li key={`${marked.line}:${marked.column} ${marked.message}`}>
              <button type="button" className="plain" onClick={() => goTo(marked)}>
                line {marked.line}
              </button>
              <span>
                <strong>{marked.message}</strong> {marked.todo}
              </span>
            </li>
          ))}
        </ol>
      </div>
      <Bar
        plan={plan}
        troubles={marks}
        settled={typed === text}
        toTrouble={() => goTo(marks[0])}
        forget={() => {
          setText("");
          area.current?.focus();
        }}
        toPlan={toPlan}
      />
    </>
  );
}

function judgeText(text: string, basis: Basis, refused: Refused | undefined) {
  const { plan, marks: unread } = readText(text, basis);
  const wrong = withRefused(judge(plan, basis), refused, plan).map((trouble) => mark(plan, trouble));
  const marks = [...unread, ...wrong].sort(
    (one, other) => one.line - other.line || one.column - other.column,
  );
  return { plan, marks };
}

/** What a text asks for, or what keeps it from being read. */
function readText(text: string, basis: Basis): { readonly plan: Plan; readonly marks: readonly Marked[] } {
  if (text.trim() === "") return { plan: noPlan, marks: [] };
  const read = readInterconnects("", text);
  if (!read.ok) return { plan: noPlan, marks: read.problems.map(told) };
  const planned = planOf(read.wanted, basis.interconnects);
  return planned.ok ? { plan: planned.plan, marks: [] } : { plan: noPlan, marks: planned.problems.map(told) };
}

function told({ message, place }: { readonly message: string; readonly place?: string }): Marked {
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return { code: 0, message: sentence, todo: "", id: undefined, path: undefined, ...spotOf(place) };
}

/** A problem of a step, where the text asks for it. */
function mark({ steps }: Plan, trouble: Trouble): Marked {
  const step = steps.find(({ id }) => id === trouble.id);
  const field = step?.fields.find(({ path }) => path === trouble.path);
  const name = step ? `${step.name}: ` : "";
  return { ...trouble, message: name + trouble.message, ...spotOf(field?.place ?? step?.place) };
}

function spotOf(place: string | undefined): { readonly line: number; readonly column: number } {
  const [, line = 1, column = 1] = /:(\d+):(\d+)$/.exec(place ?? "") ?? [];
  return { line: Number(line), column: Number(column) };
}
