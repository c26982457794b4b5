/** A whole Patchbay: store, states, application, listening. Built here and nowhere else. */

import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type DestinationStream, type Logger, pino } from "pino";
import { Accounts } from "../store/accounts.ts";
import { demoSeedFile, makeWorld, readSeedFile, type SeedSource } from "../store/seed-file.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { createApp } from "./app.ts";
import { Refusals } from "./audit/refusals.ts";
import { type Patience, usualPatience } from "./broken-requests.ts";
import { type Clock, systemClock } from "./clock.ts";
import { isLoopback, type ServerConfig } from "./config.ts";
import { directoryOf, hasDemoCredentials, refuseExposure } from "./exposure.ts";
import { listen } from "./listen.ts";
import { Metrics } from "./metrics.ts";
import { serveMetrics } from "./metrics-server.ts";
import { QUOTA } from "./rate.ts";

/** What a test or an embedding program may put in the place of the usual. */
export interface Overrides {
  readonly clock?: Clock;
  readonly store?: Store;
  readonly seed?: SeedSource;
  readonly logTo?: DestinationStream;
  readonly patience?: Partial<Patience>;
}

export interface RunningServer extends AsyncDisposable {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** Where `/metrics` is, if it is served. */
  readonly metricsUrl: string | undefined;
  /** Was the data there before? */
  readonly resumed: boolean;
  /** Do the credentials of the vendor's documentation open it? */
  readonly isDemo: boolean;
  /** May it be reset over HTTP? */
  readonly sandbox: boolean;
  /** Back to the seed. */
  reset(): Promise<void>;
  /** Stops taking requests, finishes those under way, closes the store. */
  close(): Promise<void>;
}

/** Starts a server. Throws `ConfigError` or `StoreRefused` with a sentence for the operator. */
export async function startServer(config: ServerConfig, overrides: Overrides = {}): Promise<RunningServer> {
  const clock = overrides.clock ?? systemClock;
  const log = createLog(config.logLevel, overrides.logTo);
  const seed = overrides.seed ?? readSeedFile(config.seed ?? demoSeedFile);
  const closing = new AbortController();
  // Whatever is open when something is refused is closed again, the store last.
  await using opened = new AsyncDisposableStack();
  const store = overrides.store ?? SqliteStore.open(config.data);
  opened.defer(() => store.close());
  const refusals = new Refusals(store, clock, log);
  opened.defer(() => refusals.close());
  const metrics = new Metrics();
  const accounts = await Accounts.open(store, metrics.observeCommit);
  const newWorld = () => {
    const world = makeWorld(seed, clock.timestamp());
    refuseExposure(config.host, directoryOf(world));
    return world;
  };
  const resumed = !accounts.isEmpty;
  if (!resumed) await accounts.replace(newWorld());
  refuseExposure(config.host, accounts.directory.state);
  const isDemo = hasDemoCredentials(accounts.directory.state);
  // The demonstration is there to be tried, so it can be reset, and asked as often as one likes.
  const loopback = isLoopback(config.host);
  const isTrial = isDemo && config.seed === undefined;
  const sandbox = config.sandbox ?? isTrial;
  const rateLimit = config.rateLimit ?? (isTrial ? "off" : QUOTA);
  // What a reset would bring is looked at while the operator is there to hear of it.
  if (resumed && sandbox && !loopback) newWorld();
  const reset = async () => {
    const world = newWorld();
    await accounts.replace(world);
    refusals.forget();
    metrics.setRevisions(accounts.all());
    return world;
  };
  const patience = { ...usualPatience, ...overrides.patience };
  const context = {
    accounts,
    store,
    clock,
    metrics,
    refusals,
    newId: () => randomBytes(16).toString("hex"),
    log,
    quota: rateLimit === "off" ? undefined : rateLimit,
    sandbox,
    reset,
    loopback,
    closing: closing.signal,
  };
  const app = createApp(context, patience);
  metrics.setRevisions(accounts.all());
  const health = { metrics, isReady: () => !closing.signal.aborted };
  const metricsServer =
    config.metricsPort === undefined
      ? undefined
      : await serveMetrics(config.host, config.metricsPort, health);
  opened.defer(async () => metricsServer?.close());
  opened.defer(async () => {
    // A client that never finishes its request does not keep the server from stopping.
    const end = setTimeout(() => app.server.closeAllConnections(), patience.stopping);
    await app.close();
    clearTimeout(end);
  });
  await listen("--port", config.host, config.port, () =>
    app.listen({ host: config.host, port: config.port }),
  );
  const url = addressOf(config.host, app.server.address());
  log.info({ url, data: config.data ?? "memory", resumed }, "started");
  const running = opened.move();
  let closed: Promise<void> | undefined;
  const close = async () => {
    closing.abort();
    await running.disposeAsync();
    log.info("stopped");
  };
  const server: RunningServer = {
    url,
    metricsUrl: metricsServer && addressOf(config.host, metricsServer.address),
    resumed,
    isDemo,
    sandbox,
    reset: async () => void (await reset()),
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}

function addressOf(host: string, address: AddressInfo | string | null): string {
  const port = typeof address === "object" && address ? address.port : 0;
  return `http://${host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host}:${port}`;
}

function createLog(level: string, destination?: DestinationStream): Logger {
  const redact = {
    paths: [
      "req.headers.authorization",
      "headers.authorization",
      'headers["x-auth-key"]',
      "token",
      "key",
      "*.hash",
      "*.key_hash",
      "*.md5_key",
    ],
    censor: "(masked)",
  };
  return pino({ level, redact, base: null }, destination ?? pino.destination({ dest: 2, sync: true }));
}
