/** Which changes are shown: words, who, an object; and the two that are compared. */

import type { RefObject } from "react";
import { Icon } from "../../parts/icons.tsx";
import { HelpButton, SearchField } from "../../parts/search-field.tsx";
import type { HistorySearch } from "./search.ts";

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
  const { search, change, people, objectName, marked, compare, unmark, field, toRows, help } = props;
  const { object, by, q = "" } = search;
  const known = by === undefined || people.includes(by) ? people : [...people, by];
  return (
    <search className="toolbar">
      <SearchField
        q={q}
        search={(words) => {
          const { q: _, ...rest } = search;
          change(words === "" ? rest : { ...rest, q: words });
        }}
        placeholder="Name, field, value, reason …"
        field={field}
        toRows={toRows}
      />
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
      <HelpButton help={help} />
    </search>
  );
}
