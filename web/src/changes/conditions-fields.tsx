import "./conditions.css";
import { type RefObject, useId } from "react";
import { LONGEST_REASON } from "../../../src/contract/parameters.ts";
import { type ConditionsDraft, hasTimer } from "./conditions.ts";

interface ConditionsFieldsProps {
  readonly draft: ConditionsDraft;
  readonly change: (draft: ConditionsDraft) => void;
  /** For who finds that something is wrong with it. */
  readonly timer: RefObject<HTMLInputElement | null>;
  /** Only a reason is asked for: it cannot be made to wait. */
  readonly atOnce?: boolean;
}

const reverts = [
  ["", "only when the time is over"],
  ["down", "or when one that was healthy is down"],
  ["degraded", "or when one that was healthy is degraded or down"],
] as const;

/** Fields of a form: reason, timer, what else undoes it. */
export function ConditionsFields({ draft, change, timer, atOnce = false }: ConditionsFieldsProps) {
  const { reason, minutes, revertOn, problem } = draft;
  const ids = { reason: useId(), minutes: useId(), problem: useId(), help: useId() };
  return (
    <div className="conditions">
      <div className="condition wide">
        <label htmlFor={ids.reason}>Reason</label>
        <input
          id={ids.reason}
          type="text"
          maxLength={LONGEST_REASON}
          autoComplete="off"
          placeholder="Why, in a few words; it is kept with the change"
          value={reason}
          onChange={({ target }) => change({ ...draft, reason: target.value })}
        />
      </div>
      {!atOnce && (
        <>
          <div className="condition">
            <label htmlFor={ids.minutes}>To be confirmed within</label>
            <span className="condition-unit">
              <input
                ref={timer}
                id={ids.minutes}
                type="text"
                inputMode="decimal"
                autoComplete="off"
                aria-invalid={problem !== undefined}
                aria-describedby={`${ids.help}${problem === undefined ? "" : ` ${ids.problem}`}`}
                value={minutes}
                onChange={({ target }) => change({ ...draft, minutes: target.value, problem: undefined })}
              />
              minutes
            </span>
            <p className="muted" id={ids.help}>
              The change is made at once, and the server undoes it unless it is confirmed in that time. Empty:
              it is made for good.
            </p>
            {problem !== undefined && (
              <p className="condition-problem" id={ids.problem} role="alert">
                {problem}
              </p>
            )}
          </div>
          <fieldset className="condition" disabled={!hasTimer(draft)}>
            <legend>Undone</legend>
            {reverts.map(([value, label]) => (
              <label key={value} className="check">
                <input
                  type="radio"
                  name="revert-on"
                  checked={revertOn === value}
                  onChange={() => change({ ...draft, revertOn: value })}
                />
                {label}
              </label>
            ))}
          </fieldset>
        </>
      )}
    </div>
  );
}
