/**
 * The part of the log that is looked at: from the newest on, carried on as changes are made, with older ones read on
 * demand. Only lines that fit the filter are kept, and a bounded number of them.
 */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { SessionAccount } from "../../api/session.ts";
import { type Mark, type Outcome, outcomesOf } from "../../changes/outcome.ts";
import { type Entry, type Filter, isFiltered, type Page, readPage } from "./read.ts";

/** Of more lines, the newest are let go. */
const MOST_ENTRIES = 500;
/** Of more, those read first are let go: what they say is of changes that are far away. */
const MOST_MARKS = 5_000;
const MOST_PEOPLE = 50;
/** With a filter, it is looked on until as many lines fit, or as many changes were looked at. */
const STEP = { entries: 20, looked: 1_000 } as const;

interface Window {
  readonly key: string;
  readonly newest: number;
  readonly oldest: number;
  readonly entries: readonly Entry[];
  /** How many fitted, with those that were let go. */
  readonly found: number;
  readonly marks: readonly Mark[];
  readonly cursor: string | undefined;
  /** The newest lines were let go. */
  readonly detached: boolean;
  readonly objectName: string | undefined;
}

export interface Timeline {
  readonly epoch: string;
  /** The account's newest revision. */
  readonly revision: number;
  readonly entries: readonly Entry[];
  readonly outcomes: ReadonlyMap<number, Outcome>;
  readonly people: readonly string[];
  readonly objectName: string | undefined;
  /** Changes that were looked at, of which `entries` fit. */
  readonly looked: number;
  readonly oldest: number;
  readonly hasOlder: boolean;
  readonly detached: boolean;
  /** Is it what is asked for, and not what was before? */
  readonly fits: boolean;
  readonly reading: boolean;
  /** Why older ones could not be read. */
  readonly failure: unknown;
  readonly ahead: number;
  readonly readOlder: () => void;
  readonly toNewest: () => void;
}

function begin(key: string, page: Page): Window {
  const { newest, oldest, entries, marks, cursor, objectName } = page;
  const found = entries.length;
  return { key, newest, oldest, entries, found, marks, cursor, detached: false, objectName };
}

/** How far is looked before anybody asks for more. */
const firstGoal = (key: string, filter: Filter) =>
  isFiltered(filter) ? { key, ...STEP } : { key, entries: 0, looked: 0 };

/** With the newest page as it is now. */
function renew(window: Window | undefined, key: string, page: Page): Window {
  if (window?.key !== key || page.oldest > window.newest + 1) return begin(key, page);
  const { newest: known } = window;
  const marks = page.marks.filter(({ revision }) => revision > known);
  const fresh = page.entries.filter(({ revision }) => revision > known);
  const { newest } = page;
  const together = {
    ...window,
    newest,
    found: window.found + fresh.length,
    marks: [...marks, ...window.marks].slice(0, MOST_MARKS),
  };
  if (window.detached) return together;
  const entries = [...fresh, ...window.entries];
  // A page that is left open does not grow: what was read of older ones can be read again.
  return entries.length > MOST_ENTRIES ? begin(key, page) : { ...together, entries };
}

/** With a page of older ones. */
function extend(window: Window, page: Page): Window {
  const entries = [...window.entries, ...page.entries];
  return {
    ...window,
    oldest: page.oldest || window.oldest,
    entries: entries.slice(-MOST_ENTRIES),
    found: window.found + page.entries.length,
    marks: [...window.marks, ...page.marks].slice(-MOST_MARKS),
    cursor: page.cursor,
    detached: window.detached || entries.length > MOST_ENTRIES,
    objectName: window.objectName ?? page.objectName,
  };
}

export function useTimeline(account: SessionAccount, filter: Filter) {
  const filterKey = JSON.stringify(filter);
  const head = useQuery({
    queryKey: ["account", account.id, "changes", filterKey] as const,
    queryFn: ({ signal }) => readPage(account.id, filter, undefined, signal),
    // Followed by the log (`api/live.ts`), which has it read again after each change.
    staleTime: Number.POSITIVE_INFINITY,
  });
  const page = head.data;
  const key = `${account.id} ${page?.epoch} ${filterKey}`;
  const [seen, setSeen] = useState<Page>();
  const [window, setWindow] = useState<Window>();
  const [people, setPeople] = useState<readonly string[]>([]);
  const [goal, setGoal] = useState({ key: "", entries: 0, looked: 0 });
  const [failure, setFailure] = useState<{ readonly key: string; readonly error: unknown }>();
  const meet = ({ people: more }: Page) =>
    setPeople((known) => [...new Set([...known, ...more])].sort().slice(0, MOST_PEOPLE));
  if (page && page !== seen) {
    setSeen(page);
    setWindow(renew(window, key, page));
    meet(page);
    if (window?.key !== key) setGoal(firstGoal(key, filter));
  }

  const current = page && window?.key === key ? window : undefined;
  // Until what is asked for is there, what was stays.
  const [shownPage, shown] = current ? [page, current] : [seen, window];
  const looked = shown && shown.newest > 0 ? shown.newest - shown.oldest + 1 : 0;
  const cursor = current?.cursor;
  const failed = failure?.key === key;
  const wants =
    current !== undefined &&
    cursor !== undefined &&
    !failed &&
    goal.key === key &&
    current.found < goal.entries &&
    looked < goal.looked;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` is the account and the filter
  useEffect(() => {
    if (!wants) return;
    const stopped = new AbortController();
    readPage(account.id, filter, cursor, stopped.signal).then(
      (older) => {
        if (stopped.signal.aborted) return;
        meet(older);
        setWindow((now) => (now?.key === key && now.cursor === cursor ? extend(now, older) : now));
      },
      (error: unknown) => {
        if (!stopped.signal.aborted) setFailure({ key, error });
      },
    );
    return () => stopped.abort();
  }, [key, cursor, wants]);

  const marks = shown?.marks;
  const outcomes = useMemo(() => outcomesOf(marks ?? []), [marks]);
  const timeline: Timeline | undefined = shownPage &&
    shown && {
      epoch: shownPage.epoch,
      revision: shownPage.revision,
      entries: shown.entries,
      outcomes,
      people,
      objectName: shown.objectName,
      looked,
      oldest: shown.oldest,
      hasOlder: shown.cursor !== undefined,
      detached: shown.detached,
      fits: current !== undefined,
      reading: wants,
      failure: failed ? failure.error : undefined,
      ahead: shownPage.ahead,
      readOlder: () => {
        if (!current || wants || cursor === undefined) return;
        setFailure(undefined);
        const entries = current.found + (isFiltered(filter) ? STEP.entries : 1);
        setGoal({ key, entries, looked: looked + STEP.looked });
      },
      toNewest: () => {
        if (!page) return;
        setWindow(begin(key, page));
        // What was let go is not read again by itself.
        setGoal(firstGoal(key, filter));
      },
    };
  return { timeline, error: head.error, retry: () => void head.refetch() };
}
