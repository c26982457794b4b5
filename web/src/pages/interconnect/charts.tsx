/** Latency, loss and jitter over time. Loaded when there is something to draw, as it brings uPlot. */

import "uplot/dist/uPlot.min.css";
import "./charts.css";
import { useMemo } from "react";
import { tellLatency, tellLoss } from "../../parts/hour.tsx";
import { Chart, type ChartLine } from "./chart.tsx";
import type { History } from "./history.ts";
import { type Column, columnsOf, summaryOf } from "./series.ts";

const tellPercent = (value: number) => tellLoss(value / 100);

export function Charts({ history }: { readonly history: History }) {
  const columns = useMemo(() => columnsOf(history, history.begin), [history]);
  const { edges, times, undrawn } = columns;
  const of = (member: "median" | "loss" | "jitter"): readonly ChartLine[] =>
    edges.map((one, place) => ({ name: one.edge, values: one[member], look: place }));
  const [only] = edges;
  const band = only && edges.length === 1 ? { low: only.min, high: only.p99 } : undefined;
  return (
    <div className="charts">
      {edges.length > 1 && (
        <ul className="chart-legend">
          {edges.map(({ edge }, place) => (
            <li key={edge}>
              <svg viewBox="0 0 24 6" width="24" height="6" aria-hidden="true">
                <path className={`series-${place + 1}`} d="M0 3h24" />
              </svg>
              {edge}
            </li>
          ))}
          {undrawn > 0 && <li className="muted">and {undrawn} that are not drawn</li>}
        </ul>
      )}
      <Chart
        title="Latency"
        about={
          band
            ? "median of each minute; shaded from the shortest to the 99th percentile"
            : "median of each minute"
        }
        summary={tellRange(
          edges.map(({ median }) => median),
          tellLatency,
        )}
        times={times}
        lines={of("median")}
        band={band}
        tell={tellLatency}
        height={160}
      />
      <Chart
        title="Loss"
        about="of the probes of each minute"
        summary={tellRange(
          edges.map(({ loss }) => loss),
          tellPercent,
        )}
        times={times}
        lines={of("loss")}
        tell={tellPercent}
        height={96}
        look={edges.length === 1 ? "bars" : "steps"}
      />
      <Chart
        title="Jitter"
        about="mean difference of one round trip to the next"
        summary={tellRange(
          edges.map(({ jitter }) => jitter),
          tellLatency,
        )}
        times={times}
        lines={of("jitter")}
        tell={tellLatency}
        height={96}
      />
    </div>
  );
}

function tellRange(columns: readonly Column[], tell: (value: number) => string): string {
  const found = summaryOf(columns);
  if (!found) return "nothing was measured";
  const { least, greatest } = found;
  return least === greatest ? tell(least) : `${tell(least)} to ${tell(greatest)}`;
}
