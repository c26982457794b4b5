/** The world that is measured: one account with 10,000 interconnects, and bodies that change them. */

import { demo } from "../src/server/demo.ts";

export const COUNT = 10_000;
export const ACCOUNT = demo.account;
export const TOKEN = demo.token;
export const LIST = `/client/v4/accounts/${ACCOUNT}/magic/cf_interconnects`;

export function idOf(index: number): string {
  return index.toString(16).padStart(32, "0");
}

export function subnetOf(index: number): string {
  return `10.${Math.floor(index / 32_768)}.${Math.floor(index / 128) % 256}.${(index % 128) * 2}/31`;
}

/** A /31 of its own, within 100.64.0.0/10. */
function linkOf(index: number): { p2p_ip: string; cust_ip: string } {
  const host = (last: number) =>
    `100.${64 + (index >> 15)}.${(index >> 7) & 255}.${((index & 127) << 1) + last}/31`;
  return { p2p_ip: host(0), cust_ip: host(1) };
}

/** A seed in JSON, which is YAML. */
export function seedText(count = COUNT): string {
  const interconnects = Array.from({ length: count }, (_, index) => ({
    id: idOf(index),
    name: `pni_${index}`,
    colo_name: `pni_${index}`,
    description: `Interconnect number ${index}`,
    version: "1",
    interface_address: subnetOf(index),
    interface_address6: `2606:54c1:7:0:a9fe:12d2:${(1 + (index >> 12)).toString(16)}:${((index & 4095) * 2).toString(16)}/127`,
    mtu: 1476,
    gre: { cloudflare_endpoint: "203.0.113.1" },
    health_check: { enabled: true, rate: "mid", type: "reply", target: "192.0.2.1" },
    virtual_port_reservation_id: idOf(index),
    link: linkOf(index),
  }));
  return JSON.stringify({
    accounts: [
      { id: ACCOUNT, name: "bench", virtual_subnet6: "2606:54c1:7:0:a9fe:12d2::/127", interconnects },
    ],
    users: [],
    tokens: [
      {
        id: "f".repeat(32),
        name: "bench",
        value: TOKEN,
        policies: [
          { effect: "allow", accounts: ["*"], permission_groups: ["Magic WAN Write", "Patchbay Read"] },
        ],
      },
    ],
  });
}

/** A full update of one interconnect. Every `turn` carries values of its own, so that no write is a repetition. */
export function updateOf(index: number, turn: number): Record<string, unknown> {
  return {
    name: `pni_${index}`,
    description: `Interconnect number ${index}, turn ${turn}`,
    interface_address: subnetOf(index),
    mtu: 1300 + (turn % 150),
    gre: { cloudflare_endpoint: `203.0.113.${1 + (turn % 200)}` },
    automatic_return_routing: false,
    health_check: { enabled: turn % 2 === 0, rate: "low", type: "request", target: "192.0.2.1" },
  };
}

/** Elements spread over the whole account. */
export function bulkOf(size: number, turn: number, count = COUNT): Record<string, unknown>[] {
  const step = Math.floor(count / size);
  return Array.from({ length: size }, (_, at) => {
    const index = (at * step + (turn % step)) % count;
    return { id: idOf(index), ...updateOf(index, turn) };
  });
}

export function request(method: string, path: string, body?: unknown): Buffer {
  const text = body === undefined ? "" : JSON.stringify(body);
  const head = [
    `${method} ${path} HTTP/1.1`,
    "host: localhost",
    `authorization: Bearer ${TOKEN}`,
    ...(body === undefined
      ? []
      : ["content-type: application/json", `content-length: ${Buffer.byteLength(text)}`]),
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${text}`);
}
