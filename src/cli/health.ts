/** Health of interconnects, as a Patchbay tells it. */

import { member } from "../file/shown.ts";
import { type Api, ServerRefusal } from "./api.ts";

/** Of one interconnect. */
export interface Health {
  readonly state: string;
  /** Seconds for which it is so; none where that is not known. */
  readonly seconds: number | undefined;
  /** Milliseconds of the median round trip, and the share of probes that were lost, by the worst provider edge. */
  readonly latency: number | undefined;
  readonly loss: number | undefined;
}

/** By interconnect; nothing where the server tells no health, or no edge has told it any. */
export async function readHealth(
  api: Api,
  patient = false,
): Promise<ReadonlyMap<string, Health> | undefined> {
  try {
    if (!(await api.isPatchbay())) return undefined;
    const { result } = await api.own("GET", "/health", { patient });
    const now = Date.parse(String(member(result, "time")));
    if (listOf(member(result, "edges")).length === 0) return undefined;
    return new Map(
      listOf(member(result, "interconnects")).map((one) => [String(member(one, "id")), healthIn(one, now)]),
    );
  } catch (error) {
    // It is older than that, or the token may not know, or it stumbles: the rest is shown all the same.
    if (error instanceof ServerRefusal) return undefined;
    throw error;
  }
}

function healthIn(told: unknown, now: number): Health {
  const since = Date.parse(String(member(told, "since")));
  const minutes = listOf(member(told, "edges"))
    .filter((edge) => member(edge, "role") === "provider" && member(edge, "state") !== "unknown")
    .map((edge) => member(edge, "last_minute"));
  const worst = (of: (minute: unknown) => unknown) => {
    const numbers = minutes.map(of).filter((value) => typeof value === "number");
    return numbers.length === 0 ? undefined : Math.max(...numbers);
  };
  return {
    state: String(member(told, "state")),
    seconds: Number.isNaN(since) ? undefined : Math.max(0, (now - since) / 1000),
    latency: worst((minute) => member(member(minute, "latency"), "median")),
    loss: worst((minute) => {
      const [sent, lost] = [Number(member(minute, "sent")), Number(member(minute, "lost"))];
      return sent > 0 ? lost / sent : undefined;
    }),
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** `down 3m`, `healthy 2d`, `unknown`. */
export function tellHealth({ state, seconds }: Health): string {
  return seconds === undefined ? state : `${state} ${tellAge(seconds)}`;
}

function tellAge(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
