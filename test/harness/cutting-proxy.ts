/** A way to a database that is cut at a moment of the test's choice. */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * `before`: the database never hears of it. `within`: it hears, and is gone at once. `after`: it has
 * answered, but the answer is lost. `late`: it hears of it only when `deliver` is called. `silence`: nothing
 * is cut, and nothing is heard any more.
 */
export type Cut = "before" | "within" | "after" | "late" | "silence";

interface Pair {
  readonly client: Socket;
  readonly database: Socket;
}

interface Waiting {
  readonly word: string;
  readonly cut: Cut;
  readonly done: () => void;
}

interface Holding {
  readonly words: readonly string[];
  readonly done: (release: () => void) => void;
}

export class CuttingProxy {
  readonly #server: Server;
  #target: URL;
  readonly #pairs = new Set<Pair>();
  #isShut = false;
  #waiting: Waiting[] = [];
  #holding: Holding[] = [];
  #late: (() => Promise<unknown>)[] = [];
  /** Cuts every connection in which this is said. */
  always: { readonly word: string; readonly cut: Cut } | undefined;
  /** How often a connection was cut. */
  cuts = 0;

  static async to(url: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(url);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  private constructor(url: string) {
    this.#target = new URL(url);
    this.#server = createServer((client) => this.#accept(client));
  }

  /** The database's address, by this way. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The proxy does not listen.");
    const url = new URL(this.#target);
    url.port = String(address.port);
    return url.href;
  }

  /** Cuts the next connection in which a word is sent: the name of a statement. Resolves when it is cut. */
  cut(word: string, cut: Cut): Promise<void> {
    return new Promise((done) => this.#waiting.push({ word, cut, done }));
  }

  /** Keeps back the next that has all these words in it. Resolves when it does, with what lets it through. */
  hold(...words: readonly string[]): Promise<() => void> {
    return new Promise((done) => this.#holding.push({ words, done }));
  }

  /** Cuts and holds nothing any more that was not cut or held yet. */
  forget(): void {
    this.#waiting = [];
    this.#holding = [];
  }

  /** Delivers what was held back. Resolves when the database has heard and answered it. */
  async deliver(): Promise<void> {
    const late = this.#late;
    this.#late = [];
    await Promise.all(late.map((send) => send()));
  }

  /** Cuts every connection, and lets none through until it is turned to a database. */
  shut(): void {
    this.#isShut = true;
    this.cutAll();
  }

  /** Leads to another database from now on. */
  turnTo(url: string): void {
    this.#target = new URL(url);
    this.cutAll();
    this.#isShut = false;
  }

  cutAll(): void {
    for (const pair of this.#pairs) this.#end(pair);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cutAll();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    if (this.#isShut) {
      client.destroy();
      return;
    }
    const database = connect(Number(this.#target.port), this.#target.hostname);
    const pair = { client, database };
    this.#pairs.add(pair);
    for (const socket of [client, database]) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
    }
    let isCut = false;
    client.on("data", (bytes) => {
      if (isCut) return;
      const holding = this.#holding.findIndex(({ words }) => words.every((word) => bytes.includes(word)));
      if (holding >= 0) {
        client.pause();
        const [held] = this.#holding.splice(holding, 1);
        held?.done(() => {
          database.write(bytes);
          client.resume();
        });
        return;
      }
      const cut = this.#cutOf(bytes);
      if (!cut) {
        database.write(bytes);
        return;
      }
      isCut = true;
      this.cuts++;
      this.#cut(pair, cut.cut, bytes, cut.done);
    });
    database.on("data", (bytes) => isCut || client.write(bytes));
    client.on("close", () => isCut || this.#end(pair));
    database.on("close", () => this.#end(pair));
  }

  #cutOf(bytes: Buffer): { cut: Cut; done: () => void } | undefined {
    const at = this.#waiting.findIndex(({ word }) => bytes.includes(word));
    if (at >= 0) return this.#waiting.splice(at, 1)[0];
    if (this.always && bytes.includes(this.always.word))
      return { cut: this.always.cut, done: () => undefined };
    return undefined;
  }

  #cut(pair: Pair, cut: Cut, bytes: Buffer, done: () => void): void {
    const { client, database } = pair;
    const end = () => {
      this.#end(pair);
      done();
    };
    if (cut === "before") end();
    else if (cut === "silence") done();
    else if (cut === "within") database.write(bytes, end);
    else if (cut === "after") {
      database.write(bytes);
      database.once("data", end);
    } else {
      client.destroy();
      this.#late.push(async () => {
        // It may have lost patience.
        if (database.closed) return;
        // The database reads to the end before it notices that nobody is there.
        database.end(bytes);
        await once(database, "close");
      });
      done();
    }
  }

  #end(pair: Pair): void {
    pair.client.destroy();
    pair.database.destroy();
    this.#pairs.delete(pair);
  }
}
