/** Lets go of what is kept of health longer than it should be. */

import type { Logger } from "pino";
import { HEALTH_KEPT_DAYS } from "../../contract/health.ts";
import type { HealthStore } from "../../store/health/health-store.ts";
import type { Clock } from "../clock.ts";

/** Milliseconds between two rounds. */
const BETWEEN = 10 * 60_000;
const KEPT = HEALTH_KEPT_DAYS * 24 * 60 * 60_000;

export class Pruning {
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> = Promise.resolve();

  constructor(health: HealthStore, clock: Clock, log: Pick<Logger, "warn">) {
    const prune = () =>
      health.prune(clock.now() - KEPT).catch((error: unknown) => {
        log.warn({ err: error }, "old health data could not be pruned yet");
      });
    this.#timer = setInterval(() => {
      this.#round = this.#round.then(prune);
    }, BETWEEN).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }
}
