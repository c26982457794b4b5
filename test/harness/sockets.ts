/** Sockets of this process in the namespaces of a test, which saves a program for each. */

import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import koffi from "koffi";
import { parseAddress4, parseAddress6 } from "../../src/contract/addresses.ts";
import {
  AF_INET,
  AF_INET6,
  bindSocket,
  inNamespace,
  openSocket,
  SOCK_DGRAM,
  SOL_SOCKET,
  setOption,
  socketAddress4,
  socketAddress6,
} from "../../src/edge/native/libc.ts";
import type { Host } from "./namespaces.ts";

const connectSocket = koffi
  .load("libc.so.6")
  .func("int connect(int fd, const void *address, uint32_t length)");
const SOCK_STREAM = 1;
const SO_REUSEADDR = 2;
/** Milliseconds to wait for what must arrive. Only a machine that stands still takes as long. */
const PATIENCE = 20_000;

export interface Place {
  readonly address: string;
  readonly port: number;
}

function opened(host: Host, type: number, { address, port }: Place): number {
  const fd = inNamespace(host.name, () => openSocket(address.includes(":") ? AF_INET6 : AF_INET, type, 0));
  setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  bindSocket(fd, socketAddress({ address, port }));
  return fd;
}

function socketAddress({ address, port }: Place): Buffer {
  const four = parseAddress4(address);
  const bytes = four === undefined ? socketAddress6(parseAddress6(address) ?? 0n) : socketAddress4(four);
  bytes.writeUInt16BE(port, 2);
  return bytes;
}

/** Answers every connection with what it says. */
export async function tcpEcho(
  host: Host,
  place: Place,
): Promise<AsyncDisposable & { readonly server: Server }> {
  const server = createServer((connection) => {
    connection.on("error", () => connection.destroy());
    connection.pipe(connection);
  });
  server.listen({ fd: opened(host, SOCK_STREAM, place) });
  await once(server, "listening");
  return {
    server,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

/** A connection that is being made; `says` resolves with whether a word came back. */
export class TcpClient implements Disposable {
  readonly #socket: Socket;
  #error: string | undefined;

  constructor(host: Host, from: Place, to: Place) {
    const fd = opened(host, SOCK_STREAM, from);
    const address = socketAddress(to);
    connectSocket(fd, address, address.length);
    this.#socket = new Socket({ fd });
    this.#socket.on("error", (error) => {
      this.#error = error.message;
    });
  }

  /** What went wrong, such as that it was refused. */
  get error(): string | undefined {
    return this.#error;
  }

  /** `patience`: milliseconds; short where no answer must come. */
  async says(patience = PATIENCE): Promise<boolean> {
    const answer = waiting((signal) => once(this.#socket, "data", { signal }), patience);
    this.#socket.write("word");
    return (await answer) !== undefined;
  }

  [Symbol.dispose](): void {
    this.#socket.resetAndDestroy();
  }
}

/** UDP of a host. */
export class Udp implements Disposable {
  readonly #socket: Datagrams;

  private constructor(socket: Datagrams) {
    this.#socket = socket;
  }

  static open(host: Host, place: Place): Udp {
    const socket = createSocket(place.address.includes(":") ? "udp6" : "udp4");
    socket.bind({ fd: opened(host, SOCK_DGRAM, place) });
    socket.on("error", () => undefined);
    return new Udp(socket);
  }

  /** Answers everything with what it says. */
  echo(): this {
    this.#socket.on("message", (message, { address, port }) => this.#socket.send(message, port, address));
    return this;
  }

  send({ address, port }: Place, word = "word"): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.send(word, port, address, () => resolve());
    });
  }

  /** Does a word come back? `patience`: milliseconds; short where none must. */
  async says(to: Place, patience = PATIENCE): Promise<boolean> {
    const answer = waiting((signal) => once(this.#socket, "message", { signal }), patience);
    await this.send(to);
    return (await answer) !== undefined;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

async function waiting<Value>(
  wait: (signal: AbortSignal) => Promise<Value>,
  patience: number,
): Promise<Value | undefined> {
  return wait(AbortSignal.timeout(patience)).catch(() => undefined);
}

type Counts = Readonly<Record<string, number>>;

/** Counts packets at a host by what an nft rule says of them, in a table of the test's own. */
export class Counters {
  readonly #host: Host;
  /** What they showed when they were last reset. */
  #base: Counts = {};

  private constructor(host: Host) {
    this.#host = host;
  }

  /** `rules`: what is counted, by name, as words of a rule where packets come in. */
  static async open(host: Host, rules: Readonly<Record<string, string>>): Promise<Counters> {
    const names = Object.keys(rules);
    const quiet = "nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report";
    await host.run(
      "nft -f -",
      `table inet test {
${names.map((name) => `  counter ${name} { }`).join("\n")}
  chain in {
    type filter hook prerouting priority raw; policy accept;
    icmpv6 type { ${quiet} } return
${names.map((name) => `    ${rules[name]} counter name ${name}`).join("\n")}
  }
}
`,
    );
    return new Counters(host);
  }

  /** Counts from zero again. */
  async reset(): Promise<void> {
    this.#base = await this.#read();
  }

  /**
   * Resolves with the packets since the last reset as soon as `holds` is true of them: a packet arrives some time after
   * it was sent, later where a process carries the tunnel. Throws at the deadline with what was counted.
   */
  async until(holds: (counts: Counts) => boolean): Promise<Counts> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const all = await this.#read();
      const counts = Object.fromEntries(
        Object.entries(all).map(([name, packets]) => [name, packets - (this.#base[name] ?? 0)]),
      );
      if (holds(counts)) return counts;
      if (performance.now() > deadline) throw new Error(`Packets counted: ${JSON.stringify(counts)}`);
      await setTimeout(10);
    }
  }

  /** What something brought, as soon as `holds` is true of it. */
  async during(act: () => Promise<unknown>, holds: (counts: Counts) => boolean): Promise<Counts> {
    await this.reset();
    await act();
    return this.until(holds);
  }

  async #read(): Promise<Counts> {
    const printed = await this.#host.run("nft list counters table inet test");
    const found: Record<string, number> = {};
    for (const [, name = "", packets] of printed.matchAll(/counter (\w+) \{\s*packets (\d+)/g))
      found[name] = Number(packets);
    return found;
  }
}
