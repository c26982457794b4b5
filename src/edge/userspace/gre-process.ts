/**
 * The GRE process: carries the tunnels of an edge whose kernel has no GRE, and goes on when the agent does not.
 * For labs: every packet is copied through user space. `node gre-process.ts SOCKET`; it writes `ready` to descriptor
 * 3 when it listens, and ends when told to.
 */

import { randomUUID } from "node:crypto";
import { closeSync, rmSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { setPriority } from "node:os";
import { type Answer, ask, CONTROL_VERSION, type Request, requestOf } from "./control.ts";
import { Forwarder } from "./forwarder.ts";

const READY = 3;
const MOST_OF_REQUEST = 16 << 20;

/** Before what else the machine computes: a packet that waits is late, and one that waits long is lost. */
const PRIORITY = -15;

async function main(path: string): Promise<void> {
  // Two at one socket would share out the packets between them.
  if (await isServed(path)) return;
  rmSync(path, { force: true });
  setPriority(PRIORITY);
  const forwarder = new Forwarder();
  const server = createServer((connection) => {
    let said = "";
    connection.setEncoding("utf8");
    connection.on("error", () => connection.destroy());
    connection.on("data", (chunk: string) => {
      said += chunk;
      if (said.length > MOST_OF_REQUEST) connection.destroy();
      const line = said.indexOf("\n");
      if (line === -1) return;
      const request = requestOf(said.slice(0, line));
      said = "";
      if (!request) {
        connection.destroy();
        return;
      }
      const text = JSON.stringify(answer(forwarder, request));
      if (request.ask !== "end") {
        connection.end(text);
        return;
      }
      rmSync(path, { force: true });
      // The connection ends with the process, so that whoever asked knows when it is gone.
      connection.write(text, () => process.exit());
    });
  });
  server.listen(path, () => {
    writeSync(READY, "ready\n");
    closeSync(READY);
  });
}

/** Of this process alone: another one may carry less. */
const born = randomUUID();
let changes = 0;

function answer(forwarder: Forwarder, request: Request): Answer {
  const refused = request.ask === "carry" ? forwarder.carry(request.tunnels) : new Map<string, string>();
  if (request.ask === "carry") changes++;
  const stamp = `${born}.${changes}`;
  const same = request.ask === "list" && request.unless === stamp;
  return {
    version: CONTROL_VERSION,
    pid: process.pid,
    stamp,
    same,
    tunnels: request.ask === "end" || same ? [] : forwarder.list(),
    refused: [...refused].map(([device, reason]) => ({ device, reason })),
  };
}

function isServed(path: string): Promise<boolean> {
  return ask(path, { ask: "list" }).then(
    () => true,
    () => false,
  );
}

await main(process.argv[2] ?? "");
