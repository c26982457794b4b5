/** What the operator decided, from the command line and the environment. Nothing else reads either. */

import { formatPrefix, network, type Prefix, parseRange } from "../contract/addresses.ts";
import { MOST_EDGES } from "../contract/health.ts";
import { isLoopback } from "../contract/loopback.ts";
import { ConfigError } from "../store/config-error.ts";
import { placeOfUrl, readDatabaseUrl, refuseBoth } from "../store/database-url.ts";

export { ConfigError } from "../store/config-error.ts";

/** What health decides by, unless said: provider edges that must agree, and seconds. */
export const QUORUM = 1;
export const SETTLE = 30;

/** A setting as it was given: the text, and what the person wrote it as, such as `--port` or `PATCHBAY_PORT`. */
export interface Given {
  readonly text: string;
  readonly as: string;
}

/** Default drain delay in seconds, unless on loopback: two health checks of a usual load balancer. */
export const DRAIN_DELAY = 5;

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Where data lives; without one, in memory. */
  readonly data: string | undefined;
  /** A PostgreSQL database in place of a directory, which other servers may share. */
  readonly database?: string | undefined;
  /** A seed file instead of the demonstration. */
  readonly seed: string | undefined;
  /** May the server be reset? Unless said, it may if it holds and is given the demonstration. */
  readonly sandbox: boolean | undefined;
  /** Port of `/metrics` and the health checks; without one, they are not served. */
  readonly metricsPort: number | undefined;
  /** Address of `/metrics` and the health checks; loopback unless said. */
  readonly metricsHost?: string | undefined;
  /** Whether series of `/metrics` name accounts, interconnects and edges; they do not unless said. */
  readonly metricsAccounts?: boolean | undefined;
  /** Requests of a credential in 300 seconds. Unless said, the vendor's quota, and none for the demonstration. */
  readonly rateLimit: number | "off" | undefined;
  /** How many provider edges must report an interconnect for its change to be undone; one unless said. */
  readonly healthQuorum?: number | undefined;
  /** Seconds for which all that a change touched must be healthy for it to be confirmed by itself; 30 unless said. */
  readonly healthSettle?: number | undefined;
  /** Seconds between reporting not ready and closing the port when the server stops. Default: 0. */
  readonly drainDelay?: number | undefined;
  readonly logLevel: string;
  /** Files of the certificate and its key; without them, the server speaks HTTP in clear. */
  readonly tls?: TlsFiles | undefined;
  /** Proxies whose word on a request's origin counts. */
  readonly trustProxy?: readonly Prefix[] | undefined;
  /** The origin that clients use: scheme, host and port. */
  readonly publicUrl?: string | undefined;
  /** What ids, secrets and time are a function of, instead of chance and the system's clock. */
  readonly deterministic?: string | undefined;
  /** What to call settings in a sentence where that is not the option's name. */
  readonly names?: Names | undefined;
}

export interface TlsFiles {
  readonly cert: Given;
  readonly key: Given;
}

/** Options as typed, each with the environment variable that stands in for it. */
export interface ServerOptions {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly data?: string | undefined;
  readonly database?: string | undefined;
  readonly seed?: string | undefined;
  readonly sandbox?: boolean | undefined;
  readonly metricsPort?: string | undefined;
  readonly metricsHost?: string | undefined;
  readonly metricsAccounts?: boolean | undefined;
  readonly rateLimit?: string | undefined;
  readonly healthQuorum?: string | undefined;
  readonly healthSettle?: string | undefined;
  readonly drainDelay?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly trustProxy?: string | undefined;
  readonly publicUrl?: string | undefined;
  readonly deterministic?: string | undefined;
}

type Setting = Exclude<keyof ServerOptions, "sandbox" | "metricsAccounts">;
export type Names = Readonly<Partial<Record<Setting, string>>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** `metricsPort` with other words between: `metrics-port`, `METRICS_PORT`. */
const spelled = (setting: string, between: string) =>
  setting.replaceAll(/[A-Z]/g, (letter) => between + letter.toLowerCase());
const optionOf = (setting: string) => `--${spelled(setting, "-")}`;
/** The one variable whose name everybody knows already. */
const variableOf = (setting: string) =>
  setting === "database" ? "DATABASE_URL" : `PATCHBAY_${spelled(setting, "_").toUpperCase()}`;

/** What to call a setting in a sentence: as the person wrote it, or else as the option. */
export function nameOf({ names }: Pick<ServerConfig, "names">, setting: Setting): string {
  return names?.[setting] ?? optionOf(setting);
}

/** Options and environment, read one setting at a time. */
class Settings {
  readonly #options: ServerOptions;
  readonly #environment: Environment;
  readonly names: Partial<Record<Setting, string>> = {};

  constructor(options: ServerOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
  }

  /** What was given; an empty variable gives nothing, and an empty option is a slip. */
  find(setting: Setting): Given | undefined {
    const typed = this.#options[setting];
    const given = typed === undefined ? this.#variable(setting) : { text: typed, as: optionOf(setting) };
    if (!given) return undefined;
    if (given.text.trim() === "") throw new ConfigError(`${given.as} is empty.`);
    this.names[setting] = given.as;
    return given;
  }

  get(setting: Setting, otherwise: string): Given {
    return this.find(setting) ?? { text: otherwise, as: optionOf(setting) };
  }

  #variable(setting: Setting): Given | undefined {
    const as = variableOf(setting);
    const text = this.#environment[as];
    return text === undefined || text === "" ? undefined : { text, as };
  }
}

