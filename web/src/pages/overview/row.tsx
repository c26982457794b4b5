import { memo } from "react";
import type { LastChange } from "../../../../src/contract/last-changes.ts";
import type { Minute } from "../../api/recent.ts";
import type { SessionAccount } from "../../api/session.ts";
import { HealthStrip, minuteAt, Sparkline, tellLatency, tellLoss } from "../../parts/hour.tsx";
import { toggle } from "../../parts/selection.ts";
import { StateBadge } from "../../parts/state-badge.tsx";
import { tellAge, tellTime } from "../../parts/time.ts";
import type { Row, RowHealth } from "./rows.ts";

interface OneRowProps {
  readonly account: SessionAccount;
  readonly row: Row;
  readonly index: number;
  /** Pixels from the top. */
  readonly start: number;
  readonly health: RowHealth | undefined;
  readonly hour: readonly Minute[] | undefined;
  readonly change: LastChange | undefined;
  readonly now: number;
  readonly active: boolean;
  readonly selected: boolean;
  readonly activate: (index: number) => void;
  readonly open: (id: string) => void;
}

export const OneRow = memo(function OneRow(props: OneRowProps) {
  const { account, row, index, start, health, hour, change, now, active, selected, activate, open } = props;
  const { interconnect } = row;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot leave rows out
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names the active row
    <div
      id={`row-${row.id}`}
      className={active ? "grid-row one active" : "grid-row one"}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      style={{ transform: `translateY(${start}px)` }}
      onClick={() => activate(index)}
    >
      <Cell name="select">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Select ${row.name}`}
          checked={selected}
          onChange={() => toggle(account.id, row.id)}
        />
      </Cell>
      <Cell name="state">
        <StateBadge
          state={health?.state ?? "unknown"}
          title={health?.reason ?? "its health is not known yet"}
        />
        {health?.since && <span className="muted age">{tellAge(health.since, now)}</span>}
      </Cell>
      <Cell name="name">
        {/* The router's own link is dear where thousands pass by. */}
        <a
          tabIndex={-1}
          href={`/dashboard/${account.id}/interconnects/${row.id}`}
          title={interconnect.description}
          onClick={(event) => {
            if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            open(row.id);
          }}
        >
          {row.name}
        </a>
      </Cell>
      <Cell name="site">
        <span title={row.site}>{row.site || "–"}</span>
      </Cell>
      <Cell name="address">
        <span className="mono" title={interconnect.interface_address6}>
          {interconnect.interface_address}
          {interconnect.interface_address6 && <sup> v6</sup>}
        </span>
      </Cell>
      <Cell name="mtu">{interconnect.mtu}</Cell>
      <Cell name="strip">
        <HealthStrip minutes={hour} minute={minuteAt(now)} />
      </Cell>
      <Cell name="latency">
        <Sparkline minutes={hour} minute={minuteAt(now)} />
        <span className="number">{health?.latency === undefined ? "–" : tellLatency(health.latency)}</span>
      </Cell>
      <Cell name="loss">
        <span className={health?.loss ? "lossy" : "muted"}>
          {health?.loss === undefined ? "–" : tellLoss(health.loss)}
        </span>
      </Cell>
      <Cell name="changed">
        <Changed row={row} told={change} now={now} />
      </Cell>
    </div>
  );
});

function Cell({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot leave rows out
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus
    <span role="gridcell" className={`cell-${name}`}>
      {children}
    </span>
  );
}

/** By the log, and by the interconnect itself where the log may not be read. */
function Changed({
  row,
  told,
  now,
}: {
  readonly row: Row;
  readonly told: LastChange | undefined;
  readonly now: number;
}) {
  const change = told?.change;
  const isSeed = change?.operation === "seed";
  const time = change && !isSeed ? change.time : row.modified_on;
  const who = change && (change.actor.type === "system" ? "Patchbay" : change.actor.name || change.actor.id);
  const title = [
    tellTime(time),
    told && `revision ${told.revision}`,
    isSeed ? "from the start" : who && `by ${who}`,
    change?.reason,
  ];
  return (
    <span title={title.filter(Boolean).join(" · ")}>
      <span className="age">{tellAge(time, now)} ago</span>{" "}
      <span className="muted">{isSeed ? "seed" : (who ?? "")}</span>
    </span>
  );
}
