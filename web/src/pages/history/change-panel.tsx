/** One change: who, when, why, what became of it, and field by field what it did. */

import { useQuery } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import type { ChangeRecord } from "../../../../src/contract/log.ts";
import { sentenceOf } from "../../api/client.ts";
import { may, type SessionAccount } from "../../api/session.ts";
import { Differences } from "../../changes/differences.tsx";
import type { Outcome } from "../../changes/outcome.ts";
import { confirmChange, type Undo } from "../../changes/undo.ts";
import { UndoDialog } from "../../changes/undo-dialog.tsx";
import { settingsIn, tellOperation, tellWhat } from "../../changes/words.ts";
import { tellTime } from "../../parts/time.ts";
import { OutcomeBadge } from "./outcome-badge.tsx";
import { Panel } from "./panel.tsx";
import { changeQuery } from "./records.ts";
import { closed, type HistorySearch } from "./search.ts";
import type { Timeline } from "./timeline.ts";

interface ChangePanelProps {
  readonly account: SessionAccount;
  readonly timeline: Timeline;
  readonly revision: number;
  readonly search: HistorySearch;
  readonly change: (search: HistorySearch) => void;
}

export function ChangePanel({ account, timeline, revision, search, change }: ChangePanelProps) {
  const { data, error } = useQuery(changeQuery(account.id, timeline.epoch, revision));
  const close = () => change(closed(search));
  const outcome = timeline.outcomes.get(revision);
  return (
    <Panel title={`Change ${revision}`} close={close}>
      {error && (
        <p className="history-problem" role="alert">
          {sentenceOf(error)}
        </p>
      )}
      {!data && !error && <p className="muted">Reading …</p>}
      {data && (
        <>
          <p className="panel-what">{tellWhat(data)}</p>
          {outcome && <OutcomeBadge outcome={outcome} ahead={timeline.ahead} />}
          <Facts record={data} outcome={outcome} search={search} />
          <Actions {...{ account, timeline, outcome, search, change }} record={data} />
          <Differences objects={settingsIn(data.objects)} only={(object) => change({ ...search, object })} />
          {settingsIn(data.objects).length === 0 && (
            <p className="muted">It changed no object of the network.</p>
          )}
        </>
      )}
    </Panel>
  );
}

interface FactsProps {
  readonly record: ChangeRecord;
  readonly outcome: Outcome | undefined;
  readonly search: HistorySearch;
}

function Facts({ record, outcome, search }: FactsProps) {
  const { time, actor, operation, reason, reverts, restores, address, request_id } = record;
  const to = (revision: number) => (
    <Link to="." search={{ ...closed(search), change: String(revision) }}>
      change {revision}
    </Link>
  );
  return (
    <dl className="panel-facts">
      {reason !== undefined && <Fact name="Reason">{reason}</Fact>}
      <Fact name="By">
        {actor.type === "system" ? `Patchbay: ${actor.name}` : `${actor.type} ${actor.name}`}{" "}
        {address !== undefined && <span className="muted">from {address}</span>}
      </Fact>
      <Fact name="At">{tellTime(time)}</Fact>
      <Fact name="Operation">{tellOperation(operation)}</Fact>
      {reverts !== undefined && <Fact name="Undid">{to(reverts)}</Fact>}
      {restores !== undefined && <Fact name="Back to">revision {restores}</Fact>}
      {outcome && outcome.what !== "waiting" && (
        <Fact name={outcome.what === "undone" ? "Undone by" : "Confirmed by"}>{to(outcome.revision)}</Fact>
      )}
      <Fact name="Request">
        <span className="mono">{request_id}</span>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface ActionsProps extends Omit<ChangePanelProps, "revision"> {
  readonly record: ChangeRecord;
  readonly outcome: Outcome | undefined;
}

function Actions({ account, timeline, record, outcome, search, change }: ActionsProps) {
  const router = useRouter();
  const [undo, setUndo] = useState<Undo>();
  const [problem, setProblem] = useState<string>();
  const { revision, operation } = record;
  const isNewest = revision === timeline.revision;
  const waits = outcome?.what === "waiting";
  const mayUndo = may(account, "undo");
  // What was there from the start cannot be undone, what is undone need not be, and a confirmation changed nothing.
  const canRevert =
    operation !== "seed" && outcome?.what !== "undone" && settingsIn(record.objects).length > 0;
  const hasLivePage = Object.hasOwn(router.routesByPath, "/dashboard/$account/live/$revision");
  const confirm = () =>
    confirmChange(account.id, revision).then(
      () => setProblem(undefined),
      (error: unknown) => setProblem(sentenceOf(error)),
    );
  const compare = (from: number) => change({ ...closed(search), from: String(from) });
  return (
    <div className="panel-actions">
      {mayUndo && waits && (
        <button type="button" className="primary" onClick={() => void confirm()}>
          Confirm
        </button>
      )}
      {mayUndo && canRevert && (
        <button type="button" onClick={() => setUndo({ what: "revert", revision })}>
          Revert …
        </button>
      )}
      {mayUndo && !isNewest && (
        <button type="button" onClick={() => setUndo({ what: "restore", revision })}>
          Restore revision {revision} …
        </button>
      )}
      {!isNewest && (
        <button type="button" className="plain" onClick={() => compare(revision)}>
          Compare with now
        </button>
      )}
      {waits && hasLivePage && (
        <button
          type="button"
          className="plain"
          onClick={() => router.history.push(`/dashboard/${account.id}/live/${revision}`)}
        >
          Follow it
        </button>
      )}
      {problem !== undefined && (
        <p className="history-problem" role="alert">
          {problem}
        </p>
      )}
      {undo && (
        <UndoDialog
          account={account}
          undo={undo}
          atOnce={waits && undo.what === "revert"}
          close={() => setUndo(undefined)}
          made={(made) => {
            setUndo(undefined);
            change({ ...closed(search), change: String(made) });
          }}
        />
      )}
    </div>
  );
}
