/** What an undo would do, and then the undo itself, with its reason and its timer. */

import "./undo-dialog.css";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { ApiFailure, sentenceOf } from "../../api/client.ts";
import type { SessionAccount } from "../../api/session.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { Differences } from "./differences.tsx";
import { makeUndo, planUndo, type RevertOn, type Undo, type UndoPlan } from "./undo.ts";
import { settingsIn, tellCounts } from "./words.ts";

interface UndoDialogProps {
  readonly account: SessionAccount;
  readonly undo: Undo;
  /** The change waits itself: its undo is at once and for good. */
  readonly waits: boolean;
  readonly close: () => void;
  readonly made: (revision: number) => void;
}

export function UndoDialog({ account, undo, waits, close, made }: UndoDialogProps) {
  const { what, revision } = undo;
  const plan = useQuery({
    queryKey: ["undo", account.id, what, revision],
    queryFn: ({ signal }) => planUndo(account.id, undo, signal),
    // It is good for this dialog alone.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  const title = what === "revert" ? `Revert change ${revision}` : `Restore revision ${revision}`;
  return (
    <Dialog title={title} close={close}>
      <div className="undo">
        {plan.isFetching && <p className="muted">Asking the server what would be undone …</p>}
        {!plan.isFetching && plan.error && <Refused error={plan.error} what={what} close={close} />}
        {!plan.isFetching && plan.data && (
          <Planned
            {...{ account, undo, waits, close, made }}
            plan={plan.data}
            again={() => void plan.refetch()}
          />
        )}
      </div>
    </Dialog>
  );
}

function Refused({ error, what, close }: { error: Error; what: Undo["what"]; close: () => void }) {
  const errors = error instanceof ApiFailure ? error.errors : [];
  const isOvertaken = what === "revert" && errors.some(({ code }) => code === OVERTAKEN);
  return (
    <>
      <div className="undo-refused" role="alert">
        <p>The server refuses, and changes nothing:</p>
        <Sentences error={error} />
      </div>
      {isOvertaken && (
        <p className="muted">
          Revert the later change first, or restore a revision, which sets back everything since.
        </p>
      )}
      <div className="undo-buttons">
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </>
  );
}

/** A later change touched the same. */
const OVERTAKEN = 990133;

function Sentences({ error }: { readonly error: unknown }) {
  const errors = error instanceof ApiFailure ? error.errors : [];
  if (errors.length === 0) return <p>{sentenceOf(error)}</p>;
  return (
    <ul>
      {errors.map(({ code, message }) => (
        <li key={`${code} ${message}`}>
          {message}{" "}
          <a href={`/docs/errors/${code}`} target="_blank" rel="noreferrer">
            {code}
          </a>
        </li>
      ))}
    </ul>
  );
}

interface PlannedProps extends UndoDialogProps {
  readonly plan: UndoPlan;
  readonly again: () => void;
}

const reverts = [
  ["", "only when the time is over"],
  ["down", "or when one that was healthy is down"],
  ["degraded", "or when one that was healthy is degraded or down"],
] as const;

function Planned({ account, undo, waits, plan, close, made, again }: PlannedProps) {
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState("");
  const [revertOn, setRevertOn] = useState<RevertOn | "">("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const ids = { reason: useId(), minutes: useId(), help: useId(), on: useId() };
  const objects = settingsIn(plan.record?.objects ?? []);
  const hasTimer = minutes.trim() !== "";
  const isStale = error instanceof ApiFailure && error.status === 412;

  const make = async (event: FormEvent) => {
    event.preventDefault();
    const seconds = Math.round(Number(minutes.replace(",", ".")) * 60);
    if (hasTimer && !(seconds > 0)) return setError(new Error("The time to confirm is a number of minutes."));
    setBusy(true);
    setError(undefined);
    try {
      const wishes = {
        reason: reason.trim(),
        confirmWithin: hasTimer ? seconds : undefined,
        revertOn: revertOn === "" ? undefined : revertOn,
      };
      const revision = await makeUndo(account.id, undo, plan, wishes);
      if (revision === undefined) close();
      else made(revision);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };

  if (!plan.record)
    return (
      <>
        <p>There is nothing to change: all is as it was then.</p>
        <div className="undo-buttons">
          <button type="button" onClick={close}>
            Close
          </button>
        </div>
      </>
    );
  return (
    <form onSubmit={(event) => void make(event)} noValidate>
      <p>
        {objects.length === 0
          ? "Nothing of a network is set back; the change waits no more."
          : `In one change, this is set back: ${tellCounts(objects)}.`}
      </p>
      <section className="undo-plan" aria-label="Plan">
        <Differences objects={objects} />
      </section>
      {plan.remarks.length > 0 && (
        <ul className="undo-remarks">
          {plan.remarks.map(({ message }) => (
            <li key={message}>{message}</li>
          ))}
        </ul>
      )}
      <label className="undo-label" htmlFor={ids.reason}>
        Reason
      </label>
      <input
        id={ids.reason}
        type="text"
        autoComplete="off"
        placeholder="Why, in a few words; it is kept with the change"
        value={reason}
        onChange={({ target }) => setReason(target.value)}
      />
      {!waits && (
        <div className="undo-timer">
          <label htmlFor={ids.minutes}>Confirm within</label>
          <span>
            <input
              id={ids.minutes}
              type="text"
              inputMode="decimal"
              autoComplete="off"
              aria-describedby={ids.help}
              value={minutes}
              onChange={({ target }) => setMinutes(target.value)}
            />{" "}
            minutes
          </span>
          <label htmlFor={ids.on}>Else undone</label>
          <select
            id={ids.on}
            disabled={!hasTimer}
            value={revertOn}
            onChange={({ target }) => setRevertOn(reverts.find(([on]) => on === target.value)?.[0] ?? "")}
          >
            {reverts.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
          <p className="muted" id={ids.help}>
            With a time, the server takes it back unless it is confirmed. Empty: it is for good.
          </p>
        </div>
      )}
      {error !== undefined && (
        <div className="undo-refused" role="alert">
          {isStale ? (
            <p>The account was changed since this plan was made. Nothing was done.</p>
          ) : (
            <Sentences error={error} />
          )}
        </div>
      )}
      <div className="undo-buttons">
        {isStale ? (
          <button type="button" className="primary" onClick={again}>
            Plan again
          </button>
        ) : (
          <button type="submit" className="primary" disabled={busy}>
            {undo.what === "revert" ? "Revert" : "Restore"}
            {hasTimer && ", to be confirmed"}
          </button>
        )}
        <button type="button" onClick={close}>
          Leave it
        </button>
      </div>
    </form>
  );
}
