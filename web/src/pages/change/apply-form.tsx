/** Why, until when it is to be confirmed, and what takes it back before. */

import { type FormEvent, useId, useRef, useState } from "react";
import { CONFIRM_BOUNDS, LONGEST_REASON } from "../../../../src/contract/parameters.ts";
import type { Plan } from "../../../../src/file/plan.ts";
import type { SessionAccount } from "../../api/session.ts";
import { select } from "../../parts/selection.ts";
import { noteApplied } from "../live/applied.ts";
import { applyPlan, type RevertOn } from "./server-plan.ts";

interface ApplyFormProps {
  readonly account: SessionAccount;
  readonly plan: Plan;
  readonly etag: string | null;
  readonly guards: readonly string[];
  /** Another change waits. */
  readonly blocked: boolean;
  readonly failed: (error: unknown) => void;
  readonly finish: (revision: number) => void;
}

/** Minutes, where something should make one look twice. */
const USUAL = "5";

const reverts = [
  ["", "only when the time is over"],
  ["down", "or when one that was healthy is down"],
  ["degraded", "or when one that was healthy is degraded or down"],
] as const;

/** Seconds; `undefined` if it is empty, a sentence if it is none. */
function readMinutes(text: string): number | string | undefined {
  if (text.trim() === "") return undefined;
  const seconds = Math.round(Number(text.replace(",", ".")) * 60);
  const { least, most } = CONFIRM_BOUNDS;
  if (seconds >= least && seconds <= most) return seconds;
  return `It is a number of minutes, at most ${most / 60}. Leave it empty to change without a timer.`;
}

export function ApplyForm({ account, plan, etag, guards, blocked, failed, finish }: ApplyFormProps) {
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState(guards.length > 0 ? USUAL : "");
  const [revertOn, setRevertOn] = useState<RevertOn | "">("");
  const [looked, setLooked] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const timer = useRef<HTMLInputElement>(null);
  const ids = { reason: useId(), minutes: useId(), problem: useId(), help: useId() };
  const hasTimer = minutes.trim() !== "";

  const apply = async (event: FormEvent) => {
    event.preventDefault();
    const confirmWithin = readMinutes(minutes);
    if (typeof confirmWithin === "string") {
      setProblem(confirmWithin);
      timer.current?.focus();
      return;
    }
    setProblem(undefined);
    setBusy(true);
    try {
      const wishes = {
        reason: reason.trim(),
        confirmWithin,
        revertOn: revertOn === "" ? undefined : revertOn,
      };
      const applied = await applyPlan(account.id, plan, etag, wishes);
      if (!applied) return setProblem("Nothing was left to change: all is as asked for already.");
      noteApplied(account.id, applied);
      select(account.id, new Set());
      finish(applied.revision);
    } catch (error) {
      failed(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="change-apply" onSubmit={(event) => void apply(event)} noValidate>
      <h2>Apply</h2>
      {guards.length > 0 && (
        <div className="change-banner">
          <ul>
            {guards.map((guard) => (
              <li key={guard}>{guard}</li>
            ))}
          </ul>
          <label className="change-check">
            <input type="checkbox" checked={looked} onChange={({ target }) => setLooked(target.checked)} />I
            have looked at it, and want it so
          </label>
        </div>
      )}
      <div className="change-apply-field wide">
        <label htmlFor={ids.reason}>Reason</label>
        <input
          id={ids.reason}
          type="text"
          maxLength={LONGEST_REASON}
          autoComplete="off"
          placeholder="Why, in a few words; it is kept with the change"
          value={reason}
          onChange={({ target }) => setReason(target.value)}
        />
      </div>
      <div className="change-apply-field">
        <label htmlFor={ids.minutes}>To be confirmed within</label>
        <span className="change-unit">
          <input
            ref={timer}
            id={ids.minutes}
            type="text"
            inputMode="decimal"
            autoComplete="off"
            aria-invalid={problem !== undefined}
            aria-describedby={`${ids.help}${problem === undefined ? "" : ` ${ids.problem}`}`}
            value={minutes}
            onChange={({ target }) => {
              setMinutes(target.value);
              setProblem(undefined);
            }}
          />
          minutes
        </span>
        <p className="change-help" id={ids.help}>
          The change is made at once, and the server undoes it unless it is confirmed in that time. Empty: it
          is made for good.
        </p>
        {problem !== undefined && (
          <p className="trouble-list" id={ids.problem} role="alert">
            {problem}
          </p>
        )}
      </div>
      <fieldset className="change-apply-field" disabled={!hasTimer}>
        <legend>Undone</legend>
        {reverts.map(([value, label]) => (
          <label key={value} className="change-check">
            <input
              type="radio"
              name="revert-on"
              checked={revertOn === value}
              onChange={() => setRevertOn(value)}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <div className="change-apply-end">
        <button
          type="submit"
          className="primary"
          disabled={busy || blocked || (guards.length > 0 && !looked)}
        >
          {hasTimer ? "Apply, to be confirmed" : "Apply"}
        </button>
        <p className="muted">
          Refused if anybody changes an interconnect of the account before: what happens is what is shown
          here.
        </p>
      </div>
    </form>
  );
}
