/** A whole Patchbay: store, states, application, listening. Built here and nowhere else. */

import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type DestinationStream, type Logger, pino } from "pino";
import { withSessionsOf } from "../account/directory/session.ts";
import type { State } from "../account/state.ts";
import { LISTEN_BACKLOG } from "../contract/limits.ts";
import { isLoopback } from "../contract/loopback.ts";
import { Accounts } from "../store/accounts.ts";
import type { HealthStore } from "../store/health/health-store.ts";
import { SqliteHealth } from "../store/health/sqlite-health.ts";
import { demoSeedFile, makeWorldInSteps, readSeedFile, type SeedSource } from "../store/seed-file.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store, StoreRefused } from "../store/store.ts";
import { runInSlices } from "../store/time-slice.ts";
import { createApp } from "./app.ts";
import { Refusals } from "./audit/refusals.ts";
import { type Patience, usualPatience } from "./broken-requests.ts";
import { type Clock, StoreClock } from "./clock.ts";
import { nameOf, placeOf, QUORUM, SETTLE, type ServerConfig, type TlsFiles } from "./config.ts";
import { builtFolder } from "./dashboard/files.ts";
import { Deadlines } from "./deadlines.ts";
import {
  directoryOf,
  hasDemoCredentials,
  isReachable,
  refuseExposure,
  refusePredictable,
} from "./exposure.ts";
import { Followers } from "./followers.ts";
import { HealthGate } from "./health/gate.ts";
import { addHealthMetrics } from "./health/metrics.ts";
import { Pruning } from "./health/pruning.ts";
import { listen, type Place } from "./listen.ts";
import { LogReads } from "./log-reads.ts";
import { Masker } from "./mask.ts";
import { Metrics } from "./metrics.ts";
import { serveMetrics } from "./metrics-server.ts";
import { Doors } from "./network/doors.ts";
import { Ingress } from "./network/ingress.ts";
import { type KeyPair, readKeyPair } from "./network/key-pair.ts";
import { KeyPairWatch } from "./network/key-pair-watch.ts";
import { QUOTA } from "./rate.ts";
import { Rollbacks } from "./rollbacks.ts";
import { Faults } from "./sandbox/faults.ts";
import { Inspector } from "./sandbox/inspector.ts";
import { chance, seeded } from "./sources.ts";

/** What a test or an embedding program may put in the place of the usual. */
export interface Overrides {
  readonly clock?: Clock;
  readonly store?: Store;
  readonly health?: HealthStore;
  readonly seed?: SeedSource;
  readonly logTo?: DestinationStream;
  readonly patience?: Partial<Patience>;
  /** Where the dashboard's files are. */
  readonly dashboard?: string;
}

export interface RunningServer extends AsyncDisposable {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** The address that clients use, where that was said. */
  readonly publicUrl: string | undefined;
  /** Where `/metrics` is, if it is served. */
  readonly metricsUrl: string | undefined;
  /** Was the data there before? */
  readonly resumed: boolean;
  /** Do the credentials of the vendor's documentation open it? */
  readonly isDemo: boolean;
  /** May it be reset over HTTP? */
  readonly sandbox: boolean;
  /** Resolves with a message for the operator if the server can no longer save changes and must be stopped. */
  readonly lost: Promise<StoreRefused>;
  /** Back to the seed. */
  reset(): Promise<void>;
  /**
   * Reports not ready for the drain delay, so that a load balancer stops sending requests. Requests that still arrive are
   * answered, with `connection: close`.
   */
  drain(): Promise<void>;
  /** Stops taking requests, finishes those under way, closes the store. */
  close(): Promise<void>;
}

