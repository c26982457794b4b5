import { Server } from "node:net";
import { expect, test, vi } from "vitest";
import { LISTEN_BACKLOG } from "../../src/contract/limits.ts";
import { startTestServer } from "../harness/server.ts";

test("every listener lets as many connections wait as the limit says", async () => {
  const listen = vi.spyOn(Server.prototype, "listen");
  // A name of two addresses: a listener for each, and one for metrics.
  await using server = await startTestServer({ host: "localhost", metricsPort: 0 });
  const backlogs = listen.mock.calls.map(([options]) => Reflect.get(Object(options), "backlog"));
  listen.mockRestore();
  expect(server.metricsUrl).toBeDefined();
  expect(backlogs.length).toBeGreaterThanOrEqual(2);
  expect(backlogs).toEqual(backlogs.map(() => LISTEN_BACKLOG));
});
