/** How the interconnect is and was: per edge, as charts, and as a list of transitions. */

import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import type { ShownTransition } from "../../../../src/contract/health.ts";
import { sentenceOf } from "../../api/client.ts";
import { tellLatency, tellLoss } from "../../parts/hour.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { tellAge, tellTime, useNow } from "../../parts/time.ts";
import type { History } from "./history.ts";
import { type Range, rangeNames, ranges } from "./search.ts";

const Charts = lazy(async () => ({ default: (await import("./charts.tsx")).Charts }));

/** The newest of the transitions are listed, and more if that is asked for. */
const LISTED = { first: 8, most: 200 };

interface HealthProps {
  readonly history: History | undefined;
  readonly error: unknown;
  readonly range: Range;
}

export function Health({ history, error, range }: HealthProps) {
  return (
    <section aria-labelledby="health">
      <div className="section-head">
        <h2 id="health">Health</h2>
        <RangeSwitch range={range} />
      </div>
      {history ? (
        <div className="health">
          <div className="panel">
            <Measured history={history} range={range} />
          </div>
          <div className="health-side">
            <Edges history={history} />
            <Transitions transitions={history.transitions} range={range} />
          </div>
        </div>
      ) : (
        <p className="panel muted" role={error ? "alert" : undefined}>
          {error ? `Health could not be read. ${sentenceOf(error)}` : "Reading …"}
        </p>
      )}
    </section>
  );
}

function RangeSwitch({ range }: { readonly range: Range }) {
  const navigate = useNavigate({ from: "/dashboard/$account/interconnects/$interconnect" });
  const choose = (chosen: Range) =>
    void navigate({ search: chosen === "1h" ? {} : { range: chosen }, replace: true, resetScroll: false });
  return (
    <fieldset className="range-switch">
      <legend className="visually-hidden">For how long back</legend>
      {(Object.keys(ranges) as Range[]).map((one) => (
        <button key={one} type="button" aria-pressed={one === range} onClick={() => choose(one)}>
          {rangeNames[one]}
        </button>
      ))}
    </fieldset>
  );
}

function Measured({ history, range }: { readonly history: History; readonly range: Range }) {
  if (history.minutes.length === 0)
    return (
      <p className="muted">
        No edge has told of any minute of the last {rangeNames[range]}. Minutes come from the edges that carry
        the interconnect, as long as its health check is on.
      </p>
    );
  const isCut = Date.parse(history.from) > history.begin + 60_000;
  return (
    <>
      <Suspense fallback={<p className="muted">Drawing …</p>}>
        <Charts history={history} />
      </Suspense>
      {isCut && (
        <p className="muted">There is more than is told at once: this begins {tellTime(history.from)}.</p>
      )}
    </>
  );
}

function Edges({ history }: { readonly history: History }) {
  const now = useNow();
  return (
    <div className="panel">
      <h3>Edges</h3>
      {history.edges.length === 0 && <p className="muted">No edge tells of it.</p>}
      <ul className="edges">
        {history.edges.map(({ edge, site, role, state, since, reason, last_minute: last }) => (
          <li key={edge}>
            <p className="edge-line">
              <strong>{edge}</strong>
              <StateBadge state={state} />
              {since !== null && <span className="muted">for {tellAge(since, now)}</span>}
            </p>
            <p className="muted">
              {role}
              {site !== "" && ` at ${site}`} · {reason}
            </p>
            {last && (
              <p>
                {last.latency
                  ? `${tellLatency(last.latency.median)} median, ${tellLatency(last.latency.p99)} p99`
                  : "no answer"}
                {" · "}
                {tellLoss(last.sent === 0 ? 0 : last.lost / last.sent)} lost
                {last.jitter !== null && ` · ${tellLatency(last.jitter)} jitter`}
                <span className="muted"> at {last.minute.slice(11, 16)}</span>
              </p>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

interface TransitionsProps {
  readonly transitions: readonly ShownTransition[];
  readonly range: Range;
}

function Transitions({ transitions, range }: TransitionsProps) {
  const [all, setAll] = useState(false);
  const shown = transitions.slice(-(all ? LISTED.most : LISTED.first)).toReversed();
  const more = transitions.length - shown.length;
  return (
    <div className="panel">
      <h3>Transitions</h3>
      {shown.length === 0 && <p className="muted">None in the last {rangeNames[range]}.</p>}
      <ol className="transitions">
        {shown.map(({ edge, time, from, to, reason }) => (
          <li key={`${time} ${edge} ${to}`}>
            <p className="edge-line">
              <time dateTime={time}>{tellTime(time)}</time>
              <span className="muted">{edge}</span>
            </p>
            <p className="edge-line">
              {from !== null && (
                <>
                  <span className="muted">{from}</span> <span aria-hidden="true">→</span>
                  <span className="visually-hidden">to</span>
                </>
              )}
              <StateBadge state={to} />
              <span className="muted">{reason}</span>
            </p>
          </li>
        ))}
      </ol>
      {more > 0 &&
        (all ? (
          <p className="muted">and {more} before.</p>
        ) : (
          <p className="further">
            <button type="button" onClick={() => setAll(true)}>
              Show {Math.min(more, LISTED.most - LISTED.first)} more
            </button>
          </p>
        ))}
    </div>
  );
}
