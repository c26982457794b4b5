/** The keys of the history: the rows' links take the focus, so that Enter opens them as any link. */

import { type RefObject, useCallback, useEffect, useRef } from "react";

interface Asked {
  readonly list: RefObject<HTMLElement | null>;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly mark: (revision: number) => void;
  readonly compare: (() => void) | undefined;
  /** Closes what is open, or else lets go of what is marked. */
  readonly leave: () => void;
  /** Something is open: what is gone to is opened at once. */
  readonly follow: ((revision: number) => void) | undefined;
  readonly help: () => void;
  readonly readOlder: () => void;
}

const PAGE = 10;

/** How far a key leads. */
const steps: Readonly<Record<string, number>> = {
  j: 1,
  ArrowDown: 1,
  k: -1,
  ArrowUp: -1,
  PageDown: PAGE,
  PageUp: -PAGE,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** The router says `page` of a link whose page is open, the list itself says `true`. */
function isOpen({ ariaCurrent }: HTMLAnchorElement): boolean {
  return ariaCurrent === "page" || ariaCurrent === "true";
}

export function useHistoryKeys(asked: Asked): { readonly toRows: () => void } {
  const latest = useRef(asked);
  useEffect(() => {
    latest.current = asked;
  });
  const linksOf = useCallback(
    () => [...(latest.current.list.current?.querySelectorAll<HTMLAnchorElement>("a.row-link") ?? [])],
    [],
  );
  const toRows = useCallback(() => {
    const links = linksOf();
    (links.find(isOpen) ?? links[0])?.focus();
  }, [linksOf]);

  useEffect(() => {
    const go = (step: number) => {
      const links = linksOf();
      const at = links.findIndex((link) => link === document.activeElement || link === last);
      const from = at >= 0 ? at : links.findIndex(isOpen);
      const wanted = from < 0 ? (step > 0 && Number.isFinite(step) ? 0 : from + step) : from + step;
      const link = links[Math.max(0, Math.min(links.length - 1, wanted))];
      if (wanted >= links.length && from === links.length - 1) latest.current.readOlder();
      last = link;
      link?.focus();
      link?.scrollIntoView({ block: "nearest" });
      if (link && !isOpen(link)) latest.current.follow?.(Number(link.dataset["revision"]));
    };
    let last: HTMLAnchorElement | undefined;
    const listen = (event: KeyboardEvent) => {
      const { target, key } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
      if (target.closest("dialog, input:not([type=checkbox]), select, textarea")) return;
      const { mark, compare, leave, help, field } = latest.current;
      const step = steps[key];
      const revision = Number(target.closest<HTMLElement>("a.row-link")?.dataset["revision"]);
      // Where nothing of the list has the focus, the arrows scroll what is open.
      if (step !== undefined && (key === "j" || key === "k" || revision > 0 || target === document.body))
        go(step);
      else if (key === "/") field.current?.focus();
      else if (key === "?") help();
      else if (key === "Escape") leave();
      else if ((key === "x" || key === " ") && revision > 0) mark(revision);
      else if (key === "d" && compare) compare();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [linksOf]);
  return { toRows };
}
