/** What of the interconnects is shown: words, states, a site. */

import "../../parts/toolbar.css";
import type { RefObject } from "react";
import type { ShownState } from "../../../../src/contract/health.ts";
import { HelpButton, SearchField } from "../../parts/search-field.tsx";
import { StateShape } from "../../parts/state-badge.tsx";
import { type OverviewSearch, states, statesIn } from "./search.ts";

interface ToolbarProps {
  readonly search: OverviewSearch;
  readonly change: (changed: OverviewSearch) => void;
  readonly counts: Readonly<Record<ShownState, number>>;
  readonly sites: readonly string[];
  readonly hasHealth: boolean;
  readonly field: RefObject<HTMLInputElement | null>;
  /** From the search field into the rows. */
  readonly toRows: () => void;
  readonly help: () => void;
}

export function Toolbar({ search, change, counts, sites, hasHealth, field, toRows, help }: ToolbarProps) {
  return (
    <search className="toolbar">
      <SearchField
        q={search.q ?? ""}
        search={(q) => change({ ...search, q })}
        placeholder="Name, address, site …"
        field={field}
        toRows={toRows}
      />
      {hasHealth && <StateFilter search={search} change={change} counts={counts} />}
      {sites.length > 1 && (
        <select
          aria-label="Site"
          value={search.site ?? ""}
          onChange={(event) => change({ ...search, site: event.target.value })}
        >
          <option value="">All sites</option>
          {sites.map((site) => (
            <option key={site} value={site}>
              {site}
            </option>
          ))}
        </select>
      )}
      <HelpButton help={help} />
    </search>
  );
}

export function StateFilter({ search, change, counts }: Pick<ToolbarProps, "search" | "change" | "counts">) {
  const shown = statesIn(search.state);
  const flip = (state: ShownState) => {
    const after = states.filter((one) => (one === state) !== shown.includes(one));
    change({ ...search, state: after.length === states.length ? "" : after.join(",") });
  };
  return (
    <fieldset className="state-filter">
      <legend className="visually-hidden">States</legend>
      {states.map((state) => (
        <button
          key={state}
          type="button"
          className={`chip ${state}`}
          aria-pressed={shown.includes(state)}
          onClick={() => flip(state)}
        >
          <StateShape state={state} />
          {state} <span className="count">{counts[state].toLocaleString("en")}</span>
        </button>
      ))}
    </fieldset>
  );
}
