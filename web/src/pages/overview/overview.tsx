/** All interconnects of the account: found, put in order, selected, by mouse or keyboard. Its address says what is shown. */

import "./overview.css";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type AccountHealth, useAccount, useAccountState, useHealth } from "../../api/account.ts";
import { may, seesInterconnects } from "../../api/session.ts";
import { Broken } from "../../parts/broken.tsx";
import { type KeyMeaning, KeysHelp } from "../../parts/keys-help.tsx";
import { Message } from "../../parts/message.tsx";
import { select, useSelection } from "../../parts/selection.ts";
import { useOverviewKeys } from "./keys.ts";
import {
  type HealthById,
  healthById,
  isOfHealth,
  matchRows,
  orderOf,
  rowsInStates,
  rowsOf,
  sitesOf,
  sortRows,
  usualOrder,
} from "./rows.ts";
import type { Column, OverviewSearch } from "./search.ts";
import { Table } from "./table.tsx";
import { Toolbar } from "./toolbar.tsx";

const keyMeanings: readonly KeyMeaning[] = [
  [["j", "↓"], "next row"],
  [["k", "↑"], "row before"],
  [["PgDn", "PgUp"], "ten rows on, or back"],
  [["Home", "End"], "first row, last row"],
  [["Enter"], "open the interconnect"],
  [["x", "Space"], "select the row, or not"],
  [["Esc"], "select nothing"],
  [["/"], "search"],
  [["?"], "this help"],
];

export function Overview() {
  const account = useAccount();
  const state = useAccountState();
  const told = useHealth();
  const search = useSearch({ from: "/dashboard/$account/interconnects" });
  const navigate = useNavigate({ from: "/dashboard/$account/interconnects" });
  const selected = useSelection(account.id);
  const [activeId, setActiveId] = useState<string>();
  const [helping, setHelping] = useState(false);
  const grid = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = "Interconnects · Patchbay";
  }, []);

  const change = useCallback(
    (changed: OverviewSearch) => void navigate({ search: changed, replace: true }),
    [navigate],
  );
  const all = useMemo(() => (state.data ? rowsOf(state.data) : []), [state.data]);
  const health = useSteadyHealth(told.data?.health);
  const { column, descending } = orderOf(search);
  const order = useMemo(() => ({ column, descending }), [column, descending]);
  const { q, site } = search;
  const matched = useMemo(() => matchRows(all, { ...(q && { q }), ...(site && { site }) }), [all, q, site]);
  const judged = isOfHealth(column) ? health : undefined;
  const sorted = useMemo(() => sortRows(matched, judged, order), [matched, judged, order]);
  const found = useMemo(() => rowsInStates(sorted, health, search.state), [sorted, health, search.state]);
  const { rows } = found;
  const sites = useMemo(() => sitesOf(all), [all]);
  const active = useMemo(() => rows.findIndex(({ id }) => id === activeId), [rows, activeId]);
  const activate = useCallback((index: number) => setActiveId(rows[index]?.id), [rows]);

  const open = useCallback(
    (id: string) =>
      void navigate({
        to: "/dashboard/$account/interconnects/$interconnect",
        params: { account: account.id, interconnect: id },
      }),
    [navigate, account.id],
  );
  const keys = useOverviewKeys({
    account: account.id,
    rows,
    active,
    activate,
    open,
    grid,
    field,
    help: () => setHelping(true),
  });
  const sortBy = (by: Column) => {
    const turned = column === by && !descending;
    const { sort: _, ...rest } = search;
    const isUsual = by === usualOrder.column && !turned;
    change(isUsual ? rest : { ...rest, sort: turned ? `-${by}` : by });
  };
  const toggleAll = () => {
    const every = rows.every(({ id }) => selected.has(id));
    const after = new Set(selected);
    for (const { id } of rows) {
      if (every) after.delete(id);
      else after.add(id);
    }
    select(account.id, after);
  };

  if (!seesInterconnects(account))
    return (
      <Message title="The token may not see interconnects">
        <p>Sign in with one that has Magic WAN Read, Magic Transit Read or Patchbay Read in this account.</p>
      </Message>
    );
  if (state.error && !state.data) return <Broken error={state.error} reset={() => void state.refetch()} />;
  return (
    <div className="overview">
      <div className="overview-head">
        <h1>Interconnects</h1>
        <p className="muted" role="status">
          {state.data ? tellCount(rows.length, all.length) : "Reading …"}
          {selected.size > 0 && ` · ${selected.size.toLocaleString("en")} selected`}
        </p>
        {selected.size > 0 && may(account, "writeMagic") && (
          <Link className="button" to="/dashboard/$account/change" params={{ account: account.id }}>
            Change
          </Link>
        )}
        {selected.size > 0 && (
          <button type="button" className="plain" onClick={() => select(account.id, new Set())}>
            Select nothing
          </button>
        )}
      </div>
      <Toolbar
        search={search}
        change={change}
        counts={found.counts}
        sites={sites}
        hasHealth={may(account, "readHealth")}
        field={field}
        toRows={keys.toRows}
        help={() => setHelping(true)}
      />
      {state.data && rows.length === 0 ? (
        <Nothing isEmpty={all.length === 0} showAll={() => change({})} />
      ) : (
        <Table
          account={account}
          rows={rows}
          health={health}
          order={order}
          sortBy={sortBy}
          active={active}
          activate={activate}
          open={open}
          selected={selected}
          toggleAll={toggleAll}
          onKeyDown={keys.onKeyDown}
          grid={grid}
        />
      )}
      {helping && <KeysHelp keys={keyMeanings} close={() => setHelping(false)} />}
    </div>
  );
}

/** Health by interconnect, of which what did not change stays the same object. */
function useSteadyHealth(told: AccountHealth | undefined): HealthById {
  const [steady, setSteady] = useState<{ readonly of: AccountHealth; readonly health: HealthById }>();
  if (!told || steady?.of === told) return steady?.health;
  const health = healthById(told, steady?.health);
  setSteady({ of: told, health });
  return health;
}

function tellCount(shown: number, all: number): string {
  const number = all.toLocaleString("en");
  return shown === all ? number : `${shown.toLocaleString("en")} of ${number}`;
}

function Nothing({ isEmpty, showAll }: { readonly isEmpty: boolean; readonly showAll: () => void }) {
  if (isEmpty)
    return (
      <Message title="The account has no interconnects">
        <p>
          They come with a seed file, by the CNI API, or from an administrator; see the{" "}
          <a href="/docs">API reference</a>.
        </p>
      </Message>
    );
  return (
    <Message title="None fits">
      <p>No interconnect fits what is searched for and filtered.</p>
      <button type="button" onClick={showAll}>
        Show all
      </button>
    </Message>
  );
}
