/**
 * Automatic return routing: what answers a flow leaves by the interconnect that the flow came in by, whatever the
 * routes say, and stays there while the interconnect is away.
 *
 * A flow's number stands in its connection's mark, beside a word of ours in the upper half, so that marks of others
 * mean nothing here. Packets get it in the lower half of their mark, for the rule of that number.
 */

import type { Realised, Route, Rule } from "./desired.ts";

/** Table and preference of the rule of the interconnect with number 0. */
export const FIRST_TABLE = 20_000;
/** Of the route that refuses what the device cannot take: higher than any other, so that it is the last. */
const PIN_METRIC = 4_278_198_272;
/** In the upper half of a connection's mark. */
const OURS = 0x5042_0000;

export const RETURN_TABLE = "inet patchbay_return";

/** The table of each interconnect: its device, and where that is away nothing rather than another way. */
export function returnRoutes(interconnect: Realised): Route[] {
  const { id, device, bare, ends, ends6, returning } = interconnect;
  if (!returning) return [];
  const table = FIRST_TABLE + returning.number;
  return (
    [
      [4, "0.0.0.0/0", ends],
      [6, "::/0", ends6],
    ] as const
  ).flatMap(([family, prefix, way]) => {
    if (!way) return [];
    const common = { family, table, prefix, interconnects: [id] };
    const hop = { via: bare ? way.theirs : undefined, device, weight: 1 };
    return [
      { ...common, metric: family === 6 ? 1024 : 0, hops: [hop] },
      { ...common, metric: PIN_METRIC, hops: [] },
    ];
  });
}

export function returnRules({ ends6, returning }: Realised): Rule[] {
  if (!returning) return [];
  const { number } = returning;
  const rule = { preference: FIRST_TABLE + number, mark: number, table: FIRST_TABLE + number };
  return [{ ...rule, family: 4 }, ...(ends6 ? [{ ...rule, family: 6 } as const] : [])];
}

/**
 * Which packets make or move a flow: a TCP SYN alone, UDP and echo requests from the interconnect. Once a flow has a
 * number, every packet of its first direction does, so that it follows at once where the far side moves it.
 * A service of this machine finds the number on the request (`fwmark_reflect`, `tcp_fwmark_accept`).
 */
export function returnTable(interconnects: readonly Realised[]): string | undefined {
  const devices: string[] = [];
  const numbers: string[] = [];
  const zones: string[] = [];
  for (const { device, returning } of interconnects) {
    if (!returning) continue;
    devices.push(`"${device}"`);
    numbers.push(`"${device}" : ${hex(OURS + returning.number)}`);
    zones.push(`"${device}" : ${returning.zone}`);
  }
  if (devices.length === 0) return undefined;
  return `table ${RETURN_TABLE} {
  set returning {
    type ifname
    elements = { ${devices.join(", ")} }
  }
  map numbers {
    type ifname : mark
    elements = { ${numbers.join(", ")} }
  }
  chain zones {
    type filter hook prerouting priority raw; policy accept;
    ct original zone set iifname map { ${zones.join(", ")} }
  }
  chain arriving {
    type filter hook prerouting priority mangle; policy accept;
    iifname @returning goto first
    ct direction reply ct mark and 0xffff0000 == ${hex(OURS)} meta mark set ct mark and 0x0000ffff
  }
  chain first {
    ct direction reply return
    ct mark and 0xffff0000 == ${hex(OURS)} ct mark set iifname map @numbers
    tcp flags & (fin|syn|rst|ack) == syn ct mark set iifname map @numbers
    meta l4proto udp ct mark set iifname map @numbers
    icmp type echo-request ct mark set iifname map @numbers
    icmpv6 type echo-request ct mark set iifname map @numbers
    fib daddr type local ct mark and 0xffff0000 == ${hex(OURS)} meta mark set ct mark and 0x0000ffff
  }
  chain own {
    type route hook output priority mangle; policy accept;
    ct direction reply ct mark and 0xffff0000 == ${hex(OURS)} meta mark set ct mark and 0x0000ffff
  }
}
`;
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(8, "0")}`;
}
