import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { HealthReport } from "../../contract/health.ts";
import { Client, type Reply } from "../follow/client.ts";
import { Reporter, type Standing } from "./reporter.ts";
import { Spool } from "./spool.ts";

const STANDING: Standing = {
  edge: "edge-1",
  site: "ord",
  role: "provider",
  driver: "kernel",
  version: "0",
  configuration: { status: "applied", epoch: "e", revision: 1, problems: [] },
  ports: [],
  states: [],
};

/** A server that holds each report until it is let go. */
class Holding extends Client {
  readonly reports: { readonly body: HealthReport; readonly take: () => void }[] = [];
  #came = Promise.withResolvers<void>();

  override own(_: string, { body }: Parameters<Client["own"]>[1]): Promise<Reply> {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    const take = () => resolve({ result: { received: new Date().toISOString() }, info: {} });
    this.reports.push({ body: body as HealthReport, take });
    this.#came.resolve();
    return promise;
  }

  async report(number: number): Promise<(typeof this.reports)[number]> {
    for (;;) {
      const report = this.reports[number];
      if (report) return report;
      this.#came = Promise.withResolvers();
      await this.#came.promise;
    }
  }
}

test("who asks for all states while a report is on its way gets them with the next one", async () => {
  const directory = mkdtempSync(join(tmpdir(), "patchbay-reporter-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const client = new Holding({ server: "http://127.0.0.1", account: "a", token: "t" });
  const spool = new Spool(directory, () => undefined);
  const reporter = new Reporter({ client, spool, standing: () => STANDING, heard: () => undefined });
  const first = await client.report(0);
  expect(first.body.states).toEqual([]);
  reporter.tell([], true);
  first.take();
  const second = await client.report(1);
  expect(second.body.states).toEqual([]);
  second.take();
  reporter.tell();
  const third = await client.report(2);
  expect(third.body.states).toBeUndefined();
  third.take();
  const ended = reporter[Symbol.asyncDispose]();
  const last = await client.report(3);
  last.take();
  await ended;
});
