/** Which changes are shown: words, who, an object; and the two that are compared. */

import { type RefObject, useEffect, useState } from "react";
import { Icon } from "../../parts/icons.tsx";
import type { HistorySearch } from "./search.ts";

/** Milliseconds after the last key until it is searched. */
const TYPING = 200;

interface ToolbarProps {
  readonly search: HistorySearch;
  readonly change: (search: HistorySearch) => void;
  readonly people: readonly string[];
  readonly objectName: string | undefined;
  readonly marked: readonly number[];
  readonly compare: () => void;
  readonly unmark: () => void;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly toRows: () => void;
  readonly help: () => void;
}

export function Toolbar(props: ToolbarProps) {
  const { search, change, people, objectName, marked, compare, unmark, help } = props;
  const { object, by } = search;
  const known = by === undefined || people.includes(by) ? people : [...people, by];
  return (
    <search className="history-toolbar">
      <SearchField {...props} />
      <select
        aria-label="Who"
        value={by ?? ""}
        onChange={({ target }) => {
          const { by: _, ...rest } = search;
          change(target.value === "" ? rest : { ...rest, by: target.value });
        }}
      >
        <option value="">Everybody</option>
        {known.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      {object !== undefined && (
        <button
          type="button"
          className="history-object"
          title={object}
          aria-label={`Of ${objectName ?? object} alone. Show all`}
          onClick={() => {
            const { object: _, ...rest } = search;
            change(rest);
          }}
        >
          <span>{objectName ?? object}</span> <Icon name="close" />
        </button>
      )}
      <div className="history-marked">
        {marked.length === 1 && <span className="muted">Mark another to compare</span>}
        {marked.length === 2 && (
          <button type="button" className="primary" onClick={compare}>
            Compare {Math.min(...marked)} and {Math.max(...marked)}
          </button>
        )}
        {marked.length > 0 && (
          <button type="button" className="plain" onClick={unmark}>
            Unmark
          </button>
        )}
      </div>
      <button
        type="button"
        className="plain history-help"
        title="Keyboard (?)"
        aria-label="Keyboard"
        onClick={help}
      >
        <Icon name="help" />
      </button>
    </search>
  );
}

function SearchField({ search, change, field, toRows }: ToolbarProps) {
  const { q = "" } = search;
  const [text, setText] = useState(q);
  const [told, setTold] = useState(q);
  if (told !== q) {
    // The address changed by itself: somebody went back.
    setTold(q);
    if (q !== text.trim()) setText(q);
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed is waited for
  useEffect(() => {
    if (text.trim() === q) return;
    const timer = setTimeout(() => {
      const { q: _, ...rest } = search;
      change(text.trim() === "" ? rest : { ...rest, q: text.trim() });
    }, TYPING);
    return () => clearTimeout(timer);
  }, [text, q]);
  return (
    <div className="history-search">
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        aria-label="Search"
        placeholder="Name, field, value, reason …"
        spellCheck={false}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== "ArrowDown" && event.key !== "Escape") return;
          event.preventDefault();
          if (event.key === "Escape" && text !== "") return setText("");
          toRows();
        }}
      />
    </div>
  );
}
