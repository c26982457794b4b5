import { hrtime } from "node:process";

/** The time, as everything in the server asks for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** RFC 3339, UTC, microseconds. */
  timestamp(): string;
}

/** The system's clock. Within a millisecond the microseconds come from the monotonic counter. */
export const systemClock: Clock = {
  now: () => Date.now(),
  timestamp: () => {
    const microseconds = Number((hrtime.bigint() / 1000n) % 1000n);
    return `${new Date().toISOString().slice(0, -1)}${String(microseconds).padStart(3, "0")}Z`;
  },
};
