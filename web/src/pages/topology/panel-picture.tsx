import { Link } from "@tanstack/react-router";
import { memo, useId } from "react";
import type { ShownState } from "../../../../src/contract/health.ts";
import { StateShape } from "../../parts/state-badge.tsx";
import type { HealthById, Row } from "../overview/rows.ts";
import { states } from "../overview/search.ts";
import { customerEnd, NO_SITE, type Panel, standingWords, type WatchingEdge } from "./panels.ts";

interface PanelPictureProps {
  readonly account: string;
  readonly panel: Panel;
  readonly health: HealthById;
  readonly isFolded: boolean;
  readonly flip: (site: string) => void;
  readonly look: (id: string) => void;
}

/** Of more, words in the search field find the others. */
const MOST_PORTS = 300;

/** One site: what it is called, who watches it, how it is, and a port for each interconnect. */
export function PanelPicture({ account, panel, health, isFolded, flip, look }: PanelPictureProps) {
  const { site, rows, counts, edges } = panel;
  const id = useId();
  return (
    <section className="site-panel" aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id}>
          <button type="button" className="plain" aria-expanded={!isFolded} onClick={() => flip(site)}>
            <span className="fold-mark" aria-hidden="true">
              {isFolded ? "▸" : "▾"}
            </span>
            {site === NO_SITE ? "No site" : site}
          </button>
        </h2>
        <ul className="site-counts" aria-label="By state">
          {states.map((state) =>
            counts[state] === 0 ? null : (
              <li key={state} className={`state-badge ${state}`}>
                <StateShape state={state} />
                {counts[state]} {state}
              </li>
            ),
          )}
        </ul>
        {edges.length > 0 && (
          <ul className="site-edges" aria-label="Watched by">
            {edges.map((edge) => (
              <li key={edge.name} className={`edge-chip ${edge.standing}`} title={told(edge, rows.length)}>
                <span className="edge-name">{edge.name}</span> <span className="muted">{edge.role}</span>
                {edge.standing === "silent" && " silent"}
              </li>
            ))}
          </ul>
        )}
      </div>
      {!isFolded && (
        <ul className="ports">
          {rows.slice(0, MOST_PORTS).map((row) => (
            <Port
              key={row.id}
              account={account}
              row={row}
              state={health?.get(row.id)?.state ?? "unknown"}
              look={look}
            />
          ))}
          {rows.length > MOST_PORTS && (
            <li className="muted more-ports">
              and {(rows.length - MOST_PORTS).toLocaleString("en")} more: search for them
            </li>
          )}
        </ul>
      )}
    </section>
  );
}

function told({ site, tells, standing }: WatchingEdge, all: number): string {
  const of = tells === all ? "all of them" : `${tells} of ${all}`;
  return `at ${site}; tells of ${of}; ${standingWords[standing]}`;
}

interface PortProps {
  readonly account: string;
  readonly row: Row;
  readonly state: ShownState;
  readonly look: (id: string) => void;
}

const Port = memo(function Port({ account, row, state, look }: PortProps) {
  return (
    <li>
      <Link
        className={`port ${state}`}
        to="/dashboard/$account/interconnects/$interconnect"
        params={{ account, interconnect: row.id }}
        preload={false}
        onFocus={() => look(row.id)}
        onPointerEnter={() => look(row.id)}
      >
        <svg className="cable" viewBox="0 0 24 12" width="24" height="12" aria-hidden="true">
          <path d="M0 6H24" />
        </svg>
        <span className="port-state">
          <StateShape state={state} />
          <span className="visually-hidden">{state}: </span>
        </span>
        <span className="port-name">{row.name}</span>
        <span className="port-end mono">{customerEnd(row.interconnect.interface_address)}</span>
      </Link>
    </li>
  );
});
