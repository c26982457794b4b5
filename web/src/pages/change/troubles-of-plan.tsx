import { useEffect, useRef } from "react";
import type { Plan } from "../../../../src/file/plan.ts";
import type { Trouble } from "./judge.ts";
import { fullLabel } from "./labels.ts";

interface TroublesOfPlanProps {
  readonly plan: Plan;
  readonly troubles: readonly Trouble[];
  /** Where there are none. */
  readonly sentence: string;
  readonly isStale: boolean;
  readonly correct: (trouble: Trouble) => void;
  readonly planAgain: () => void;
}

/** What the server refuses, each at its element, with the way to the field. */
export function TroublesOfPlan({
  plan,
  troubles,
  sentence,
  isStale,
  correct,
  planAgain,
}: TroublesOfPlanProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  const nameOf = (id: string | undefined) => plan.steps.find((step) => step.id === id)?.name;
  return (
    <div className="change-banner bad" role="alert" tabIndex={-1} ref={box}>
      <p>
        <strong>
          {isStale
            ? "Somebody changed an interconnect since this plan was made. Nothing was changed by it."
            : "The server refuses this plan. Nothing was changed."}
        </strong>
      </p>
      {!isStale && (
        <ul className="change-refusals">
          {troubles.length === 0 && <li>{sentence}</li>}
          {troubles.map((trouble) => {
            const name = nameOf(trouble.id);
            return (
              <li key={`${trouble.id} ${trouble.path} ${trouble.message}`}>
                {name !== undefined && (
                  <button type="button" onClick={() => correct(trouble)}>
                    {name}
                    {trouble.path === undefined ? "" : `, ${fullLabel(trouble.path)}`}
                  </button>
                )}
                <span>
                  {trouble.message} {trouble.todo}
                </span>
              </li>
            );
          })}
        </ul>
      )}
      <button type="button" onClick={planAgain}>
        Plan again
      </button>
    </div>
  );
}
