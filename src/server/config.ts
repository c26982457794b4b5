/** What the operator decided, from the command line and the environment. Nothing else reads either. */

import { ConfigError } from "../store/config-error.ts";

export { ConfigError } from "../store/config-error.ts";

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Where data lives; without one, in memory. */
  readonly data: string | undefined;
  /** A seed file instead of the demonstration. */
  readonly seed: string | undefined;
  /** May the server be reset? Unless said, it may if it holds and is given the demonstration. */
  readonly sandbox: boolean | undefined;
  /** Port of `/metrics` and the health checks; without one, they are not served. */
  readonly metricsPort: number | undefined;
  /** Requests of a credential in 300 seconds. Unless said, the vendor's quota, and none for the demonstration. */
  readonly rateLimit: number | "off" | undefined;
  readonly logLevel: string;
}

/** Options as typed, each with the environment variable that stands in for it. */
export interface ServerOptions {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly data?: string | undefined;
  readonly seed?: string | undefined;
  readonly sandbox?: boolean | undefined;
  readonly metricsPort?: string | undefined;
  readonly rateLimit?: string | undefined;
  readonly logLevel?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function readConfig(options: ServerOptions, environment: Environment): ServerConfig {
  const pick = (option: string | undefined, name: string, otherwise: string) =>
    option ?? (environment[name] || otherwise);
  const seed = options.seed ?? (environment["PATCHBAY_SEED"] || undefined);
  const level = pick(options.logLevel, "PATCHBAY_LOG_LEVEL", "info");
  if (!["fatal", "error", "warn", "info", "debug", "trace", "silent"].includes(level)) {
    throw new ConfigError(
      `--log-level is ${level}, but must be fatal, error, warn, info, debug, trace or silent.`,
    );
  }
  return {
    host: pick(options.host, "PATCHBAY_HOST", "127.0.0.1"),
    port: readPort("--port", pick(options.port, "PATCHBAY_PORT", "8787")),
    data: pick(options.data, "PATCHBAY_DATA", "data"),
    seed,
    sandbox: options.sandbox ?? readFlag("PATCHBAY_SANDBOX", environment["PATCHBAY_SANDBOX"]),
    metricsPort: readMetricsPort(pick(options.metricsPort, "PATCHBAY_METRICS_PORT", "8788")),
    rateLimit: readRateLimit(options.rateLimit ?? environment["PATCHBAY_RATE_LIMIT"]),
    logLevel: level,
  };
}

function readPort(name: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65535) return port;
  throw new ConfigError(
    `${name} is ${text}, but must be a port number from 0 to 65535 (0 picks a free one).`,
  );
}

function readMetricsPort(text: string): number | undefined {
  return text === "off" ? undefined : readPort("--metrics-port", text);
}

function readRateLimit(text: string | undefined): number | "off" | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "off") return "off";
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return limit;
  throw new ConfigError(`--rate-limit is ${text}, but must be a number of requests from 1 on, or off.`);
}

function readFlag(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "1" || text === "true") return true;
  if (text === "0" || text === "false") return false;
  throw new ConfigError(`${name} is ${text}, but must be true or false.`);
}

/** Is this a name or address of this machine alone? */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "");
  return (
    name === "localhost" || name === "::1" || name.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(name)
  );
}
