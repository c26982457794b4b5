import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { type AgentStatus, StatusServer } from "../../src/edge/status.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const status: AgentStatus = {
  edge: "core-1",
  site: "ORD",
  role: "provider",
  driver: "kernel",
  version: "1",
  server: { url: "http://127.0.0.1", trouble: null },
  account: null,
  configuration: { epoch: "0".repeat(16), revision: 1, status: "applied", problems: [] },
  last_reconciliation: null,
  interconnects: [],
  unreported: { items: 0, dropped: 0 },
};

test("the agent answers the first request of a connection, whatever is pipelined behind it", async () => {
  const directory = temporaryDirectory();
  let read = 0;
  await using _server = await StatusServer.open(directory, undefined, () => {
    read++;
    return status;
  });
  const connection = connect(join(directory, "agent.sock"));
  connection.end("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200));
  const received = await text(connection);
  expect(received.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(1);
  expect(read).toBe(1);
});

test("the agent's metrics port answers requests for names of this machine alone, and none of a page elsewhere", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const free = createServer().listen(0, "127.0.0.1", () => resolve((free.address() as AddressInfo).port));
  const port = await promise;
  await new Promise((closed) => free.close(closed));
  await using _server = await StatusServer.open(temporaryDirectory(), port, () => status);
  const answer = async (...lines: string[]) => {
    const connection = connect(port, "127.0.0.1");
    connection.end(["GET /metrics HTTP/1.1", ...lines, "", ""].join("\r\n"));
    return Number(/^HTTP\/1\.1 (\d+)/.exec(await text(connection))?.[1]);
  };
  for (const host of ["127.0.0.1", `localhost:${port}`, "[::1]:80", "127.0.0.2:1"])
    expect(await answer(`Host: ${host}`), host).toBe(200);
  for (const host of ["evil.test", `evil.test:${port}`, "127.0.0.1.evil.test", "192.0.2.1"])
    expect(await answer(`Host: ${host}`), host).toBe(403);
  expect(await answer("Host: 127.0.0.1", "Origin: http://evil.test")).toBe(403);
});
