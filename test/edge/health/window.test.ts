/** The window over which failures are counted. */

import { expect, test } from "vitest";
import { Window } from "../../../src/edge/health/window.ts";

test("nothing is left of what was before a long pause", () => {
  for (let second = 0; second < 300; second++) {
    const window = new Window(300_000);
    window.add(second * 1_000 + 500, true);
    window.moveTo(600_000);
    expect([window.samples, window.failures]).toEqual([0, 0]);
  }
});
