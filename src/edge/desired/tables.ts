/** The rules for nftables: one text a table, so that a table is replaced only if it changed. */

import type { Role } from "../config.ts";
import type { Realised } from "./desired.ts";
import { RETURN_TABLE, returnTable } from "./return-routing.ts";

export const CLAMP_TABLE = "inet patchbay";
export const REFLECT_TABLE = "netdev patchbay";
/** Every table that is ever ours. */
export const TABLES: readonly string[] = [CLAMP_TABLE, RETURN_TABLE, REFLECT_TABLE];

/** By table. The devices must be there when it is applied. */
export function tables(interconnects: Iterable<Realised>, role: Role): ReadonlyMap<string, string> {
  const sorted = [...interconnects].toSorted((one, other) => (one.device < other.device ? -1 : 1));
  const texts: readonly (readonly [string, string | undefined])[] = [
    [CLAMP_TABLE, clampTable(sorted)],
    [RETURN_TABLE, returnTable(sorted)],
    [REFLECT_TABLE, role === "customer" ? reflectTable(sorted) : undefined],
  ];
  return new Map(texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])));
}

/**
 * Lowers the MSS of connections through an interconnect, both ways: `rt mtu` knows the route of the packet in hand, so
 * what comes in gets the number of its device. The headers take 40 bytes in IPv4 and 60 in IPv6.
 */
function clampTable(interconnects: readonly Realised[]): string | undefined {
  if (interconnects.length === 0) return undefined;
  const byMtu = new Map<number, string[]>();
  for (const { device, mtu } of interconnects) {
    const devices = byMtu.get(mtu);
    if (devices) devices.push(`"${device}"`);
    else byMtu.set(mtu, [`"${device}"`]);
  }
  const sets: string[] = [];
  const rules: string[] = [];
  for (const [mtu, devices] of [...byMtu].toSorted(([one], [other]) => one - other)) {
    sets.push(`  set mtu_${mtu} {
    type ifname
    elements = { ${devices.join(", ")} }
  }`);
    rules.push(
      `    oifname @mtu_${mtu} tcp option maxseg size set rt mtu`,
      `    iifname @mtu_${mtu} meta nfproto ipv4 tcp option maxseg size set ${mtu - 40}`,
      `    iifname @mtu_${mtu} meta nfproto ipv6 tcp option maxseg size set ${mtu - 60}`,
    );
  }
  return `table ${CLAMP_TABLE} {
${sets.join("\n")}
  chain forward {
    type filter hook forward priority mangle; policy accept;
    tcp flags & (syn|rst) == syn jump clamp
  }
  chain clamp {
${rules.join("\n")}
  }
}
`;
}

/**
 * Sends probes of the reply kind back as they came, below the routing code, which takes a packet from one of our own
 * addresses for forged. A port with hardware addresses asks for the neighbour's.
 */
function reflectTable(interconnects: readonly Realised[]): string | undefined {
  const chains = interconnects.map(({ id, device, bare, ends, ends6, reflects }) => {
    const sources = (six: boolean, ours: string) => {
      const others = reflects.filter((address) => address.includes(":") === six && address !== ours);
      return `{ ${[ours, ...others].join(", ")} }`;
    };
    const back = (family: string, address: string) =>
      bare ? `fwd ${family} to ${address} device "${device}"` : `fwd to "${device}"`;
    const rules = [
      `    ip saddr ${sources(false, ends.ours)} ip daddr ${ends.theirs} icmp type echo-reply counter ${back("ip", ends.theirs)}`,
    ];
    if (ends6)
      rules.push(
        `    ip6 saddr ${sources(true, ends6.ours)} ip6 daddr ${ends6.theirs} icmpv6 type echo-reply counter ${back("ip6", ends6.theirs)}`,
      );
    return `  chain reflect_${id} {
    type filter hook ingress device "${device}" priority -500; policy accept;
${rules.join("\n")}
  }`;
  });
  return chains.length === 0 ? undefined : `table ${REFLECT_TABLE} {\n${chains.join("\n")}\n}\n`;
}
