/** Health in memory, whose writes and reads go as a test wants them to. */

import type { Heard } from "../../src/account/health/known-edge.ts";
import type { HealthStore } from "../../src/store/health/health-store.ts";
import { SqliteHealth } from "../../src/store/health/sqlite-health.ts";

export class FaultyHealth implements HealthStore {
  readonly inner: HealthStore;
  /** What happens to reports that are to be kept. */
  onNote: (proceed: () => Promise<void>) => Promise<void> = (proceed) => proceed();
  onRead: () => Promise<void> = async () => undefined;

  constructor(inner: HealthStore = SqliteHealth.open(undefined, () => undefined)) {
    this.inner = inner;
  }

  note(account: string, report: Heard, arrived: number): Promise<void> {
    return this.onNote(() => this.inner.note(account, report, arrived));
  }

  async edges(account: string) {
    await this.onRead();
    return this.inner.edges(account);
  }

  async minutes(...asked: Parameters<HealthStore["minutes"]>) {
    await this.onRead();
    return this.inner.minutes(...asked);
  }

  async transitions(...asked: Parameters<HealthStore["transitions"]>) {
    await this.onRead();
    return this.inner.transitions(...asked);
  }

  async transitionsAfter(...asked: Parameters<HealthStore["transitionsAfter"]>) {
    await this.onRead();
    return this.inner.transitionsAfter(...asked);
  }

  prune(before: number): Promise<void> {
    return this.inner.prune(before);
  }

  forget(account?: string): Promise<void> {
    return this.inner.forget(account);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
