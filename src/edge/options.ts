/** Flags, environment and file of `patchbay edge`, read in one place. What is wrong is one plain sentence. */

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { parse as parseYaml } from "yaml";
import { didYouMean } from "../contract/similar.ts";
import { type DriverName, type EdgeConfig, type Role, USUAL_RATES } from "./config.ts";

/** What the operator asked for cannot be. The message is for them. */
export class EdgeRefused extends Error {}

/** As commander hands them over. */
export interface EdgeFlags {
  readonly server?: string;
  readonly account?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly role?: string;
  readonly name?: string;
  readonly site?: string;
  readonly driver?: string;
  readonly map?: readonly string[];
  readonly interconnect?: readonly string[];
  readonly config?: string;
  readonly state?: string;
  readonly metricsPort?: string;
  readonly manageSysctls?: boolean;
  readonly poll?: string;
  readonly logLevel?: string;
}

export interface EdgeOptions {
  /** Without a slash at the end, and without the path of an API. */
  readonly server: string;
  /** Found out from the token unless said. */
  readonly account: string | undefined;
  readonly token: string;
  /** Milliseconds between two questions to an API that has no log to follow; undefined follows a Patchbay's. */
  readonly poll: number | undefined;
  /** Names or ids of those that this edge carries; all unless said. */
  readonly only: ReadonlySet<string> | undefined;
  /** Links by interconnect name, where the server does not tell them. */
  readonly links: ReadonlyMap<string, { readonly provider: string; readonly customer: string }>;
  readonly metricsPort: number | undefined;
  readonly logLevel: string;
  readonly edge: EdgeConfig;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Members = Readonly<Record<string, unknown>>;

export const STATE_DIRECTORY = "/var/lib/patchbay-edge";

const KEYS = [
  "server",
  "account",
  "token_file",
  "role",
  "name",
  "site",
  "region",
  "driver",
  "map",
  "interconnects",
  "links",
  "same_site",
  "rates",
  "probe_source",
  "health_time_scale",
  "bird",
  "bgp_keys",
  "provider_asn",
  "state",
  "metrics_port",
  "manage_sysctls",
  "poll",
  "log_level",
] as const;

/** Where the edge keeps what it made, for the commands that look at a running one. */
export function stateDirectoryOf({ state, config }: EdgeFlags, env: Environment): string {
  const file = config === undefined ? {} : readFile(config);
  return textOf("state", state ?? file["state"] ?? env["PATCHBAY_EDGE_STATE"]) ?? STATE_DIRECTORY;
}

/** Throws `EdgeRefused`. */
export function readOptions(flags: EdgeFlags, env: Environment): EdgeOptions {
  const file = flags.config === undefined ? {} : readFile(flags.config);
  const role = oneOf<Role>("role", flags.role ?? file["role"], ["provider", "customer"]);
  if (role === undefined)
    throw new EdgeRefused("Which end of the interconnects is it? --role provider or --role customer.");
  const server = textOf("server", flags.server ?? file["server"] ?? env["PATCHBAY_SERVER"]);
  if (server === undefined)
    throw new EdgeRefused("No server is named: --server https://patchbay.example.net, or PATCHBAY_SERVER.");
  const root = rootOf(server);
  const told = flags.poll ?? file["poll"];
  const polls = told !== undefined || new URL(root).hostname === "api.cloudflare.com";
  if (polls && role === "provider")
    throw new EdgeRefused("A provider follows a Patchbay's log; only a customer can poll (--poll).");
  const name = textOf("name", flags.name ?? file["name"]) ?? hostname();
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new EdgeRefused(
      `The edge's name is ${name}: give it one of letters, digits, dots and dashes with --name.`,
    );
  const driver = oneOf<DriverName>("driver", flags.driver ?? file["driver"], ["kernel", "userspace"]);
  const rates = membersOf("rates", file["rates"]);
  return {
    server: root,
    account: textOf("account", flags.account ?? file["account"] ?? env["PATCHBAY_ACCOUNT"]),
    token: tokenOf(flags, file, env),
    poll: polls ? seconds("poll", told ?? 30) * 1000 : undefined,
    only: setOf(flags.interconnect ?? listOf("interconnects", file["interconnects"])),
    links: new Map(
      Object.entries(membersOf("links", file["links"])).map(([key, link]) => [key, linkOf(key, link)]),
    ),
    metricsPort: portOf(flags.metricsPort ?? file["metrics_port"]),
    logLevel: textOf("log_level", flags.logLevel ?? file["log_level"] ?? env["PATCHBAY_LOG_LEVEL"]) ?? "info",
    edge: {
      name,
      site: textOf("site", flags.site ?? file["site"]) ?? "default",
      region: textOf("region", file["region"]),
      role,
      driver: driver ?? "kernel",
      map: mapOf(flags.map ?? [], membersOf("map", file["map"])),
      stateDirectory: stateDirectoryOf(flags, env),
      manageSysctls: flags.manageSysctls ?? flagOf("manage_sysctls", file["manage_sysctls"]),
      sameSite: file["same_site"] === undefined ? [] : lists("same_site", file["same_site"]),
      rates: {
        low: rates["low"] === undefined ? USUAL_RATES.low : seconds("rates.low", rates["low"]) * 1000,
        mid: rates["mid"] === undefined ? USUAL_RATES.mid : seconds("rates.mid", rates["mid"]) * 1000,
        high: rates["high"] === undefined ? USUAL_RATES.high : seconds("rates.high", rates["high"]) * 1000,
      },
      probeSource: textOf("probe_source", file["probe_source"]),
      healthTimeScale:
        file["health_time_scale"] === undefined ? 1 : seconds("health_time_scale", file["health_time_scale"]),
      bird: birdOf(file["bird"]),
      bgpKeys: new Map(
        Object.entries(membersOf("bgp_keys", file["bgp_keys"])).map(([key, value]) => [key, String(value)]),
      ),
      providerAsn: numberOf("provider_asn", file["provider_asn"]) ?? 13335,
    },
  };
}

function readFile(path: string): Members {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new EdgeRefused(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  let parsed: unknown;
  try {
    parsed = parseYaml(text) ?? {};
  } catch (error) {
    throw new EdgeRefused(`${path} is no YAML: ${error instanceof Error ? error.message : error}`);
  }
  const members = membersOf(path, parsed);
  const known: readonly string[] = KEYS;
  for (const key of Object.keys(members))
    if (!known.includes(key))
      throw new EdgeRefused(`${path}: there is no setting ${key}.${didYouMean(key, known)}`);
  return members;
}

function tokenOf({ token, tokenFile }: EdgeFlags, file: Members, env: Environment): string {
  const path = tokenFile ?? textOf("token_file", file["token_file"]);
  const found = token || (path === undefined ? env["PATCHBAY_TOKEN"] : readToken(path));
  if (found) return found;
  throw new EdgeRefused(
    "No token: set PATCHBAY_TOKEN, or give --token-file or --token. `patchbay token` makes one for an edge.",
  );
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new EdgeRefused(
      `The token's file cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** Both `https://host` and `https://host/client/v4` are understood. */
function rootOf(server: string): string {
  const root = server.replace(/\/+$/, "").replace(/\/client\/v4$/, "");
  if (!URL.canParse(root) || !/^https?:$/.test(new URL(root).protocol))
    throw new EdgeRefused(
      `The server's address is ${server}: it is to be like https://patchbay.example.net.`,
    );
  return root;
}

function mapOf(flags: readonly string[], file: Members): ReadonlyMap<string, string> {
  const map = new Map(Object.entries(file).map(([key, device]) => [key, String(device)]));
  for (const flag of flags) {
    const [, key, device] = /^(.+)=([^=]+)$/.exec(flag) ?? [];
    if (key === undefined || device === undefined)
      throw new EdgeRefused(
        `--map ${flag}: it is to be like --map SLOT=eth1, with a slot, a port or an interconnect.`,
      );
    map.set(key, device);
  }
  for (const [key, device] of map)
    if (!/^[^\s/]{1,15}$/.test(device))
      throw new EdgeRefused(`${key} is mapped to ${device}, which no device can be called.`);
  return map;
}

function birdOf(value: unknown): EdgeConfig["bird"] {
  if (value === undefined) return undefined;
  const { include, reload, control, template: from } = membersOf("bird", value);
  const file = textOf("bird.include", include);
  if (file === undefined)
    throw new EdgeRefused("bird: include is to name the file that BIRD's configuration includes.");
  const template = textOf("bird.template", from);
  if (template !== undefined && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(template))
    throw new EdgeRefused(`bird.template is ${template}: it is to be the name of a template of BIRD's.`);
  return {
    include: file,
    reload: flagOf("bird.reload", reload),
    control: textOf("bird.control", control),
    template,
  };
}

function linkOf(name: string, value: unknown): { provider: string; customer: string } {
  const members = membersOf(`links.${name}`, value);
  const [provider, customer] = [
    textOf("provider", members["provider"]),
    textOf("customer", members["customer"]),
  ];
  if (provider === undefined || customer === undefined)
    throw new EdgeRefused(
      `links.${name} is to have provider and customer, each an address with a prefix length.`,
    );
  return { provider, customer };
}

function membersOf(what: string, value: unknown): Members {
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  throw new EdgeRefused(`${what} is to be a mapping.`);
}

function listOf(what: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(String);
  throw new EdgeRefused(`${what} is to be a list.`);
}

function lists(what: string, value: unknown): readonly (readonly string[])[] {
  if (Array.isArray(value)) return value.map((one) => listOf(what, one) ?? []);
  throw new EdgeRefused(`${what} is to be a list of lists of interconnects' names.`);
}

function setOf(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names === undefined || names.length === 0 ? undefined : new Set(names);
}

function textOf(what: string, value: unknown): string | undefined {
  if (value === undefined || value === "") return undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new EdgeRefused(`${what} is to be a text.`);
}

function flagOf(what: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  throw new EdgeRefused(`${what} is to be true or false.`);
}

function numberOf(what: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new EdgeRefused(`${what} is to be a whole number, not ${value}.`);
}

function portOf(value: unknown): number | undefined {
  if (value === undefined || value === "off") return undefined;
  const port = numberOf("metrics_port", value);
  if (port !== undefined && port < 65536) return port;
  throw new EdgeRefused(`The port of the metrics is ${value}: it is to be one from 0 to 65535, or off.`);
}

function seconds(what: string, value: unknown): number {
  const number = Number(value);
  if (Number.isFinite(number) && number > 0 && number <= 86_400) return number;
  throw new EdgeRefused(`${what} is to be a number above 0, not ${value}.`);
}

function oneOf<T extends string>(what: string, value: unknown, known: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  throw new EdgeRefused(`The ${what} is ${value}: it is to be ${known.join(" or ")}.`);
}
