/**
 * Lets hosts of a test's network reach a server of the test's own process: a Unix socket here, and in the namespace a
 * process that passes connections on to it. Nothing of the machine's own network is touched.
 */

import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { Host } from "./namespaces.ts";

/** Where the server is, for processes in a host's namespace. */
export const DOOR_PORT = 8787;
export const DOOR_URL = `http://127.0.0.1:${DOOR_PORT}`;

const passing = fileURLToPath(new URL("door-process.ts", import.meta.url));

export class Door implements AsyncDisposable {
  readonly #path: string;
  readonly #url: URL;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;

  private constructor(path: string, url: string) {
    this.#path = path;
    this.#url = new URL(url);
  }

  /** `path` is where the socket is to be. */
  static async open(path: string, url: string): Promise<Door> {
    const door = new Door(path, url);
    await door.open();
    return door;
  }

  /** From now on the server can be reached. */
  async open(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(Number(this.#url.port), this.#url.hostname);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(socket);
        socket.pipe(other);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          this.#open.delete(socket);
          other.destroy();
        });
      }
    });
    server.listen(this.#path);
    await once(server, "listening");
    this.#server = server;
  }

  /** From now on it cannot; connections end. */
  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
    rmSync(this.#path, { force: true });
  }

  /** Lets a host in. */
  async into(host: Host): Promise<void> {
    const child = host.spawn(process.execPath, [passing, this.#path, String(DOOR_PORT)]);
    if (child.stdout) await once(child.stdout, "data");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shut();
  }
}
