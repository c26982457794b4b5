/** What a state costs the routes that lead over it. */

import type { HealthState } from "../../contract/health.ts";

/**
 * Added to the priority of every static route over an interconnect in this state. The vendor's figures; a route is
 * never removed for its health. What is not known costs nothing: nobody has seen it fail.
 */
export function penaltyOf(state: HealthState | undefined): 0 | 500_000 | 1_000_000 {
  if (state === "down") return 1_000_000;
  return state === "degraded" ? 500_000 : 0;
}
