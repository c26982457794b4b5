/** A world that is worth looking at: many interconnects at several sites, and an hour of health. */

import { HEALTH, reportOf } from "./edge-report.ts";
import { OWN_TOKEN } from "./seeds.ts";
import { ACCOUNT, type TestServer } from "./server.ts";
import { addressOf, idOf } from "./worlds.ts";

const SITES = ["ams", "fra", "iad", "lhr", "ord", "sin"] as const;
const MINUTE = 60_000;
/** The server takes as many at once. */
const MOST = 10_000;

const siteOf = (number: number) => SITES[number % SITES.length] ?? "ams";
/** `pni_ord_0004`: the site and the number. */
export const nameOf = (number: number) => `pni_${siteOf(number)}_${String(number).padStart(4, "0")}`;

/** Every 37th is down, every 11th degraded. */
export function stateOf(number: number): "down" | "degraded" | "healthy" {
  if (number % 37 === 5) return "down";
  return number % 11 === 3 ? "degraded" : "healthy";
}

/** A seed of that many interconnects, in an account that `OWN_TOKEN` may do everything in. */
export function dashboardSeed(count: number): string {
  const lines = ["accounts:", `  - id: ${ACCOUNT}`, "    name: Backbone", "    interconnects:"];
  for (let number = 0; number < count; number++) {
    lines.push(
      `      - id: "${idOf(number)}"`,
      `        name: ${nameOf(number)}`,
      `        colo_name: ${siteOf(number)}0${1 + (Math.floor(number / 6) % 3)}`,
      '        version: "1"',
      `        description: ${["Transit", "Peering", "Backup"][number % 3]} of customer ${1000 + number}`,
      `        interface_address: ${addressOf(number)}`,
      `        mtu: ${number % 9 === 4 ? 1400 : 1476}`,
      "        gre: { cloudflare_endpoint: 203.0.113.1 }",
      "        health_check: { rate: low, type: request, target: 203.0.113.1 }",
    );
  }
  lines.push(
    "tokens:",
    `  - id: "${idOf(1)}"`,
    "    name: network team",
    `    value: ${OWN_TOKEN}`,
    "    policies:",
    "      - effect: allow",
    '        accounts: ["*"]',
    "        permission_groups: [Magic WAN Write, Patchbay Admin, Patchbay Read]",
  );
  return `${lines.join("\n")}\n`;
}

/** Reports the hour until now of the first so many interconnects, and the states of all, as one edge. */
export async function reportHour(
  server: Pick<TestServer, "ask">,
  count: number,
  measured = count,
  now = Date.now(),
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const minutes = numbers.slice(0, measured).flatMap((number) => hourOf(number, now));
  const told = { edge: "core-1", site: "core" };
  const states = numbers.map((number) => ({
    interconnect: idOf(number),
    state: stateOf(number),
    since: new Date(now - ((number * 7919) % 5000) * MINUTE - 12_000).toISOString(),
    reason: `it is ${stateOf(number)}`,
  }));
  const token = OWN_TOKEN;
  for (let at = 0; at < minutes.length; at += MOST) {
    const body = reportOf({ ...told, minutes: minutes.slice(at, at + MOST) });
    await server.ask("POST", `${HEALTH}/reports`, { body, token });
  }
  await server.ask("POST", `${HEALTH}/reports`, { body: reportOf({ ...told, states }), token });
}

function hourOf(number: number, now: number) {
  const state = stateOf(number);
  const base = 2 + ((number * 13) % 60);
  return Array.from({ length: 60 }, (_, ago) => {
    const minute = new Date(Math.floor(now / MINUTE) * MINUTE - (ago + 1) * MINUTE).toISOString();
    const wave = Math.abs(Math.sin(number * 1.7 + ago * 0.37) * Math.sin(number + ago * 0.11));
    const lost =
      state === "down" && ago < 9 ? 6 : state === "degraded" && (ago * (number + 3)) % 7 === 1 ? 1 : 0;
    const median = Math.round((base + wave * base * 0.2) * 1000) / 1000;
    const latency = lost === 6 ? null : { min: base, median, p99: median * 1.4 };
    return { interconnect: idOf(number), minute, sent: 6, lost, latency, jitter: lost === 6 ? null : 0.1 };
  });
}
