import { useEffect, useRef } from "react";
import type { Plan } from "../../../../src/file/plan.ts";
import { countFields } from "./drafts.ts";
import type { Trouble } from "./judge.ts";
import { count } from "./words.ts";

interface BarProps {
  readonly plan: Plan;
  readonly troubles: readonly Trouble[];
  /** Is all that is typed judged? */
  readonly settled: boolean;
  readonly toTrouble: () => void;
  readonly forget: () => void;
  readonly toPlan: () => void;
}

/** At the foot of the page: how much it is, what is wrong, and on to the plan. */
export function Bar({ plan, troubles, settled, toTrouble, forget, toPlan }: BarProps) {
  const latest = useRef(toPlan);
  useEffect(() => {
    latest.current = toPlan;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  const isEmpty = plan.steps.length === 0 && troubles.length === 0;
  return (
    <footer className="change-bar">
      <p role="status" data-settled={settled}>
        {isEmpty ? "Nothing is changed yet." : plan.steps.length > 0 && tellPlan(plan)}
        {troubles.length > 0 && <strong className="change-bad"> {count(troubles.length, "problem")}.</strong>}
      </p>
      {troubles.length > 0 && (
        <button type="button" className="plain" onClick={toTrouble}>
          Go to the first
        </button>
      )}
      <span className="change-spring" />
      {!isEmpty && (
        <button type="button" className="plain" onClick={forget}>
          Start over
        </button>
      )}
      <button type="button" className="primary" disabled={isEmpty} title="Ctrl + Enter" onClick={toPlan}>
        Plan
      </button>
    </footer>
  );
}

export function tellPlan(plan: Plan): string {
  return `${count(countFields(plan), "field")} of ${count(plan.steps.length, "interconnect")}.`;
}
