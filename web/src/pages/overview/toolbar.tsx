/** What of the interconnects is shown: words, states, a site. */

import { type RefObject, useEffect, useState } from "react";
import type { ShownState } from "../../../../src/contract/health.ts";
import { Icon } from "../../parts/icons.tsx";
import { StateShape } from "../../parts/state-badge.tsx";
import { type OverviewSearch, states, statesIn } from "./search.ts";

/** Milliseconds after the last key until it is searched. */
const TYPING = 120;

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
            <option key={site}>{site}</option>
          ))}
        </select>
      )}
      <button
        type="button"
        className="plain help-button"
        title="Keyboard (?)"
        aria-label="Keyboard"
        onClick={help}
      >
        <Icon name="help" />
      </button>
    </search>
  );
}

interface SearchFieldProps {
  readonly q: string;
  readonly search: (q: string) => void;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly toRows: () => void;
}

export function SearchField({ q, search, field, toRows }: SearchFieldProps) {
  const [text, setText] = useState(q);
  const [told, setTold] = useState(q);
  if (told !== q) {
    // The address changed by itself: somebody went back.
    setTold(q);
    if (q !== text.trim()) setText(q);
  }
  useEffect(() => {
    if (text.trim() === q) return;
    const timer = setTimeout(() => search(text.trim()), TYPING);
    return () => clearTimeout(timer);
  }, [text, q, search]);
  return (
    <div className="search-field">
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        aria-label="Search"
        placeholder="Name, address, site …"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== "ArrowDown" && event.key !== "Escape") return;
          event.preventDefault();
          if (event.key === "Escape" && text !== "") return setText("");
          toRows();
        }}
      />
      <span className="key">/</span>
    </div>
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