/** Starts a server. Throws `ConfigError` or `StoreRefused` with a sentence for the operator. */
export async function startServer(config: ServerConfig, overrides: Overrides = {}): Promise<RunningServer> {
  const { deterministic, publicUrl, trustProxy } = config;
  const storeClock = new StoreClock();
  const isShared = overrides.store?.shared ?? config.database !== undefined;
  const clock = overrides.clock ?? (isShared ? storeClock : undefined);
  const sources = deterministic === undefined ? chance(clock) : seeded(deterministic);
  const log = createLog(config.logLevel, overrides.logTo);
  const seed = overrides.seed ?? readSeedFile(config.seed ?? demoSeedFile);
  const pair = config.tls && readKeyPair(config.tls);
  const closing = new AbortController();
  const draining = new AbortController();
  // Whatever is open when something is refused is closed again, the store last.
  await using opened = new AsyncDisposableStack();
  const lost = Promise.withResolvers<StoreRefused>();
  const store = overrides.store ?? (await openStore(config, lost.resolve));
  opened.defer(() => store.close());
  const health = overrides.health ?? (await openHealth(config, overrides, log));
  opened.defer(() => health.close());
  const pruning = new Pruning(health, sources.clock, log);
  opened.defer(() => pruning.close());
  const refusals = new Refusals(store, sources.clock, log);
  opened.defer(() => refusals.close());
  const metrics = new Metrics();
  const accounts = await Accounts.open(
    store,
    (commit) => {
      try {
        metrics.observeCommit(commit);
        deadlines.moved(commit.state);
        gate.moved(commit.state);
      } catch (error) {
        log.error({ err: error, state: commit.state }, "an observer of a saved change failed");
      }
    },
    (time) => storeClock.observe(time),
    (loss) => {
      metrics.observeLoss(loss);
      const { state: account, known, found } = loss;
      log.error(
        { account, known: known.revision, found: found.revision },
        "the database lost acknowledged changes: check which server it failed over to, and the replication of that server",
      );
    },
  );
  opened.defer(async () => accounts.close());
  const byRequests = deterministic !== undefined;
  const rollbacks = new Rollbacks(store);
  const deadlines = new Deadlines({ ...sources, accounts, store, rollbacks, log, byRequests });
  opened.defer(() => deadlines.close());
  const { healthQuorum = QUORUM, healthSettle = SETTLE } = config;
  const rules = { quorum: healthQuorum, settle: healthSettle * 1000 };
  const gate = new HealthGate({ ...sources, accounts, store, rollbacks, health, log, byRequests, rules });
  opened.defer(() => gate.close());
  const newWorld = async () => {
    const steps = makeWorldInSteps(seed, sources.clock.timestamp(), [], sources.newEpoch);
    const world = await runInSlices(steps);
    refuseExposure(config, directoryOf(world));
    return world;
  };
  const first = accounts.isEmpty ? await newWorld() : undefined;
  // Refuse before anything is written.
  if (first) checkData(config, directoryOf(first), false);
  const resumed = first === undefined || !(await accounts.begin(first));
  // Another server may have seeded the database first: check the data that this server serves.
  const { isDemo, isTrial, sandbox } = checkData(config, accounts.directory.state, resumed);
  const rateLimit = config.rateLimit ?? (isTrial ? "off" : QUOTA);
  // What a reset would bring is looked at while the operator is there to hear of it.
  if (resumed && sandbox && isReachable(config)) await newWorld();
  const faults = sandbox ? new Faults(metrics.observeFault) : undefined;
  const reset = async () => {
    const world = withSessionsOf(accounts.directory.state, await newWorld());
    await accounts.replace(world);
    await health.forget();
    refusals.forget();
    lookAtWorld();
    faults?.reset();
    return world;
  };
  const patience = { ...usualPatience, ...overrides.patience };
  const doors = new Doors(patience, pair);
  const { scheme } = doors;
  const ingress = new Ingress({ loopback: isLoopback(config.host), scheme, publicUrl, trustProxy });
  let seen: string | undefined;
  // Another server may have put another world there.
  const lookAtWorld = () => {
    const { state } = accounts.directory;
    if (state.epoch === seen) return;
    ingress.guard(hasDemoCredentials(state));
    refuseExposure(config, state);
    seen = state.epoch;
  };
  lookAtWorld();
  const masker = new Masker(() => accounts.directory.state);
  const context = {
    ...sources,
    accounts,
    store,
    rollbacks,
    logReads: new LogReads(store),
    health,
    gate,
    metrics,
    followers: new Followers(),
    refusals,
    log,
    masker,
    quota: rateLimit === "off" ? undefined : rateLimit,
    sandbox,
    faults,
    inspector: sandbox ? new Inspector(sources.clock, masker) : undefined,
    settle: byRequests ? () => deadlines.settle().then(() => gate.settle()) : undefined,
    reset,
    ingress,
    lookAtWorld,
    draining: draining.signal,
    closing: closing.signal,
    dashboard: overrides.dashboard ?? builtFolder,
  };
  // What was due while nobody looked is undone before anybody is answered.
  await deadlines.start();
  await gate.settle();
  const { app, strays } = createApp(context, doors, patience);
  const { metricsAccounts: named = false } = config;
  if (named) metrics.addRevisions(accounts);
  addHealthMetrics(metrics.registry, { accounts, health, clock: sources.clock, named });
  const standing = { metrics, unready: () => unready(draining.signal, accounts, log), log };
  const metricsServer =
    config.metricsPort === undefined
      ? undefined
      : await serveMetrics(metricsPlace(config, config.metricsPort), standing);
  opened.defer(async () => metricsServer?.close());
  opened.defer(async () => {
    // A client that never finishes its request does not keep the server from stopping.
    const end = setTimeout(() => doors.cutOff(), patience.stopping);
    await Promise.all([app.close(), doors.closeOthers()]);
    clearTimeout(end);
  });
  if (config.tls && pair) {
    const watching = followKeyPair(config.tls, pair, doors, log);
    opened.defer(() => watching.close());
  }
  const { host, port } = config;
  const place = { host, port, hostName: nameOf(config, "host"), portName: nameOf(config, "port") };
  await listen(place, () => app.listen({ host, port, backlog: LISTEN_BACKLOG }));
  if (host === "localhost") await doors.openOthers(host, strays);
  const url = addressOf(scheme, host, app.server.address());
  log.info(
    { url, data: config.database === undefined ? (config.data ?? "memory") : placeOf(config), resumed },
    "started",
  );
  if (isInClear(config)) {
    log.warn(
      { url },
      "others reach this server in clear, tokens included: use --tls-cert and --tls-key, or a proxy",
    );
  }
  const running = opened.move();
  let closed: Promise<void> | undefined;
  const drain = async () => {
    const { drainDelay = 0 } = config;
    draining.abort();
    if (drainDelay === 0) return;
    log.info({ seconds: drainDelay }, "draining: reporting not ready before the port is closed");
    await delay(drainDelay * 1000, undefined, { ref: false });
  };
  const close = async () => {
    draining.abort();
    closing.abort();
    await running.disposeAsync();
    log.info("stopped");
  };
  const server: RunningServer = {
    url,
    publicUrl,
    metricsUrl: metricsServer && addressOf("http", metricsHostOf(config), metricsServer.address),
    resumed,
    isDemo,
    sandbox,
    lost: lost.promise,
    reset: async () => void (await reset()),
    drain,
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}

/** Derives what the server may do from the data that it serves. Throws `ConfigError` if it may not serve the data. */
function checkData(config: ServerConfig, directory: State, resumed: boolean) {
  refuseExposure(config, directory);
  const isDemo = hasDemoCredentials(directory);
  // The demonstration is for trying things out, so it can be reset, and has no rate limit.
  const isTrial = isDemo && config.seed === undefined;
  const sandbox = config.sandbox ?? isTrial;
  refusePredictable(config, sandbox, resumed);
  return { isDemo, isTrial, sandbox };
}

/** The shared database, or this server's data directory. */
async function openStore(
  { database, data }: ServerConfig,
  lost: (refusal: StoreRefused) => void,
): Promise<Store> {
  if (database === undefined) return SqliteStore.open(data, lost);
  const { PostgresStore } = await import("../store/postgres/postgres-store.ts");
  return PostgresStore.open(database);
}

/** Beside the log: in the database, in a file of its own in the directory, or in memory as the log is. */
async function openHealth(
  { database, data }: ServerConfig,
  { store }: Overrides,
  log: Logger,
): Promise<HealthStore> {
  if (!store && database !== undefined) {
    const { PostgresHealth } = await import("../store/health/postgres-health.ts");
    return new PostgresHealth(database);
  }
  const complain = (sentence: string, error: unknown) => log.error({ err: error }, sentence);
  return SqliteHealth.open(store ? undefined : data, complain);
}

/** Why a balancer should send nothing here just now, if so. */
async function unready(draining: AbortSignal, accounts: Accounts, log: Logger): Promise<string | undefined> {
  if (draining.aborted) return "stopping";
  try {
    await accounts.fresh();
    return undefined;
  } catch (error) {
    log.warn({ err: error }, "not ready: the database is unavailable");
    return "the database is unavailable";
  }
}

/** Health and figures are for this machine unless said otherwise: they ask nobody for credentials. */
function metricsHostOf({ metricsHost }: ServerConfig): string {
  return metricsHost ?? "127.0.0.1";
}

function metricsPlace(config: ServerConfig, port: number): Place {
  const [hostName, portName] = [nameOf(config, "metricsHost"), nameOf(config, "metricsPort")];
  return { host: metricsHostOf(config), port, hostName, portName };
}

/** Do others reach it without TLS, as far as can be told from here? */
function isInClear({ host, tls, trustProxy, publicUrl }: ServerConfig): boolean {
  return !isLoopback(host) && !tls && !trustProxy && !publicUrl?.startsWith("https:");
}

function followKeyPair(files: TlsFiles, pair: KeyPair, doors: Doors, log: Logger): KeyPairWatch {
  const cert = files.cert.text;
  return new KeyPairWatch({
    files,
    pair,
    use: (next) => {
      doors.use(next);
      log.info({ cert, valid_to: next.validTo }, "new certificate in use");
    },
    complain: (sentence) => log.error({ cert }, `${sentence} The certificate from before stays in use.`),
  });
}

function addressOf(scheme: string, host: string, address: AddressInfo | string | null): string {
  const port = typeof address === "object" && address ? address.port : 0;
  return `${scheme}://${host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host}:${port}`;
}

function createLog(level: string, destination?: DestinationStream): Logger {
  const redact = {
    paths: [
      "req.headers.authorization",
      "headers.authorization",
      'headers["x-auth-key"]',
      "req.headers.cookie",
      "headers.cookie",
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
