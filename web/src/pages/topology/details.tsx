import { StateBadge } from "../../parts/state-badge.tsx";
import { tellAge } from "../../parts/time.ts";
import type { Row, RowHealth } from "../overview/rows.ts";
import { customerEnd } from "./panels.ts";

interface DetailsProps {
  readonly row: Row | undefined;
  readonly health: RowHealth | undefined;
  readonly now: number;
}

/** What is known of the one that is pointed at. It has its place whether there is one or not, so that nothing moves. */
export function Details({ row, health, now }: DetailsProps) {
  return (
    <aside className="topology-details" aria-label="The one that is pointed at">
      {row ? (
        <>
          <strong>{row.name}</strong>
          <StateBadge state={health?.state ?? "unknown"} />
          {health?.since && <span className="muted">for {tellAge(health.since, now)}</span>}
          {health && <span>{health.reason}</span>}
          <span className="mono">
            {row.interconnect.interface_address} – {customerEnd(row.interconnect.interface_address)}
          </span>
          <span className="muted">MTU {row.interconnect.mtu}</span>
        </>
      ) : (
        <span className="muted">
          Point at one to see more; arrows lead from one to the next, Enter opens it, <kbd>/</kbd> searches.
        </span>
      )}
    </aside>
  );
}
