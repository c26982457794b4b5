/** The last hour of an interconnect, small: a strip of its minutes, and a line of its latency. */

import "./hour.css";
import { memo } from "react";
import type { Minute } from "../api/recent.ts";

const MINUTES = 60;
const MINUTE = 60_000;

/** The minutes of the hour that ends now by their place in it; the running one is not told of yet. */
function places(minutes: readonly Minute[], running: number): readonly (Minute | undefined)[] {
  const byPlace: (Minute | undefined)[] = new Array(MINUTES).fill(undefined);
  for (const minute of minutes) {
    const place = MINUTES - (running - minuteAt(minute.at));
    if (place >= 0 && place < MINUTES) byPlace[place] = minute;
  }
  return byPlace;
}

/** Of a strip that is 10 high: the worse a minute, the taller, so that its colour is not all that tells. */
const looks = { none: 1.5, ok: 5, some: 8, all: 10 } as const;
type Look = keyof typeof looks;

function lookOf(minute: Minute | undefined): Look {
  if (!minute || minute.sent === 0) return "none";
  if (minute.lost === 0) return "ok";
  return minute.lost < minute.sent ? "some" : "all";
}

interface HourProps {
  /** Undefined until it was read: then there is nothing to see. */
  readonly minutes: readonly Minute[] | undefined;
  /** The running minute, counted from 1970. */
  readonly minute: number;
}

/** Of a time in milliseconds since 1970. */
export function minuteAt(now: number): number {
  return Math.floor(now / MINUTE);
}

/** One bar a minute: answered, partly lost, all lost, not probed. */
export const HealthStrip = memo(function HealthStrip({ minutes, minute }: HourProps) {
  if (!minutes) return null;
  const paths: Record<Look, string> = { none: "", ok: "", some: "", all: "" };
  const counts: Record<Look, number> = { none: 0, ok: 0, some: 0, all: 0 };
  for (const [place, one] of places(minutes, minute).entries()) {
    const look = lookOf(one);
    counts[look] += 1;
    paths[look] += `M${place} 10v-${looks[look]}h.75v${looks[look]}z`;
  }
  const told = `Last hour: ${counts.ok} minutes without loss, ${counts.some} with some, ${counts.all} with no answer, ${counts.none} not probed`;
  return (
    <svg className="hour" viewBox="0 0 60 10" preserveAspectRatio="none" role="img" aria-label={told}>
      {(Object.keys(looks) as Look[]).map(
        (look) => paths[look] !== "" && <path key={look} className={look} d={paths[look]} />,
      )}
    </svg>
  );
});

/** Latency as a line, and a mark below each minute that lost a probe. */
export const Sparkline = memo(function Sparkline({ minutes, minute: running }: HourProps) {
  if (!minutes) return null;
  const known = places(minutes, running);
  const latencies = known.flatMap((minute) => minute?.latency ?? []);
  const most = Math.max(...latencies);
  const least = Math.min(...latencies);
  const range = Math.max(most - least, most * 0.1, 0.01);
  let line = "";
  let lost = "";
  let pen = "M";
  for (const [place, minute] of known.entries()) {
    if (minute && minute.lost > 0) lost += `M${place} 10v-1.5h1v1.5z`;
    if (minute?.latency === undefined) {
      pen = "M";
      continue;
    }
    line += `${pen}${place + 0.5} ${(7.5 - (6 * (minute.latency - least)) / range).toFixed(2)}`;
    pen = "L";
  }
  const told =
    latencies.length === 0
      ? "No latency in the last hour"
      : `Latency in the last hour: ${tellLatency(least)} to ${tellLatency(most)}`;
  return (
    <svg className="hour spark" viewBox="0 0 60 10" preserveAspectRatio="none" role="img" aria-label={told}>
      {line !== "" && <path className="line" d={line} />}
      {lost !== "" && <path className="lost" d={lost} />}
    </svg>
  );
});

/** Milliseconds with three digits that mean something. */
export function tellLatency(milliseconds: number): string {
  const digits = milliseconds < 1 ? 2 : milliseconds < 100 ? 1 : 0;
  return `${milliseconds.toFixed(digits)} ms`;
}

/** A share as percent: none, less than a tenth, or with a digit. */
export function tellLoss(share: number): string {
  if (share === 0) return "0 %";
  if (share < 0.001) return "< 0.1 %";
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
