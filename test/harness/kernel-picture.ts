/** The kernel of a host as an edge may change it, in a form that is the same on two hosts that are made the same. */

import type { Host } from "./namespaces.ts";

type Row = Readonly<Record<string, unknown>>;

const SETTINGS = [
  "net.ipv4.ip_forward",
  "net.ipv4.conf.all.rp_filter",
  "net.ipv4.fwmark_reflect",
  "net.ipv4.tcp_fwmark_accept",
  "net.ipv4.fib_multipath_hash_policy",
  "net.ipv6.conf.all.forwarding",
];

/** Sections, each a list of lines in order. */
export async function kernelPicture(host: Host): Promise<Readonly<Record<string, readonly string[]>>> {
  const rows = async (line: string): Promise<Row[]> => JSON.parse((await host.run(line)) || "[]");
  const [links, routes, routes6, rules, rules6, nft, settings] = await Promise.all([
    rows("ip -j -d addr show"),
    rows("ip -j -d route show table all"),
    rows("ip -j -d -6 route show table all"),
    rows("ip -j rule show"),
    rows("ip -j -6 rule show"),
    host.run("nft -s list ruleset"),
    host.run(`sysctl ${SETTINGS.join(" ")}`),
  ]);
  const sorted = (list: readonly Row[]) => list.map((row) => JSON.stringify(row)).sort();
  return {
    links: sorted(links.map(link)),
    routes: sorted([...routes, ...routes6]),
    rules: sorted([...rules, ...rules6]),
    // Which table was made first does not matter: where two look at a packet, their priorities say who is first.
    nft: nft
      .split(/^(?=table )/m)
      .sort()
      .flatMap((table) => table.split("\n")),
    settings: settings.split("\n"),
  };
}

/** Without what is each host's own: indexes, hardware addresses, counts. */
function link(row: Row): Row {
  const { ifname, flags, mtu, operstate, link_type, ifalias, addr_info, linkinfo, txqlen } = row;
  const addresses = (Array.isArray(addr_info) ? addr_info : []).map((one: Row) => {
    const { family, local, prefixlen, scope, label, address, broadcast } = one;
    return { family, local, prefixlen, scope, label, address, broadcast };
  });
  return {
    ifname,
    flags: Array.isArray(flags) ? flags.toSorted() : flags,
    mtu,
    operstate,
    link_type,
    ifalias,
    txqlen,
    linkinfo,
    addresses: addresses.map((one) => JSON.stringify(one)).sort(),
  };
}
