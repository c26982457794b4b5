/** What two revisions differ in, net of what was changed and changed back. */

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { sentenceOf } from "../../api/client.ts";
import { may, type SessionAccount } from "../../api/session.ts";
import { Differences } from "../../changes/differences.tsx";
import type { Undo } from "../../changes/undo.ts";
import { UndoDialog } from "../../changes/undo-dialog.tsx";
import { tellCounts } from "../../changes/words.ts";
import { Panel } from "./panel.tsx";
import { differenceQuery } from "./records.ts";
import { closed, type HistorySearch, revisionIn } from "./search.ts";
import type { Timeline } from "./timeline.ts";

interface DifferencePanelProps {
  readonly account: SessionAccount;
  readonly timeline: Timeline;
  readonly from: number;
  /** None for the newest, whichever that is. */
  readonly to: number | undefined;
  readonly search: HistorySearch;
  readonly change: (search: HistorySearch) => void;
}

export function DifferencePanel(props: DifferencePanelProps) {
  const { account, timeline, from, to, search, change } = props;
  const { revision: newest, epoch } = timeline;
  const last = to ?? newest;
  const beyond = [from, last].find((revision) => revision > newest);
  const { data, error } = useQuery({
    ...differenceQuery(account.id, epoch, { from, to: last }),
    enabled: beyond === undefined,
  });
  const [undo, setUndo] = useState<Undo>();
  const compare = (one: number, other: number | undefined) =>
    change({ ...closed(search), from: String(one), ...(other !== undefined && { to: String(other) }) });
  const older = Math.min(from, last);
  return (
    <Panel title={`From ${from} to ${to ?? `now (${newest})`}`} close={() => change(closed(search))}>
      <Range key={`${from} ${to}`} from={from} to={to} compare={compare} newest={newest} />
      {beyond !== undefined && (
        <p className="history-problem" role="alert">
          There is no revision {beyond}: the newest is {newest}.
        </p>
      )}
      {beyond === undefined && error && (
        <p className="history-problem" role="alert">
          {sentenceOf(error)}
        </p>
      )}
      {beyond === undefined && !data && !error && <p className="muted">Reading what was changed between …</p>}
      {data && beyond === undefined && (
        <>
          <div className="panel-actions">
            <p className="muted panel-count" role="status">
              {data.length === 0 ? "Nothing differs." : `Differs: ${tellCounts(data)}`}
            </p>
            {may(account, "undo") && older >= 1 && older < newest && (
              <button type="button" onClick={() => setUndo({ what: "restore", revision: older })}>
                Restore revision {older} …
              </button>
            )}
          </div>
          <Differences objects={data} only={(object) => change({ ...search, object })} />
        </>
      )}
      {undo && (
        <UndoDialog
          account={account}
          undo={undo}
          atOnce={false}
          close={() => setUndo(undefined)}
          made={(made) => {
            setUndo(undefined);
            change({ ...closed(search), change: String(made) });
          }}
        />
      )}
    </Panel>
  );
}

interface RangeProps extends Pick<DifferencePanelProps, "from" | "to"> {
  readonly newest: number;
  readonly compare: (from: number, to: number | undefined) => void;
}

function Range({ from, to, newest, compare }: RangeProps) {
  const [first, setFirst] = useState(String(from));
  const [second, setSecond] = useState(to === undefined ? "" : String(to));
  const one = revisionIn(first.trim());
  const other = second.trim() === "" ? undefined : revisionIn(second.trim());
  const fits = one !== undefined && (second.trim() === "" || other !== undefined);
  const go = (event: FormEvent) => {
    event.preventDefault();
    if (fits) compare(one, other);
  };
  return (
    <form className="panel-range" onSubmit={go}>
      <label>
        From{" "}
        <input
          type="text"
          inputMode="numeric"
          value={first}
          onChange={({ target }) => setFirst(target.value)}
        />
      </label>
      <label>
        to{" "}
        <input
          type="text"
          inputMode="numeric"
          placeholder="now"
          value={second}
          onChange={({ target }) => setSecond(target.value)}
        />
      </label>
      <button type="submit" disabled={!fits || (one === from && other === to)}>
        Compare
      </button>
      <button type="button" className="plain" onClick={() => compare(to ?? newest, from)}>
        Swap
      </button>
    </form>
  );
}
