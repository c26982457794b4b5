/** Why, until when it is to be confirmed, and what takes it back before. */

import { type FormEvent, useRef, useState } from "react";
import type { Plan } from "../../../../src/file/plan.ts";
import type { SessionAccount } from "../../api/session.ts";
import { type ConditionsDraft, hasTimer, readConditions } from "../../changes/conditions.ts";
import { ConditionsFields } from "../../changes/conditions-fields.tsx";
import { select } from "../../parts/selection.ts";
import { noteApplied } from "../live/applied.ts";
import { applyPlan } from "./server-plan.ts";

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

export function ApplyForm({ account, plan, etag, guards, blocked, failed, finish }: ApplyFormProps) {
  const [draft, setDraft] = useState<ConditionsDraft>({
    reason: "",
    minutes: guards.length > 0 ? USUAL : "",
    revertOn: "",
  });
  const [looked, setLooked] = useState(false);
  const [busy, setBusy] = useState(false);
  const timer = useRef<HTMLInputElement>(null);
  const tell = (problem: string | undefined) => setDraft({ ...draft, problem });

  const apply = async (event: FormEvent) => {
    event.preventDefault();
    const conditions = readConditions(draft);
    if (typeof conditions === "string") {
      tell(conditions);
      timer.current?.focus();
      return;
    }
    tell(undefined);
    setBusy(true);
    try {
      const applied = await applyPlan(account.id, plan, etag, conditions);
      if (!applied) {
        setBusy(false);
        return tell("Nothing was left to change: all is as asked for already.");
      }
      noteApplied(account.id, applied);
      select(account.id, new Set());
      finish(applied.revision);
    } catch (error) {
      failed(error);
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
          <label className="check">
            <input type="checkbox" checked={looked} onChange={({ target }) => setLooked(target.checked)} />I
            have looked at it, and want it so
          </label>
        </div>
      )}
      <ConditionsFields draft={draft} change={setDraft} timer={timer} />
      <div className="change-apply-end">
        <button
          type="submit"
          className="primary"
          disabled={busy || blocked || (guards.length > 0 && !looked)}
        >
          {hasTimer(draft) ? "Apply, to be confirmed" : "Apply"}
        </button>
        <p className="muted">
          Refused if anybody changes an interconnect of the account before: what happens is what is shown
          here.
        </p>
      </div>
    </form>
  );
}
