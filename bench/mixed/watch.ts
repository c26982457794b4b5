/**
 * Loaded by the measured server before its own code (`--import`): measures the event loop, garbage collection and memory,
 * and sends the figures to the parent process when it asks. With `PATCHBAY_BENCH_PROFILE=1` it also records what each long
 * step did, which itself costs some CPU time.
 */

import { Session } from "node:inspector/promises";
import { constants, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { StallMonitor } from "../../test/harness/stall-monitor.ts";
import { describeStall, type Span } from "./profile.ts";

/** Figures since the message before. */
export interface Watched {
  /** Milliseconds of CPU time of the longest step of the event loop. */
  readonly stall: number;
  /** Milliseconds that the event loop was late at most, other processes included. */
  readonly delay: number;
  /** Milliseconds of the longest collection of garbage. */
  readonly collection: number;
  /** Bytes. */
  readonly rss: number;
  /** Bytes in use after the newest full collection; `undefined` before the first. */
  readonly heapAfterCollection: number | undefined;
  /** Bytes of buffers. */
  readonly external: number;
  /** Open TCP connections. */
  readonly connections: number;
  /** What the steps over `LONG` did, if that is recorded. */
  readonly stalls: readonly string[];
}

/** Milliseconds of CPU time from which a step is described. */
const LONG = 30;

const delays = monitorEventLoopDelay({ resolution: 5 });
delays.enable();

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

let collection = 0;
let heapAfterCollection: number | undefined;
const collections = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    collection = Math.max(collection, entry.duration);
    // Of garbage collections only; the types of Node.js leave it out.
    const detail: unknown = Reflect.get(entry, "detail");
    if (isObject(detail) && Reflect.get(detail, "kind") === constants.NODE_PERFORMANCE_GC_MAJOR)
      heapAfterCollection = process.memoryUsage().heapUsed;
  }
});
collections.observe({ entryTypes: ["gc"] });

const session = process.env["PATCHBAY_BENCH_PROFILE"] === "1" ? new Session() : undefined;
const spans: Span[] = [];
/** Microseconds, of the clock that the profiler uses. */
const now = () => Number(process.hrtime.bigint() / 1_000n);
let before = now();
const monitor = StallMonitor.start((milliseconds) => {
  const end = now();
  if (session && milliseconds >= LONG) spans.push({ start: before, end, milliseconds });
  before = end;
});

async function startProfile(): Promise<void> {
  if (!session) return;
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 1_000 });
  await session.post("Profiler.start");
}

async function describeStalls(): Promise<string[]> {
  if (!session) return [];
  const { profile } = await session.post("Profiler.stop");
  const described = spans.splice(0).map((span) => describeStall(profile, span));
  await session.post("Profiler.start");
  return described;
}

async function report(): Promise<void> {
  const { rss, external } = process.memoryUsage();
  const figures = {
    stall: monitor.longest,
    delay: delays.max / 1e6,
    collection,
    rss,
    heapAfterCollection,
    external,
    connections: process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length,
    stalls: await describeStalls(),
  };
  process.send?.(figures satisfies Watched);
  // Excludes the cost of this report.
  collection = 0;
  monitor.reset();
  delays.reset();
  spans.length = 0;
  before = now();
}

await startProfile();
process.on("message", () => void report());
process.channel?.unref();
// The parent process ended before it stopped this one.
process.on("disconnect", () => process.exit(1));
