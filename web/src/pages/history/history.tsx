/** The account's changes as a timeline; one of them, or the difference of two revisions, beside it. Its address says what is shown. */

import "./history.css";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useAccount } from "../../api/account.ts";
import { sentenceOf } from "../../api/client.ts";
import { may, type SessionAccount } from "../../api/session.ts";
import { Broken } from "../../parts/broken.tsx";
import { type KeyMeaning, KeysHelp } from "../../parts/keys-help.tsx";
import { Message } from "../../parts/message.tsx";
import { ChangePanel } from "./change-panel.tsx";
import { DifferencePanel } from "./difference-panel.tsx";
import { useHistoryKeys } from "./keys.ts";
import { List } from "./list.tsx";
import { isFiltered } from "./read.ts";
import { closed, type HistorySearch } from "./search.ts";
import { type Timeline, useTimeline } from "./timeline.ts";
import { Toolbar } from "./toolbar.tsx";

const keyMeanings: readonly KeyMeaning[] = [
  [["j", "↓"], "the change before in time"],
  [["k", "↑"], "the change after"],
  [["PgDn", "PgUp"], "ten on, or back"],
  [["Home", "End"], "the newest, the oldest that is shown"],
  [["Enter"], "open the change; j and k then open others"],
  [["x", "Space"], "mark it, or not"],
  [["d"], "compare the two that are marked"],
  [["Esc"], "close what is open"],
  [["/"], "search"],
  [["?"], "this help"],
];

export function History() {
  const account = useAccount();
  useEffect(() => {
    document.title = "History · Patchbay";
  }, []);
  if (!may(account, "readLog"))
    return (
      <Message title="The token may not see the history">
        <p>Sign in with one that has Patchbay Read in this account.</p>
      </Message>
    );
  // What was read and marked is of one account.
  return <OfAccount key={account.id} account={account} />;
}

function OfAccount({ account }: { readonly account: SessionAccount }) {
  const search = useSearch({ from: "/dashboard/$account/history" });
  const navigate = useNavigate({ from: "/dashboard/$account/history" });
  const { object, by, q } = search;
  const filter = useMemo(() => ({ object, by, q }), [object, by, q]);
  const { timeline, error, retry } = useTimeline(account, filter);
  const [marked, setMarked] = useState<readonly number[]>([]);
  const [helping, setHelping] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);

  const change = useCallback((to: HistorySearch) => void navigate({ search: to }), [navigate]);
  const filterBy = useCallback(
    (to: HistorySearch) => void navigate({ search: to, replace: true }),
    [navigate],
  );
  const mark = useCallback(
    (revision: number) =>
      setMarked((before) =>
        before.includes(revision)
          ? before.filter((one) => one !== revision)
          : [...before.slice(-1), revision],
      ),
    [],
  );
  const [one, other] = marked;
  const compare =
    one === undefined || other === undefined
      ? undefined
      : () => {
          setMarked([]);
          change({ ...closed(search), from: String(Math.min(one, other)), to: String(Math.max(one, other)) });
        };
  const isOpen = search.change !== undefined || search.from !== undefined;
  const keys = useHistoryKeys({
    list,
    field,
    mark,
    compare,
    leave: () => {
      if (!isOpen) return setMarked([]);
      keys.toRows();
      change(closed(search));
    },
    follow:
      search.change === undefined
        ? undefined
        : (revision) => filterBy({ ...closed(search), change: String(revision) }),
    help: () => setHelping(true),
    readOlder: () => timeline?.readOlder(),
  });

  if (error && !timeline) return <Broken error={error} reset={retry} />;
  const from = Number(search.from);
  return (
    <div className={`history${isOpen ? " beside" : ""}`}>
      <div className="history-head">
        <h1>History</h1>
        <p className="muted" role="status">
          {timeline?.fits ? tellCount(timeline, isFiltered(filter)) : "Reading …"}
        </p>
      </div>
      <Toolbar
        search={search}
        change={filterBy}
        people={timeline?.people ?? []}
        objectName={timeline?.objectName}
        marked={marked}
        compare={() => compare?.()}
        unmark={() => setMarked([])}
        field={field}
        toRows={keys.toRows}
        help={() => setHelping(true)}
      />
      <div className="history-body">
        <section className="history-list" aria-label="Changes" ref={list} aria-busy={!timeline?.fits}>
          {timeline && (
            <>
              {timeline.detached && (
                <p className="history-more">
                  Newer changes are not shown any more.{" "}
                  <button type="button" onClick={timeline.toNewest}>
                    To the newest
                  </button>
                </p>
              )}
              <List timeline={timeline} search={search} marked={marked} mark={mark} />
              <Older timeline={timeline} filtered={isFiltered(filter)} showAll={() => filterBy({})} />
            </>
          )}
        </section>
        {timeline && search.change !== undefined && (
          <ChangePanel
            key={search.change}
            account={account}
            timeline={timeline}
            revision={Number(search.change)}
            search={search}
            change={change}
          />
        )}
        {timeline && search.from !== undefined && (
          <DifferencePanel
            account={account}
            timeline={timeline}
            from={from}
            to={search.to === undefined ? undefined : Number(search.to)}
            search={search}
            change={change}
          />
        )}
      </div>
      {helping && <KeysHelp keys={keyMeanings} close={() => setHelping(false)} />}
    </div>
  );
}

function tellCount({ revision, entries, looked }: Timeline, filtered: boolean): string {
  const number = (count: number) => count.toLocaleString("en");
  if (filtered) return `${number(entries.length)} found in ${number(looked)} of ${number(revision)} changes`;
  return `revision ${number(revision)} · times in UTC`;
}

interface OlderProps {
  readonly timeline: Timeline;
  readonly filtered: boolean;
  readonly showAll: () => void;
}

/** What there is below the last line. */
function Older({ timeline, filtered, showAll }: OlderProps) {
  const { entries, reading, failure, hasOlder, readOlder, oldest, looked } = timeline;
  if (reading) return <p className="history-more muted">Reading older changes …</p>;
  return (
    <div className="history-more">
      {failure !== undefined && (
        <p className="history-problem" role="alert">
          {sentenceOf(failure)}
        </p>
      )}
      {entries.length === 0 && (
        <p>
          {filtered ? "None of the changes that were looked at fits." : "Nothing was changed yet."}{" "}
          {filtered && (
            <button type="button" onClick={showAll}>
              Show all
            </button>
          )}
        </p>
      )}
      {hasOlder ? (
        <button type="button" onClick={readOlder}>
          {filtered ? `Look on before revision ${oldest}` : "Show older changes"}
        </button>
      ) : (
        looked > 0 && (
          <p className="muted">
            {oldest === 1 ? "This is the beginning." : "Older changes are no longer kept here."}
          </p>
        )
      )}
    </div>
  );
}
