/** What an undo would do, and then the undo itself, with its reason and its timer. */

import "./undo-dialog.css";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { ApiFailure, sentenceOf } from "../api/client.ts";
import type { SessionAccount } from "../api/session.ts";
import { Dialog } from "../parts/dialog.tsx";
import { type ConditionsDraft, hasTimer, readConditions } from "./conditions.ts";
import { ConditionsFields } from "./conditions-fields.tsx";
import { Differences } from "./differences.tsx";
import { makeUndo, planUndo, type Undo, type UndoPlan } from "./undo.ts";
import { settingsIn, tellCounts } from "./words.ts";

interface UndoDialogProps {
  readonly account: SessionAccount;
  readonly undo: Undo;
  /** The undo cannot be made to wait: the change waits itself, or nobody could see what becomes of it. */
  readonly atOnce: boolean;
  readonly close: () => void;
  readonly made: (revision: number) => void;
}

export function UndoDialog({ account, undo, atOnce, close, made }: UndoDialogProps) {
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
            {...{ account, undo, atOnce, close, made }}
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
      <CloseButton close={close} />
    </>
  );
}

function CloseButton({ close }: { readonly close: () => void }) {
  return (
    <div className="dialog-buttons">
      <button type="button" onClick={close}>
        Close
      </button>
    </div>
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

function Planned({ account, undo, atOnce, plan, close, made, again }: PlannedProps) {
  const [draft, setDraft] = useState<ConditionsDraft>({ reason: "", minutes: "", revertOn: "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const timer = useRef<HTMLInputElement>(null);
  const objects = settingsIn(plan.record?.objects ?? []);
  const isStale = error instanceof ApiFailure && error.status === 412;

  const make = async (event: FormEvent) => {
    event.preventDefault();
    const conditions = readConditions(draft);
    if (typeof conditions === "string") {
      setDraft({ ...draft, problem: conditions });
      timer.current?.focus();
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      const revision = await makeUndo(account.id, undo, plan, conditions);
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
        <CloseButton close={close} />
      </>
    );
  return (
    <form onSubmit={(event) => void make(event)} noValidate>
      <p>
        {objects.length === 0
          ? "Nothing of a network is set back; the change waits no more."
          : `In one change, this is set back: ${tellCounts(objects)}.`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys */}
      <section className="undo-plan" aria-label="Plan" tabIndex={0}>
        <Differences objects={objects} />
      </section>
      {plan.remarks.length > 0 && (
        <ul className="undo-remarks">
          {plan.remarks.map(({ message }) => (
            <li key={message}>{message}</li>
          ))}
        </ul>
      )}
      <ConditionsFields draft={draft} change={setDraft} timer={timer} atOnce={atOnce} />
      {error !== undefined && (
        <div className="undo-refused" role="alert">
          {isStale ? (
            <p>The account was changed since this plan was made. Nothing was done.</p>
          ) : (
            <Sentences error={error} />
          )}
        </div>
      )}
      <div className="dialog-buttons">
        {isStale ? (
          <button type="button" className="primary" onClick={again}>
            Plan again
          </button>
        ) : (
          <button type="submit" className="primary" disabled={busy}>
            {undo.what === "revert" ? "Revert" : "Restore"}
            {hasTimer(draft) && ", to be confirmed"}
          </button>
        )}
        <button type="button" onClick={close}>
          Leave it
        </button>
      </div>
    </form>
  );
}
