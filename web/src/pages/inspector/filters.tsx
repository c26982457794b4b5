/** Which requests are listed, by method, status and path; and whether new ones are. */

import { useEffect, useState } from "react";
import { Icon } from "../../parts/icons.tsx";
import { type InspectorSearch, methods, statuses } from "./search.ts";

/** Milliseconds after the last key until it is searched. */
const TYPING = 120;

interface FiltersProps {
  readonly search: InspectorSearch;
  readonly change: (changed: InspectorSearch) => void;
  readonly isPaused: boolean;
  readonly setPaused: (isPaused: boolean) => void;
}

export function Filters({ search, change, isPaused, setPaused }: FiltersProps) {
  const { method, status, own, ...others } = search;
  const kept = { ...(method && { method }), ...(status && { status }), ...(own && { own }), ...others };
  const { method: _m, ...withoutMethod } = kept;
  const { status: _s, ...withoutStatus } = kept;
  const { own: _o, ...withoutOwn } = kept;
  return (
    <search className="filters">
      <PathField search={search} change={change} />
      <select
        aria-label="Method"
        value={method ?? ""}
        onChange={({ target }) => {
          const chosen = methods.find((one) => one === target.value);
          change(chosen ? { ...withoutMethod, method: chosen } : withoutMethod);
        }}
      >
        <option value="">Every method</option>
        {methods.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <select
        aria-label="Status"
        value={status ?? ""}
        onChange={({ target }) => {
          const chosen = statuses.find((one) => one === target.value);
          change(chosen ? { ...withoutStatus, status: chosen } : withoutStatus);
        }}
      >
        <option value="">Every status</option>
        {statuses.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <label className="check-label">
        <input
          type="checkbox"
          checked={own === "shown"}
          onChange={({ target }) => change(target.checked ? { ...withoutOwn, own: "shown" } : withoutOwn)}
        />
        The dashboard's own
      </label>
      <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
        {isPaused ? "Go on" : "Pause"}
      </button>
    </search>
  );
}

function PathField({ search, change }: Pick<FiltersProps, "search" | "change">) {
  const { path = "", ...rest } = search;
  const [text, setText] = useState(path);
  const [told, setTold] = useState(path);
  if (told !== path) {
    // The address changed by itself: somebody went back.
    setTold(path);
    if (path !== text.trim()) setText(path);
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: of the address, only the path is waited for
  useEffect(() => {
    const wanted = text.trim();
    if (wanted === path) return;
    const timer = setTimeout(() => change(wanted === "" ? rest : { ...rest, path: wanted }), TYPING);
    return () => clearTimeout(timer);
  }, [text, path, change]);
  return (
    <div className="path-field">
      <Icon name="search" />
      <input
        type="search"
        aria-label="Path"
        placeholder="Path …"
        spellCheck={false}
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
    </div>
  );
}
