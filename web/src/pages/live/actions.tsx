/** What may be done about a change: confirm, revert, more time; of one that is made, the undo with its plan. */

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { sentenceOf } from "../../api/client.ts";
import { may, type SessionAccount, useSession } from "../../api/session.ts";
import type { Outcome } from "../../changes/outcome.ts";
import { confirmChange, extendChange, undoNow } from "../../changes/undo.ts";
import { UndoDialog } from "../../changes/undo-dialog.tsx";
import { afterQuery } from "./queries.ts";

interface ActionsProps {
  readonly account: SessionAccount;
  readonly revision: number;
  /** None of a change that never waited. */
  readonly outcome: Outcome | undefined;
  /** Is told how it ended, where the log does not tell. */
  readonly ended: ((outcome: Outcome) => void) | undefined;
}

const MINUTES = [5, 15, 60];

export function Actions({ account, revision, outcome, ended }: ActionsProps) {
  const session = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [minutes, setMinutes] = useState(5);
  const [undoing, setUndoing] = useState(false);
  if (!may(account, "undo") || outcome?.what === "undone") return null;

  const run = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      setProblem(sentenceOf(error));
    } finally {
      setBusy(false);
      // The long poll tells it as well; who pressed the button sees it at once.
      void client.invalidateQueries({ queryKey: afterQuery(account, revision).queryKey });
    }
  };
  const end = (what: "confirmed" | "undone", at: number) => {
    const { type = "token", id = "", name = "" } = session?.credential ?? {};
    ended?.({ what, actor: { type, id, name }, time: new Date().toISOString(), revision: at });
  };
  const confirm = async () => {
    await confirmChange(account.id, revision);
    end("confirmed", revision);
  };
  const revertNow = async () => end("undone", await undoNow(account.id, revision));
  const reverted = (at: number) => {
    setUndoing(false);
    end("undone", at);
    if (!ended)
      void navigate({
        to: "/dashboard/$account/live/$revision",
        params: { account: account.id, revision: String(at) },
      });
  };
  const extend = async () => {
    const confirmBy = await extendChange(account.id, revision, minutes * 60);
    if (confirmBy !== null && outcome?.what === "waiting") ended?.({ ...outcome, confirmBy });
  };

  return (
    <div className="live-actions">
      {outcome?.what === "waiting" ? (
        <>
          <button type="button" className="primary" disabled={busy} onClick={() => void run(confirm)}>
            Confirm
          </button>
          <button type="button" disabled={busy} onClick={() => void run(revertNow)}>
            Revert now
          </button>
          <span className="live-extend">
            <button type="button" disabled={busy} onClick={() => void run(extend)}>
              Extend
            </button>
            <select
              aria-label="Time to extend to"
              value={minutes}
              onChange={({ target }) => setMinutes(Number(target.value))}
            >
              {MINUTES.map((choice) => (
                <option key={choice} value={choice}>
                  to {choice} minutes from now
                </option>
              ))}
            </select>
          </span>
        </>
      ) : (
        <button type="button" onClick={() => setUndoing(true)}>
          Revert …
        </button>
      )}
      {problem !== undefined && (
        <p className="live-problem" role="alert">
          {problem}
        </p>
      )}
      {undoing && (
        <UndoDialog
          account={account}
          undo={{ what: "revert", revision }}
          // Who may not read the log could not confirm the undo.
          atOnce={ended !== undefined}
          close={() => setUndoing(false)}
          made={reverted}
        />
      )}
    </div>
  );
}
