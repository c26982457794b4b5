import { hrtime } from "node:process";

/** The time, as everything in the server asks for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** RFC 3339, UTC, microseconds. */
  timestamp(): string;
}

/** The last millisecond that was told, and its text: formatting one costs more than the rest. */
let told = { at: Number.NaN, text: "" };

/** The system's clock. Within a millisecond the microseconds come from the monotonic counter. */
export const systemClock: Clock = {
  now: () => Date.now(),
  timestamp: () => {
    const at = Date.now();
    if (at !== told.at) told = { at, text: new Date(at).toISOString().slice(0, -1) };
    const [, nanoseconds] = hrtime();
    return `${told.text}${String(Math.floor(nanoseconds / 1000) % 1000).padStart(3, "0")}Z`;
  },
};
