/** Reads parts of the kernel, each by one command for everything that is asked of its kind. */

import { readFileSync } from "node:fs";
import type { NextHop, Rule } from "../desired/desired.ts";
import { ROUTE_PROTOCOL } from "../desired/desired.ts";
import { MAIN_TABLE } from "../desired/static-routes.ts";
import type { Carried, Link } from "../drivers/driver.ts";
import type { ActualRoute } from "../plan/actual.ts";
import { digest } from "../plan/tables.ts";
import { failures, isGone } from "./batch.ts";
import { CommandFailed, type Commands } from "./commands.ts";
import { numberOf, type Row, rowOf, rows, rowsOf, textOf, textsOf } from "./json.ts";

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

export interface Device {
  readonly link: Link;
  readonly addresses: ReadonlySet<string>;
}

/** All devices by name, or only those that are named and there. */
export async function readDevices(
  commands: Commands,
  names?: readonly string[],
): Promise<ReadonlyMap<string, Device>> {
  const lists = names
    ? (await readNamed(commands, names)).split("\n")
    : [await commands.run("ip", ["-j", "-d", "addr", "show"])];
  const found = lists.flatMap(rows).map((row) => {
    const link = linkOf(row);
    return [link.name, { link, addresses: new Set(rowsOf(row["addr_info"]).flatMap(addressOf)) }] as const;
  });
  return new Map(found);
}

/** One list a line; of a device that is not there it says so, and goes on. */
async function readNamed(commands: Commands, names: readonly string[]): Promise<string> {
  const lines = names.map((name) => `addr show dev ${name}\n`).join("");
  try {
    return await commands.run("ip", ["-j", "-d", "-force", "-batch", "-"], lines);
  } catch (error) {
    const missing = error instanceof CommandFailed ? [...failures(error.stderr).values()] : [];
    if (error instanceof CommandFailed && missing.length > 0 && missing.every(isGone)) return error.stdout;
    throw error;
  }
}

/** Those of our protocol. */
export async function readRoutes(commands: Commands): Promise<readonly ActualRoute[]> {
  const args = ["-j", "-N", "route", "show", "table", "all", "proto", String(ROUTE_PROTOCOL)];
  return rows(await commands.run("ip", args)).map(routeOf);
}

/** Those of our protocol. */
export async function readRules(commands: Commands): Promise<readonly Rule[]> {
  const [four, six] = await Promise.all([
    commands.run("ip", ["-j", "-N", "rule", "show"]),
    // Without IPv6 there is none of it.
    commands.run("ip", ["-j", "-N", "-6", "rule", "show"]).catch(nothing),
  ]);
  return [...rows(four).flatMap(ruleOf(4)), ...rows(six).flatMap(ruleOf(6))];
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

/** Here by reading files; inside a namespace by a command that does. What the kernel does not have is not in it. */
export async function readSettings(
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
