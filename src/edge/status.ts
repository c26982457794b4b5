/** What an agent tells of itself on its machine: to `patchbay edge status` by a socket, to Prometheus by a port. */

import { unlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { join } from "node:path";
import { Gauge, Registry } from "prom-client";
import type { EdgeConfiguration, HealthState } from "../contract/health.ts";
import { isLoopback } from "../contract/loopback.ts";
import { EdgeRefused } from "./options.ts";

export interface InterconnectStatus {
  readonly id: string;
  readonly name: string;
  /** The device that carries it; none where nothing does. */
  readonly device: string | null;
  /** None while nothing is known. */
  readonly state: HealthState | null;
  readonly since: string | null;
  readonly reason: string;
  /** Milliseconds. */
  readonly latency: number | null;
  readonly sent: number;
  readonly lost: number;
}

export interface AgentStatus {
  readonly edge: string;
  readonly site: string;
  readonly role: string;
  readonly driver: string;
  readonly version: string;
  readonly server: { readonly url: string; readonly trouble: string | null };
  readonly account: string | null;
  readonly configuration: EdgeConfiguration;
  readonly last_reconciliation: {
    readonly time: string;
    readonly milliseconds: number;
    readonly steps: number;
  } | null;
  readonly interconnects: readonly InterconnectStatus[];
  readonly unreported: { readonly items: number; readonly dropped: number };
}

/** Milliseconds without progress after which a connection is closed. */
const PATIENCE = 30_000;

function socketIn(directory: string): string {
  return join(directory, "agent.sock");
}

/** The status of the agent that runs with this state directory; `undefined` if none does. */
export function askStatus(directory: string): Promise<AgentStatus | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath: socketIn(directory), path: "/status", timeout: 5_000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()));
          } catch (error) {
            reject(error);
          }
        });
        response.on("error", reject);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("the agent does not answer")));
    asked.on("error", (error) => {
      const gone = "code" in error && (error.code === "ENOENT" || error.code === "ECONNREFUSED");
      if (gone) resolve(undefined);
      else reject(error);
    });
    asked.end();
  });
}

/** Serves it. There is one agent to a state directory: a second is refused. */
export class StatusServer implements AsyncDisposable {
  readonly #servers: Server[] = [];
  readonly #status: () => AgentStatus;

  private constructor(status: () => AgentStatus) {
    this.#status = status;
  }

  static async open(
    directory: string,
    metricsPort: number | undefined,
    status: () => AgentStatus,
  ): Promise<StatusServer> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (await askStatus(directory))
      throw new EdgeRefused(
        `An agent runs already with ${directory}: stop it first, or give this one another --state.`,
      );
    const socket = socketIn(directory);
    // One that was killed leaves its socket behind.
    try {
      unlinkSync(socket);
    } catch {
      // There was none.
    }
    const opened = new StatusServer(status);
    await opened.#listen({ path: socket });
    if (metricsPort !== undefined) await opened.#listen({ host: "127.0.0.1", port: metricsPort });
    return opened;
  }

  #listen(where: { path: string } | { host: string; port: number }): Promise<void> {
    const server = createServer({ headersTimeout: 5_000, requestTimeout: 5_000 }, (request, response) => {
      const path = request.url?.split("?", 1)[0];
      const send = (status: number, type: string, text: string) => {
        response.writeHead(status, { "content-type": type, connection: "close" });
        response.end(text);
      };
      if ("port" in where && isFromElsewhere(request))
        return send(403, "text/plain", "Name this machine, as in http://127.0.0.1.\n");
      if (path === "/status") return send(200, "application/json", JSON.stringify(this.#status()));
      if (path === "/healthz") return send(200, "text/plain", "ok\n");
      if (path !== "/metrics") return send(404, "text/plain", "Here are /status, /metrics and /healthz.\n");
      const registry = metricsOf(this.#status());
      registry.metrics().then(
        (text) => send(200, registry.contentType, text),
        (error) => send(500, "text/plain", `${String(error)}\n`),
      );
    });
    // Node drops header fields past the 1,000th otherwise.
    server.maxHeadersCount = 0;
    // One request per connection, and an end for clients that do not read.
    server.maxRequestsPerSocket = 1;
    server.timeout = PATIENCE;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", (error) =>
      reject(new EdgeRefused(`The agent's status cannot be served: ${error.message}`)),
    );
    server.listen(where, () => resolve());
    this.#servers.push(server);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => {
        server.closeAllConnections();
        return new Promise<void>((resolve) => server.close(() => resolve()));
      }),
    );
  }
}

/**
 * Is the request from a page of another origin, or from one whose host name resolves to this machine (DNS rebinding)? A health
 * check over HTTP/1.0 may have no `Host`.
 */
function isFromElsewhere({ headers: { host, origin } }: IncomingMessage): boolean {
  if (origin !== undefined) return true;
  return host !== undefined && !isLoopback(host.replace(/:\d+$/, ""));
}

/** The figures, made when they are asked for: an interconnect that is gone leaves none behind. */
function metricsOf(status: AgentStatus): Registry {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name: `patchbay_edge_${name}`, help, labelNames, registers });
  const { configuration, server, unreported, last_reconciliation } = status;
  gauge("server_reached", "1 if the server answers.").set(server.trouble === null ? 1 : 0);
  gauge("revision", "The revision that was last made real, or tried.").set(configuration.revision);
  gauge("applied", "1 if the kernel is as the revision says.").set(
    configuration.status === "applied" ? 1 : 0,
  );
  gauge("problems", "What could not be made.").set(configuration.problems.length);
  gauge("unreported_items", "Transitions and minutes that wait to be reported.").set(unreported.items);
  gauge("dropped_items_total", "Transitions and minutes that had to go unreported.").set(unreported.dropped);
  if (last_reconciliation)
    gauge("reconciliation_seconds", "What the last reconciliation took.").set(
      last_reconciliation.milliseconds / 1000,
    );
  const state = gauge(
    "interconnect_state",
    "0 down, 0.5 degraded, 1 healthy; absent while nothing is known.",
    ["interconnect"],
  );
  const sent = gauge("probes_sent_total", "Probes sent.", ["interconnect"]);
  const lost = gauge("probes_lost_total", "Probes that stayed without an answer.", ["interconnect"]);
  const latency = gauge("latency_seconds", "The newest round trip.", ["interconnect"]);
  for (const { name: interconnect, ...one } of status.interconnects) {
    if (one.state !== null) state.set({ interconnect }, NUMBERS[one.state]);
    sent.set({ interconnect }, one.sent);
    lost.set({ interconnect }, one.lost);
    if (one.latency !== null) latency.set({ interconnect }, one.latency / 1000);
  }
  return registry;
}

/** As the vendor's analytics count them. */
const NUMBERS: Readonly<Record<HealthState, number>> = { healthy: 1, degraded: 0.5, down: 0 };
