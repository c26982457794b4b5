/** Times in words. */

import { useEffect, useState } from "react";

/** The time, in milliseconds since 1970, anew every so many milliseconds. */
export function useNow(every = 10_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

const units = [
  ["y", 365 * 86_400],
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
] as const;

/** How long ago, in one unit: `12 s`, `5 m`, `3 d`. */
export function tellAge(since: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(since)) / 1000);
  for (const [unit, size] of units) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}

/** To the second, in UTC. */
export function tellTime(time: string): string {
  return time.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
}
