/** What can be chosen at the side, with how much changes there and how much of it is wrong; where it is narrow, a list to pick from. */

import { useState } from "react";

export interface SideItem {
  readonly key: string;
  readonly label: string;
  readonly group: string | undefined;
  readonly changes: number;
  readonly troubles: number;
}

interface SideProps {
  readonly label: string;
  readonly items: readonly SideItem[];
  readonly current: string;
  readonly choose: (key: string) => void;
}

/** Of more, those are shown that are searched for. */
const MOST = 100;

export function Side({ label, items, current, choose }: SideProps) {
  const [words, setWords] = useState("");
  const found = items.filter((item) => item.label.toLowerCase().includes(words.trim().toLowerCase()));
  const shown = found.slice(0, MOST);
  return (
    <div className="change-side">
      {items.length > 25 && (
        <input
          type="search"
          aria-label={`Search ${label.toLowerCase()}`}
          placeholder="Search"
          value={words}
          onChange={({ target }) => setWords(target.value)}
        />
      )}
      <select
        className="change-side-pick"
        aria-label={label}
        value={current}
        onChange={({ target }) => choose(target.value)}
      >
        {shown.every(({ key }) => key !== current) && (
          <option value={current}>{items.find(({ key }) => key === current)?.label ?? current}</option>
        )}
        {shown.map((item) => (
          <option key={item.key} value={item.key}>
            {item.group === undefined ? "" : `${item.group}: `}
            {item.label}
            {tell(item) === "" ? "" : ` (${tell(item)})`}
          </option>
        ))}
      </select>
      <nav className="change-side-list" aria-label={label}>
        {shown.map((item, index) => (
          <div key={item.key}>
            {item.group !== undefined && item.group !== shown[index - 1]?.group && <h2>{item.group}</h2>}
            <button
              type="button"
              aria-current={item.key === current ? "true" : undefined}
              onClick={() => choose(item.key)}
            >
              <span>{item.label}</span>
              {item.troubles > 0 ? (
                <span className="change-tally bad" title={tell(item)}>
                  {item.troubles} wrong
                </span>
              ) : (
                item.changes > 0 && (
                  <span className="change-tally" title={tell(item)}>
                    {item.changes}
                  </span>
                )
              )}
            </button>
          </div>
        ))}
      </nav>
      {found.length > MOST && <p className="muted">{found.length - MOST} more: search for them.</p>}
    </div>
  );
}

function tell({ changes, troubles }: SideItem): string {
  if (troubles > 0) return `${changes} changed, ${troubles} wrong`;
  return changes > 0 ? `${changes} changed` : "";
}
