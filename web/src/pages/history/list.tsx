/** The timeline: changes by day, the newest first. */

import "./list.css";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { Outcome } from "../../changes/outcome.ts";
import { tellActor, tellOperation } from "../../changes/words.ts";
import { tellTime } from "../../parts/time.ts";
import { OutcomeBadge } from "./outcome-badge.tsx";
import type { Entry } from "./read.ts";
import { closed, type HistorySearch } from "./search.ts";
import type { Timeline } from "./timeline.ts";

interface ListProps {
  readonly timeline: Timeline;
  readonly search: HistorySearch;
  readonly marked: readonly number[];
  readonly mark: (revision: number) => void;
}

export function List({ timeline, search, marked, mark }: ListProps) {
  const { entries, outcomes, ahead } = timeline;
  return byDay(entries).map(([day, changes]) => (
    <section className="day" key={day} aria-labelledby={`day-${day}`}>
      <h2 id={`day-${day}`}>
        <time dateTime={day}>{tellDay(day)}</time>
      </h2>
      <ol>
        {changes.map((entry) => (
          <Row
            key={entry.revision}
            entry={entry}
            outcome={outcomes.get(entry.revision)}
            ahead={ahead}
            search={search}
            isOpen={[search.change, search.from, search.to].includes(String(entry.revision))}
            isMarked={marked.includes(entry.revision)}
            mark={mark}
          />
        ))}
      </ol>
    </section>
  ));
}

interface RowProps {
  readonly entry: Entry;
  readonly outcome: Outcome | undefined;
  readonly ahead: number;
  readonly search: HistorySearch;
  readonly isOpen: boolean;
  readonly isMarked: boolean;
  readonly mark: (revision: number) => void;
}

const Row = memo(function Row({ entry, outcome, ahead, search, isOpen, isMarked, mark }: RowProps) {
  const { revision, time, actor, operation, reason, what, counts } = entry;
  return (
    <li className={`change-row${isOpen ? " open" : ""}`}>
      <input
        type="checkbox"
        aria-label={`Mark revision ${revision}`}
        title="Mark two to compare them (x)"
        tabIndex={-1}
        checked={isMarked}
        onChange={() => mark(revision)}
      />
      <time className="row-time" dateTime={time} title={tellTime(time)}>
        {time.slice(11, 19)}
      </time>
      <span className="row-revision muted" title="Revision">
        {revision}
      </span>
      <span className="row-main">
        <Link
          to="."
          search={{ ...closed(search), change: String(revision) }}
          className="row-link"
          data-revision={revision}
          aria-current={isOpen ? "true" : undefined}
          preload={false}
        >
          {what}
        </Link>
        {reason !== undefined && <span className="row-reason">{reason}</span>}
      </span>
      <span className="row-outcome">{outcome && <OutcomeBadge outcome={outcome} ahead={ahead} short />}</span>
      <span className="row-about muted" title={counts}>
        {tellOperation(operation)}
      </span>
      <span className="row-who" title={`${actor.type} ${actor.name}`}>
        {tellActor(actor)}
      </span>
    </li>
  );
});

/** By day in UTC, as all times here are. */
function byDay(entries: readonly Entry[]): readonly (readonly [day: string, entries: readonly Entry[]])[] {
  return [...Map.groupBy(entries, ({ time }) => time.slice(0, 10))];
}

const days = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

function tellDay(day: string): string {
  const today = new Date().toISOString().slice(0, 10);
  const told = days.format(new Date(`${day}T00:00:00Z`)).replace(",", "");
  return day === today ? `Today, ${told}` : told;
}
