import { may, type SessionAccount } from "../../api/session.ts";
import { Icon } from "../../parts/icons.tsx";
import type { Row } from "./rows.ts";
import type { Column, Order } from "./search.ts";

interface Titled {
  readonly title: string;
  /** What it is sorted by. */
  readonly column?: Column;
  /** Numbers stand to the right. */
  readonly end?: true;
  readonly name: string;
}

const titles: readonly Titled[] = [
  { name: "state", title: "State", column: "state" },
  { name: "name", title: "Name", column: "name" },
  { name: "site", title: "Site", column: "site" },
  { name: "address", title: "Interface", column: "address" },
  { name: "mtu", title: "MTU", column: "mtu", end: true },
  { name: "strip", title: "Last hour" },
  { name: "latency", title: "Latency", column: "latency" },
  { name: "loss", title: "Loss", column: "loss", end: true },
  { name: "changed", title: "Last change", column: "changed" },
];

interface HeadingProps {
  readonly account: SessionAccount;
  readonly rows: readonly Row[];
  readonly order: Order;
  readonly sortBy: (column: Column) => void;
  readonly selected: ReadonlySet<string>;
  readonly toggleAll: () => void;
}

export function Heading({ account, rows, order, sortBy, selected, toggleAll }: HeadingProps) {
  const all = rows.length > 0 && rows.every(({ id }) => selected.has(id));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot leave rows out
    <div className="grid-head" role="rowgroup">
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names the active row */}
      <div className="grid-row" role="row" aria-rowindex={1}>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        {/* biome-ignore lint/a11y/useFocusableInteractive: as above */}
        <span role="columnheader" className="cell-select">
          <input
            type="checkbox"
            aria-label="Select all that are shown"
            checked={all}
            disabled={!may(account, "readMagic")}
            onChange={toggleAll}
          />
        </span>
        {titles.map(({ name, title, column, end }) => (
          // biome-ignore lint/a11y/useSemanticElements: as above
          // biome-ignore lint/a11y/useFocusableInteractive: as above
          <span
            key={name}
            role="columnheader"
            className={`cell-${name}${end ? " end" : ""}`}
            aria-sort={column === order.column ? (order.descending ? "descending" : "ascending") : undefined}
          >
            {column ? (
              <button type="button" className="sort" onClick={() => sortBy(column)}>
                {title}
                {column === order.column && <Icon name={order.descending ? "down" : "up"} />}
              </button>
            ) : (
              title
            )}
          </span>
        ))}
      </div>
    </div>
  );
}
