/** A whole Patchbay: store, states, application, listening. Built here and nowhere else. */

import type { AddressInfo } from "node:net";
import { type DestinationStream, type Logger, pino } from "pino";
import { findToken, findUser } from "../account/directory.ts";
import { Accounts } from "../store/accounts.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { createApp } from "./app.ts";
import { type Clock, systemClock } from "./clock.ts";
import { ConfigError, isLoopback, type ServerConfig } from "./config.ts";
import { demo } from "./demo.ts";
import { listen } from "./listen.ts";
import { Metrics } from "./metrics.ts";
import { serveMetrics } from "./metrics-server.ts";
import { demoSeedFile, hashSecret, makeWorld, readSeedFile, type SeedSource } from "./seed-file.ts";

/** What a test or an embedding program may put in the place of the usual. */
export interface Overrides {
  readonly clock?: Clock;
  readonly store?: Store;
  readonly seed?: SeedSource;
  readonly logTo?: DestinationStream;
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
  const store = overrides.store ?? SqliteStore.open(config.data);
  const closing = new AbortController();
  try {
    const metrics = new Metrics();
    const accounts = await Accounts.open(store, metrics.observeCommit);
    const resumed = !accounts.isEmpty;
    if (!resumed) await accounts.replace(makeWorld(seed, clock));
    const isDemo = hasDemoCredentials(accounts);
    const loopback = isLoopback(config.host);
    if (isDemo && !loopback) refuseToExpose(config.host);
    const { sandbox } = config;
    const app = createApp({
      accounts,
      store,
      clock,
      metrics,
      log,
      seed,
      sandbox,
      loopback,
      closing: closing.signal,
    });
    for (const { state } of accounts.all()) metrics.setRevision(state.id, state.durable);
    const health = { metrics, isReady: () => !closing.signal.aborted };
    const metricsServer =
      config.metricsPort === undefined
        ? undefined
        : await serveMetrics(config.host, config.metricsPort, health);
    await listen("--port", config.port, () => app.listen({ host: config.host, port: config.port }));
    const url = addressOf(config.host, app.server.address());
    log.info({ url, data: config.data ?? "memory", resumed }, "started");
    let closed: Promise<void> | undefined;
    const close = async () => {
      closing.abort();
      await app.close();
      await metricsServer?.close();
      await store.close();
      log.info("stopped");
    };
    const server: RunningServer = {
      url,
      metricsUrl: metricsServer && addressOf(config.host, metricsServer.address),
      resumed,
      isDemo,
      reset: () => accounts.replace(makeWorld(seed, clock)),
      close: () => (closed ??= close()),
      [Symbol.asyncDispose]: () => server.close(),
    };
    return server;
  } catch (error) {
    await store.close();
    throw error;
  }
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

function hasDemoCredentials(accounts: Accounts): boolean {
  const { state } = accounts.directory;
  if (demo.tokens.some((token) => findToken(state, hashSecret(token)))) return true;
  return findUser(state, demo.email)?.doc.key_hash === hashSecret(demo.key);
}

function refuseToExpose(host: string): never {
  throw new ConfigError(
    `The credentials of the demonstration are printed in public documentation, so a server that has them listens on this machine alone, not on ${host}. Leave --host out, or start from a --seed of your own in an empty --data directory.`,
  );
}
