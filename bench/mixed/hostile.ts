/** Hostile clients. None of them may cause an error for another client, or exhaust the server's memory. */

import { connect, type Socket } from "node:net";
import { demo } from "../../src/server/demo.ts";
import { describedOperations } from "../../test/harness/contract.ts";
import { hostileRequest } from "../../test/harness/hostile-requests.ts";
import { Chance } from "../../test/harness/random.ts";
import { RawConnection, rawRequest } from "../../test/harness/raw.ts";
import { nextTurn } from "../requests.ts";
import { bulkOf, idOf } from "../world.ts";
import type { Traffic } from "./traffic.ts";
import { attacked, busy, HOSTILE, OPERATOR } from "./world.ts";

const chance = new Chance();

function open(traffic: Traffic): Socket {
  const { hostname, port } = new URL(traffic.url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  // The server may end the connection at any time.
  socket.on("error", () => undefined);
  return socket;
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()));

/** Calls `status` for each response that arrives. */
function readStatuses(socket: Socket, status: (status: number) => void): void {
  let head = "";
  let left = 0;
  socket.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const taken = Math.min(left, chunk.length - at);
        left -= taken;
        at += taken;
        continue;
      }
      const known = head.length;
      head += chunk.toString("latin1", at, Math.min(chunk.length, at + 8_192));
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) {
        at += 8_192;
        continue;
      }
      status(Number(head.slice(9, 12)));
      left = Number(/content-length: (\d+)/i.exec(head.slice(0, end))?.[1] ?? 0);
      at += end + 4 - known;
      head = "";
    }
  });
}

const listRequest = (path: string) => rawRequest({ path, token: OPERATOR });

/** Milliseconds in which the server should have ended a connection whose client reads nothing. */
const DEAF_PATIENCE = 120_000;

/** Sends many requests for long lists and reads nothing, until the server ends the connection. */
async function deaf(traffic: Traffic): Promise<void> {
  const socket = open(traffic);
  socket.pause();
  socket.write(Buffer.concat(Array.from({ length: 100 }, () => listRequest(busy.list))));
  const ended = closed(socket);
  // Without reading, the client detects the end of the connection only by a write.
  const writing = setInterval(() => socket.write(" "), 1_000);
  await Promise.race([ended, traffic.wait(DEAF_PATIENCE)]);
  clearInterval(writing);
  // The client read no response, but the server must have ended the connection.
  if (!traffic.over.aborted) traffic.count(socket.destroyed ? "deaf, ended" : "deaf, kept", 0);
  socket.resetAndDestroy();
}

/** Sends 20 requests for a list at once, and reads the responses. */
async function pipelined(traffic: Traffic): Promise<void> {
  const socket = open(traffic);
  const count = 20;
  const { promise, resolve } = Promise.withResolvers<void>();
  let read = 0;
  readStatuses(socket, (status) => {
    traffic.count("pipelined", status);
    if (++read === count) resolve();
  });
  socket.write(Buffer.concat(Array.from({ length: count }, () => listRequest(attacked.list))));
  await Promise.race([promise, closed(socket), traffic.wait(60_000)]);
  if (read < count && !traffic.over.aborted) traffic.count("pipelined", 0);
  socket.destroy();
}

/** Sends half of a large body, waits, and resets the connection. */
async function halfSent(traffic: Traffic): Promise<void> {
  const socket = open(traffic);
  readStatuses(socket, (status) => traffic.count("half-sent", status));
  const body = Buffer.from(JSON.stringify({ interconnects: bulkOf(2_000, nextTurn()) }));
  const bytes = rawRequest({ method: "PUT", path: busy.list, token: OPERATOR, body });
  socket.write(bytes.subarray(0, bytes.length - Math.floor(body.length / 2)));
  await Promise.race([closed(socket), traffic.wait(chance.between(1_000, 20_000))]);
  socket.resetAndDestroy();
}

const operations = describedOperations.filter(({ operation }) => operation.operationId !== "armFault");

/** Replaces account, interconnect and token by those of the hostile clients, which have the same lengths. */
function aimed(bytes: Buffer): Buffer {
  const replaced = bytes
    .toString("latin1")
    .replaceAll(demo.account, attacked.id)
    .replaceAll(demo.interconnect, idOf(chance.below(attacked.count)))
    .replaceAll(demo.token, HOSTILE);
  return Buffer.from(replaced, "latin1");
}

/** Random requests to every operation, most of them malformed, one after the other on one connection. */
async function random(traffic: Traffic): Promise<void> {
  using connection = new RawConnection(traffic.url);
  const stop = () => connection[Symbol.dispose]();
  traffic.over.addEventListener("abort", stop, { once: true });
  try {
    for (let sent = 0; sent < 500 && !traffic.over.aborted; sent++) {
      const asked = hostileRequest(chance, chance.pick(operations));
      await connection.send(aimed(asked.bytes));
      const reply = await connection.reply();
      if (traffic.over.aborted) return;
      traffic.count("random", reply?.status ?? 0);
      if (!reply || reply.headers["connection"] === "close") return;
      await traffic.wait(20);
    }
  } catch (error) {
    if (!traffic.over.aborted) throw error;
  } finally {
    traffic.over.removeEventListener("abort", stop);
  }
}

/** Requests without a credential or with a wrong one, some with a large body. */
async function strangers(traffic: Traffic, turn: number): Promise<void> {
  const token = turn % 2 === 0 ? null : `${"x".repeat(30)}${String(turn).padStart(10, "0")}`;
  if (turn % 10 === 9) {
    const body = JSON.stringify({ interconnects: bulkOf(1_000, nextTurn()) });
    await traffic.send("stranger", busy.list, { method: "PUT", body, token });
  } else await traffic.send("stranger", `${busy.list}/${idOf(turn % busy.count)}`, { token });
}

export function hostileClients(traffic: Traffic): Promise<void>[] {
  const several = (count: number, every: number, act: (traffic: Traffic, turn: number) => Promise<void>) =>
    Array.from({ length: count }, () => traffic.repeat(every, (turn) => act(traffic, turn)));
  return [
    ...several(4, 1_000, deaf),
    ...several(2, 2_000, pipelined),
    ...several(4, 1_000, halfSent),
    ...several(2, 100, random),
    ...several(2, 50, strangers),
  ];
}
