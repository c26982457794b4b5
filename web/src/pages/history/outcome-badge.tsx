import "./outcome-badge.css";
import { type Outcome, tellEnd } from "../../changes/outcome.ts";
import { tellLeft, tellTime, useNow } from "../../parts/time.ts";

/** Each has a shape of its own: a clock, a tick, an arrow back. */
const shapes = {
  waiting: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 4.500V8l2.5 1.5",
  confirmed: "M2.5 8.500 6.500 12.500 13.5 4",
  undone: "M6 2.500 2.500 6 6 9.500M3 6h6.500a4 4 0 0 1 0 8H6",
} as const;

interface OutcomeBadgeProps {
  readonly outcome: Outcome;
  /** How far the server's clock is ahead, in milliseconds. */
  readonly ahead: number;
  /** One word, the rest as a title. */
  readonly short?: boolean;
}

export function OutcomeBadge({ outcome, ahead, short = false }: OutcomeBadgeProps) {
  const { what } = outcome;
  const told =
    what === "waiting" ? tellWait(outcome.revertOn) : `${tellEnd(outcome)}, change ${outcome.revision}`;
  const title =
    what === "waiting"
      ? `${told}, until ${tellTime(outcome.confirmBy)}`
      : `${told}, ${tellTime(outcome.time)}`;
  return (
    <span className={`outcome-badge ${what}`} title={title}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={shapes[what]} fill="none" stroke="currentColor" strokeWidth="1.8" />
      </svg>
      <span>
        {what === "waiting" ? (
          <>
            {short ? "waits" : "waits to be confirmed,"} <TimeLeft until={outcome.confirmBy} ahead={ahead} />
          </>
        ) : short ? (
          what
        ) : (
          tellEnd(outcome)
        )}
      </span>
    </span>
  );
}

function tellWait(revertOn: string | undefined): string {
  const how = revertOn === undefined ? "" : `, or once it is ${revertOn}`;
  return `Undone unless it is confirmed in time${how}`;
}

function TimeLeft({ until, ahead }: { readonly until: string; readonly ahead: number }) {
  const now = useNow(500) + ahead;
  return (
    <span role="timer" aria-label="Time left">
      {tellLeft(Date.parse(until) - now)}
    </span>
  );
}
