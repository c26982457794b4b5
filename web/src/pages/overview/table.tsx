/** The rows, of which only those that are seen are made. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type RefObject, useEffect, useRef, useSyncExternalStore } from "react";
import { changeOf, hourOf, useRecent } from "../../api/recent.ts";
import type { SessionAccount } from "../../api/session.ts";
import { useNow } from "../../parts/time.ts";
import { Heading } from "./heading.tsx";
import { OneRow } from "./row.tsx";
import type { HealthById, Row } from "./rows.ts";
import type { Column, Order } from "./search.ts";

/** Below that many pixels, a row is a card of three lines. */
const narrow = matchMedia("(max-width: 45rem)");
const ROW = { wide: 34, narrow: 76 } as const;
/** Rows made before they are seen. */
const AHEAD = 6;

function onNarrow(listener: () => void): () => void {
  narrow.addEventListener("change", listener);
  return () => narrow.removeEventListener("change", listener);
}

interface TableProps {
  readonly account: SessionAccount;
  readonly rows: readonly Row[];
  readonly health: HealthById;
  readonly order: Order;
  readonly sortBy: (column: Column) => void;
  readonly active: number;
  readonly activate: (index: number) => void;
  readonly open: (id: string) => void;
  readonly selected: ReadonlySet<string>;
  readonly toggleAll: () => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly grid: RefObject<HTMLDivElement | null>;
}

export function Table(props: TableProps) {
  const { account, rows, health, active, activate, open, selected, grid } = props;
  const now = useNow();
  const isNarrow = useSyncExternalStore(onNarrow, () => narrow.matches);
  const height = isNarrow ? ROW.narrow : ROW.wide;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => grid.current,
    estimateSize: () => height,
    overscan: AHEAD,
    getItemKey: (index) => rows[index]?.id ?? index,
    scrollPaddingStart: isNarrow ? 0 : ROW.wide,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was measured at one height is wrong at the other
  useEffect(() => virtual.measure(), [height]);
  const last = useRef(active);
  useEffect(() => {
    if (last.current !== active && active >= 0) virtual.scrollToIndex(active);
    last.current = active;
  }, [active, virtual]);
  const items = virtual.getVirtualItems();
  const shown = items.flatMap(({ index }) => rows[index] ?? []);
  useRecent(account, shown);
  const current = rows[active];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot leave rows out
    <div
      ref={grid}
      className="grid"
      role="grid"
      tabIndex={0}
      aria-label="Interconnects"
      aria-rowcount={rows.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={current && `row-${current.id}`}
      onKeyDown={props.onKeyDown}
    >
      <Heading {...props} />
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div className="grid-rows" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const row = rows[index];
          if (!row) return null;
          return (
            <OneRow
              key={key}
              account={account}
              row={row}
              index={index}
              start={start}
              health={health?.get(row.id)}
              hour={hourOf(row.id)}
              change={changeOf(row)}
              now={now}
              active={index === active}
              selected={selected.has(row.id)}
              activate={activate}
              open={open}
            />
          );
        })}
      </div>
    </div>
  );
}
