/** One chart of lines or bars over the minutes of some hours, in UTC; the pointer is shared by all of them. */

import { useEffect, useRef, useSyncExternalStore } from "react";
import uPlot from "uplot";
import { printable } from "../../../../src/contract/printable.ts";
import { currentTheme, onTheme } from "../../look/theme.ts";
import { type Column, lonely } from "./series.ts";

export interface ChartLine {
  readonly name: string;
  readonly values: Column;
  /** Which of the looks of lines it has. */
  readonly look: number;
}

interface ChartProps {
  readonly title: string;
  readonly about: string;
  /** What there is to see, for who does not see it. */
  readonly summary: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly band?: { readonly low: Column; readonly high: Column } | undefined;
  readonly tell: (value: number) => string;
  /** Pixels. */
  readonly height: number;
  /** Bars and steps are of percents: they begin at nothing. */
  readonly look?: "line" | "bars" | "steps";
}

/** Lines differ by more than their colour. */
const dashes: readonly number[][] = [[], [6, 3], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2, 1, 2]];
const DAY = 86_400;

export function Chart(props: ChartProps) {
  const { title, about, summary, times, lines, band, height, look = "line" } = props;
  const place = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const theme = useSyncExternalStore(onTheme, currentTheme);
  const shape = `${lines.map(({ name }) => name).join()} ${band !== undefined}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` and `theme` are what another plot is made for
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(optionsOf(latest, readout, element), dataOf(latest.current), element);
    plot.current = made;
    const sized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, theme, height, look]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what `dataOf` takes of them is told
  useEffect(() => {
    plot.current?.setData(dataOf(latest.current));
  }, [times, lines, band]);

  return (
    <figure className="chart">
      <figcaption>
        <strong>{title}</strong> <span className="muted">{about}</span>
        <span className="readout" ref={readout} aria-hidden="true" />
      </figcaption>
      <div className="plot" ref={place} role="img" aria-label={`${title}: ${summary}`} />
    </figure>
  );
}

/** The band's edges are lines of their own, before the others. */
function dataOf({ times, lines, band }: ChartProps): uPlot.AlignedData {
  const columns = [...(band ? [band.low, band.high] : []), ...lines.map(({ values }) => values)];
  return [[...times], ...columns.map((column) => [...column])];
}

function optionsOf(
  latest: { readonly current: ChartProps },
  readout: { readonly current: HTMLSpanElement | null },
  element: HTMLElement,
): uPlot.Options {
  const { lines, band, tell, height, look = "line" } = latest.current;
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${color("--sans")}`;
  const axis: uPlot.Axis = {
    stroke: color("--muted"),
    font,
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  const hidden: uPlot.Series = { stroke: "transparent", points: { show: false } };
  const { bars, stepped } = uPlot.paths;
  const drawn = { line: undefined, bars: bars?.({ size: [0.8, 12, 1] }), steps: stepped?.({ align: 1 }) }[
    look
  ];
  const isBars = look === "bars";
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    padding: [6, 4, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { sync: { key: "interconnect" }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, low, high) => rangeOf(look !== "line", low, high) } },
    series: [
      {},
      ...(band ? [hidden, hidden] : []),
      ...lines.map(({ values, look: of }, at): uPlot.Series => {
        const stroke = color(`--series-${of + 1}`);
        return {
          stroke,
          width: isBars ? 0 : 1.5,
          dash: dashes[of] ?? [],
          ...(isBars && { fill: stroke }),
          points: {
            show: look === "line",
            size: 4,
            fill: stroke,
            width: 0,
            filter: () => lonely(latest.current.lines[at]?.values ?? values),
          },
          ...(drawn && { paths: drawn }),
        };
      }),
    ],
    ...(band && { bands: [{ series: [2, 1], fill: color("--series-band") }] }),
    axes: [
      { ...axis, size: 22, space: 60, values: (_, splits) => tellTicks(splits) },
      { ...axis, size: 62, space: 28, values: (_, splits) => splits.map((value) => tell(value)) },
    ],
    hooks: {
      setCursor: [
        ({ cursor: { idx } }) => {
          if (readout.current)
            readout.current.textContent = printable(tellAt(latest.current, idx ?? undefined));
        },
      ],
    },
  };

  function tellAt({ times, lines: shown, tell: inWords }: ChartProps, index: number | undefined): string {
    const time = index === undefined ? undefined : times[index];
    if (index === undefined || time === undefined) return "";
    const told = shown.flatMap(({ name, values }) => {
      const value = values[index];
      if (value === null || value === undefined) return [];
      return [shown.length === 1 ? inWords(value) : `${name} ${inWords(value)}`];
    });
    const at = new Date(time * 1000).toISOString().slice(11, 16);
    return `${at} UTC · ${told.length === 0 ? "nothing" : told.join(" · ")}`;
  }

  function rangeOf(fromZero: boolean, low: number | null, high: number | null): uPlot.Range.MinMax {
    if (low === null || high === null) return [0, 1];
    if (fromZero) return [0, Math.min(100, Math.max(5, high * 1.1))];
    const margin = Math.max((high - low) * 0.15, high * 0.05, 0.01);
    return [Math.max(0, low - margin), high + margin];
  }
}

/** Hours and minutes, or at midnight the day. */
function tellTicks(seconds: readonly number[]): string[] {
  return seconds.map((time) => {
    const told = new Date(time * 1000).toISOString();
    return time % DAY === 0 ? told.slice(5, 10) : told.slice(11, 16);
  });
}