export function readConfig(options: ServerOptions, environment: Environment): ServerConfig {
  const settings = new Settings(options, environment);
  const deterministic = settings.find("deterministic")?.text;
  const database = readDatabase(settings, options);
  const host = settings.get("host", "127.0.0.1").text;
  const config = {
    logLevel: readLevel(settings.get("logLevel", "info")),
    host,
    port: readPort(settings.get("port", "8787")),
    // What is the same at every start begins anew with each, so it has nothing to keep.
    data:
      database === undefined
        ? (settings.find("data")?.text ?? (deterministic === undefined ? "data" : undefined))
        : undefined,
    database,
    seed: settings.find("seed")?.text,
    sandbox: options.sandbox ?? readFlag("PATCHBAY_SANDBOX", environment["PATCHBAY_SANDBOX"]),
    metricsPort: readMetricsPort(settings.get("metricsPort", "8788")),
    metricsHost: settings.find("metricsHost")?.text,
    metricsAccounts:
      options.metricsAccounts ??
      readFlag("PATCHBAY_METRICS_ACCOUNTS", environment["PATCHBAY_METRICS_ACCOUNTS"]),
    rateLimit: readRateLimit(settings.find("rateLimit")),
    healthQuorum: readWhole(settings.get("healthQuorum", String(QUORUM)), 1, MOST_EDGES, "provider edges"),
    healthSettle: readWhole(settings.get("healthSettle", String(SETTLE)), 0, 86_400, "seconds"),
    drainDelay: readWhole(
      settings.get("drainDelay", String(isLoopback(host) ? 0 : DRAIN_DELAY)),
      0,
      3_600,
      "seconds",
    ),
    tls: readTls(settings.find("tlsCert"), settings.find("tlsKey")),
    trustProxy: readProxies(settings.find("trustProxy")),
    publicUrl: readPublicUrl(settings.find("publicUrl")),
    deterministic,
  };
  return { ...config, names: settings.names };
}

/** The database, unless the command names a directory: what is typed wins over what stands in the environment. */
function readDatabase(
  settings: Settings,
  { data, database, deterministic }: ServerOptions,
): string | undefined {
  refuseBoth(data, database);
  if (data !== undefined || (deterministic !== undefined && database === undefined)) return undefined;
  const given = settings.find("database");
  if (!given) return undefined;
  if (settings.find("deterministic"))
    throw new ConfigError(
      `${given.as} is shared with others, so nothing in it is a function of a seed: leave --deterministic out.`,
    );
  return readDatabaseUrl(given);
}

/** Where the data live, in words that tell no password. */
export function placeOf({ data, database }: Pick<ServerConfig, "data" | "database">): string {
  return database === undefined ? (data ?? "in memory") : placeOfUrl(database);
}

function readLevel({ text, as }: Given): string {
  if (["fatal", "error", "warn", "info", "debug", "trace", "silent"].includes(text)) return text;
  throw new ConfigError(`${as} is ${text}, but must be fatal, error, warn, info, debug, trace or silent.`);
}

function readPort({ text, as }: Given): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65535) return port;
  throw new ConfigError(`${as} is ${text}, but must be a port number from 0 to 65535 (0 picks a free one).`);
}

function readMetricsPort(given: Given): number | undefined {
  if (given.text === "off") return undefined;
  const port = /^\d{1,5}$/.test(given.text) ? Number(given.text) : Number.NaN;
  if (port >= 0 && port <= 65535) return port;
  throw new ConfigError(
    `${given.as} is ${given.text}, but must be a port number from 0 to 65535 (0 picks a free one), or off.`,
  );
}

function readRateLimit(given: Given | undefined): number | "off" | undefined {
  if (!given) return undefined;
  const { text, as } = given;
  if (text === "off") return "off";
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return limit;
  throw new ConfigError(`${as} is ${text}, but must be a number of requests from 1 on, or off.`);
}

function readWhole({ text, as }: Given, least: number, most: number, of: string): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new ConfigError(`${as} is ${text}, but must be a number of ${of} from ${least} to ${most}.`);
}

function readFlag(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "1" || text === "true") return true;
  if (text === "0" || text === "false") return false;
  throw new ConfigError(`${name} is ${text}, but must be true or false.`);
}

function readTls(cert: Given | undefined, key: Given | undefined): TlsFiles | undefined {
  if (!cert && !key) return undefined;
  if (!key)
    throw new ConfigError(`${cert?.as} needs ${optionOf("tlsKey")}, the certificate's key, beside it.`);
  if (!cert)
    throw new ConfigError(`${key.as} needs ${optionOf("tlsCert")}, the key's certificate, beside it.`);
  return { cert, key };
}

function readProxies(given: Given | undefined): readonly Prefix[] | undefined {
  if (!given) return undefined;
  return given.text.split(",").map((part) => readProxy(part.trim(), given.as));
}

function readProxy(text: string, as: string): Prefix {
  const prefix = parseRange(text);
  const wrong = (expected: string) => new ConfigError(`${as} names ${text || "nothing"}, but ${expected}.`);
  if (!prefix) throw wrong("takes addresses and prefixes with commas between, such as 10.0.0.0/8,::1");
  if (prefix.length === 0) throw wrong("to trust everybody would let any client say where it comes from");
  const whole = formatPrefix(network(prefix));
  if (formatPrefix(prefix) !== whole)
    throw wrong(`a prefix has no host bits: ${whole} is meant, or one address`);
  return prefix;
}

function readPublicUrl(given: Given | undefined): string | undefined {
  if (!given) return undefined;
  const { text, as } = given;
  const isPlain = /^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text);
  if (isPlain && URL.canParse(text)) return new URL(text).origin;
  throw new ConfigError(
    `${as} is ${text}, but must be an http or https address with no path, such as https://patchbay.example.net.`,
  );
}
