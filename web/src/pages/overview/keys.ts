/** The keys of the overview: in the rows, and on the page wherever nothing is typed. */

import { type KeyboardEvent as ReactKeyboardEvent, type RefObject, useEffect, useRef } from "react";
import { select, toggle } from "../../parts/selection.ts";
import type { Row } from "./rows.ts";

interface Asked {
  readonly account: string;
  readonly rows: readonly Row[];
  /** -1 if none is. */
  readonly active: number;
  readonly activate: (index: number) => void;
  readonly open: (id: string) => void;
  readonly grid: RefObject<HTMLDivElement | null>;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly help: () => void;
}

const PAGE = 10;

/** Where a key leads from a row; none if it leads nowhere. */
function target(key: string, from: number, count: number): number | undefined {
  switch (key) {
    case "j":
    case "ArrowDown":
      return Math.min(count - 1, from + 1);
    case "k":
    case "ArrowUp":
      return Math.max(0, from - 1);
    case "PageDown":
      return Math.min(count - 1, Math.max(0, from) + PAGE);
    case "PageUp":
      return Math.max(0, from - PAGE);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}

export function useOverviewKeys(asked: Asked) {
  const latest = useRef(asked);
  useEffect(() => {
    latest.current = asked;
  });

  const toRows = () => {
    const { grid, rows, active, activate } = latest.current;
    grid.current?.focus();
    if (active < 0 && rows.length > 0) activate(0);
  };

  const press = (event: KeyboardEvent | ReactKeyboardEvent): void => {
    const { account, rows, active, activate, open, field, help, grid } = latest.current;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const current = rows[active];
    const next = rows.length > 0 ? target(event.key, active, rows.length) : undefined;
    if (next !== undefined) {
      grid.current?.focus();
      activate(next);
    } else if (event.key === "/") field.current?.focus();
    else if (event.key === "?") help();
    else if ((event.key === "x" || event.key === " ") && current) toggle(account, current.id);
    else if (event.key === "Enter" && current) open(current.id);
    else if (event.key === "Escape") select(account, new Set());
    else return;
    event.preventDefault();
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: it looks at what is newest when a key is pressed
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const { target: at } = event;
      // What has the focus and does something by keys comes first; the grid's own come by `onKeyDown`.
      const busy =
        at instanceof Element && at.closest("input, select, textarea, button, a, dialog, [role=grid]");
      if (!busy || (event.key === "/" && at.closest("button, a"))) press(event);
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);

  return {
    toRows,
    onKeyDown: (event: ReactKeyboardEvent) => {
      const { target: at } = event;
      if (at instanceof HTMLInputElement && (event.key === " " || event.key === "Enter")) return;
      if (at instanceof HTMLButtonElement) return;
      press(event);
    },
  };
}
