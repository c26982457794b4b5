/** Looks at the kernel: a few commands, each for everything of its kind, at the same time. */

import { readFileSync } from "node:fs";
import type { EdgeConfig } from "../config.ts";
import type { NextHop, Rule } from "../desired/desired.ts";
import { ROUTE_PROTOCOL } from "../desired/desired.ts";
import { MAIN_TABLE } from "../desired/static-routes.ts";
import type { Carried, Link, TunnelDriver } from "../drivers/driver.ts";
import type { Actual, ActualRoute } from "../plan/actual.ts";
import { digest } from "../plan/tables.ts";
import { readBird } from "./bird-file.ts";
import { CommandFailed, type Commands } from "./commands.ts";
import { numberOf, type Row, rowOf, rows, rowsOf, textOf, textsOf } from "./json.ts";

/** What is looked at besides devices, addresses and routes. */
export interface Wanted {
  /** Settings of the kernel, with slashes. */
  readonly settings: readonly string[];
  readonly rules: boolean;
  /** Tables of nftables. */
  readonly tables: readonly string[];
}

export interface Looked extends Wanted {
  readonly commands: Commands;
  readonly driver: TunnelDriver;
  readonly config: Pick<EdgeConfig, "bird" | "stateDirectory">;
}

export async function observe({
  commands,
  driver,
  settings,
  rules,
  tables,
  config,
}: Looked): Promise<Actual> {
  const devices = links(commands);
  const [{ found, addresses }, routes, rules4, rules6, listed, sysctls, text, carried] = await Promise.all([
    devices,
    commands.run("ip", ["-j", "-N", "route", "show", "table", "all", "proto", String(ROUTE_PROTOCOL)]),
    rules ? commands.run("ip", ["-j", "-N", "rule", "show"]) : "",
    // Without IPv6 there is none of it.
    rules ? commands.run("ip", ["-j", "-N", "-6", "rule", "show"]).catch(nothing) : "",
    Promise.all(tables.map(async (table) => [table, await listing(commands, table)] as const)),
    readSettings(commands, settings),
    readBird(config),
    devices.then(({ found: links }) => driver.carried(links)),
  ]);
  return {
    links: found,
    addresses,
    routes: rows(routes).map(routeOf),
    rules: [...rows(rules4).flatMap(ruleOf(4)), ...rows(rules6).flatMap(ruleOf(6))],
    tables: new Map(listed.flatMap(([table, text]) => (text === undefined ? [] : [[table, text] as const]))),
    sysctls,
    carried,
    bird: text,
  };
}

/** The digest of how a table is listed, without counters; `undefined` if it is not there. */
export async function listing(commands: Commands, table: string): Promise<string | undefined> {
  try {
    return digest(await commands.run("nft", ["-s", "list", "table", ...table.split(" ")]));
  } catch (error) {
    if (error instanceof CommandFailed && error.stderr.includes("No such file")) return undefined;
    throw error;
  }
}

function nothing(error: unknown): string {
  if (error instanceof CommandFailed) return "";
  throw error;
}

async function links(commands: Commands): Promise<{
  readonly found: ReadonlyMap<string, Link>;
  readonly addresses: ReadonlyMap<string, ReadonlySet<string>>;
}> {
  const found = new Map<string, Link>();
  const addresses = new Map<string, ReadonlySet<string>>();
  for (const row of rows(await commands.run("ip", ["-j", "-d", "addr", "show"]))) {
    const link = linkOf(row);
    found.set(link.name, link);
    addresses.set(link.name, new Set(rowsOf(row["addr_info"]).flatMap(addressOf)));
  }
  return { found, addresses };
}

function linkOf(row: Row): Link {
  const info = rowOf(row["linkinfo"]);
  const kind = textOf(info["info_kind"]);
  return {
    name: textOf(row["ifname"]),
    mtu: numberOf(row["mtu"]),
    up: textsOf(row["flags"]).includes("UP"),
    alias: textOf(row["ifalias"]),
    group: textOf(row["group"]),
    kind,
    tunnel: kind === "gre" || kind === "ip6gre" ? tunnelOf(rowOf(info["info_data"])) : undefined,
  };
}

function tunnelOf(data: Row): Carried {
  return {
    local: textOf(data["local"]),
    remote: textOf(data["remote"]),
    ttl: numberOf(data["ttl"] ?? data["hoplimit"]),
  };
}

/** Not those that the kernel gives every device for itself. */
function addressOf(row: Row): string[] {
  if (row["family"] === "inet6" && row["scope"] === "link") return [];
  return [`${textOf(row["local"])}/${numberOf(row["prefixlen"])}`];
}

const UNREACHABLE = "7";

function routeOf(row: Row): ActualRoute {
  const destination = textOf(row["dst"]);
  const type = textOf(row["type"]);
  const listed = rowsOf(row["nexthops"]);
  const single = row["dev"] !== undefined && type !== UNREACHABLE && type !== "unreachable" ? [row] : [];
  const ways = listed.length > 0 ? listed : single;
  const hops = ways.filter(({ flags }) => !textsOf(flags).includes("dead")).map(hopOf);
  const six =
    destination.includes(":") || (destination === "default" && (row["pref"] !== undefined || isSix(ways)));
  return {
    family: six ? 6 : 4,
    table: numberOf(row["table"], MAIN_TABLE),
    prefix: prefixOf(destination, six),
    metric: numberOf(row["metric"]),
    hops,
    interconnects: [],
    dead: hops.length === 0 && ways.length > 0,
  };
}

function isSix(ways: readonly Row[]): boolean {
  return ways.some((way) => textOf(way["gateway"]).includes(":"));
}

function prefixOf(destination: string, six: boolean): string {
  if (destination === "default") return six ? "::/0" : "0.0.0.0/0";
  return destination.includes("/") ? destination : `${destination}/${six ? 128 : 32}`;
}

function hopOf(row: Row): NextHop {
  const via = textOf(row["gateway"]);
  return {
    via: via === "" ? undefined : via,
    device: textOf(row["dev"]),
    weight: numberOf(row["weight"], 1),
  };
}

function ruleOf(family: 4 | 6): (row: Row) => Rule[] {
  return (row) => {
    if (numberOf(row["protocol"]) !== ROUTE_PROTOCOL) return [];
    const mark = numberOf(row["fwmark"]);
    return [
      { family, preference: numberOf(row["priority"]), mark, table: numberOf(row["table"], MAIN_TABLE) },
    ];
  };
}

const SETTINGS = "/proc/sys/";

/** Here by reading files; inside a namespace by a command that does. */
async function readSettings(
  commands: Commands,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (keys.length === 0) return new Map();
  if (commands.namespace === undefined)
    // From memory, not from a disk.
    return new Map(keys.flatMap((key) => pairOf(key, readSetting(key))));
  const paths = keys.map((key) => SETTINGS + key);
  const printed = await commands.run("grep", ["-s", "", "/dev/null", ...paths]).catch(printedAnyway);
  return new Map(
    printed.split("\n").flatMap((line) => {
      const colon = line.lastIndexOf(":");
      return pairOf(line.slice(SETTINGS.length, colon), line.slice(colon + 1));
    }),
  );
}

function readSetting(key: string): string | undefined {
  try {
    return readFileSync(SETTINGS + key, "utf8");
  } catch {
    return undefined;
  }
}

/** Where one file is missing, the others are printed all the same. */
function printedAnyway(error: unknown): string {
  if (error instanceof CommandFailed) return error.stdout;
  throw error;
}

function pairOf(key: string, value: string | undefined): (readonly [string, string])[] {
  return value === undefined || key === "" ? [] : [[key, value.trim()]];
}
