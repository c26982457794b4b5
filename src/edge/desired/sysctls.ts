/** Settings of the kernel that an edge needs: those of its devices, and a fixed list of those of the machine. */

import type { Role } from "../config.ts";
import type { Realised, Route, Setting } from "./desired.ts";

/** The effective value is the larger of a device's and that of `all`. */
const STRICT = "Packets that come in by another way than they would go are dropped.";
/** Return routing needs no route to where a flow came from: sites may have the same addresses. */
const UNKNOWN_DROPPED = "Packets from where no route leads are dropped, which return routing could answer.";

/** In the order in which they are set. */
export function sysctls(interconnects: readonly Realised[], routes: readonly Route[], role: Role): Setting[] {
  if (interconnects.length === 0) return [];
  return [
    ...ofMachine(interconnects, routes),
    ...interconnects.flatMap((interconnect) => ofDevice(interconnect, role)),
  ];
}

function ofMachine(interconnects: readonly Realised[], routes: readonly Route[]): Setting[] {
  const six = interconnects.some(({ ends6 }) => ends6 !== undefined);
  const returning = interconnects.some(({ returning }) => returning !== undefined);
  const settings = [on("net/ipv4/ip_forward", "Packets are not forwarded.")];
  if (six) settings.push(on("net/ipv6/conf/all/forwarding", "Packets of IPv6 are not forwarded."));
  settings.push({
    ...on("net/ipv4/conf/all/rp_filter", returning ? UNKNOWN_DROPPED : STRICT),
    value: returning ? "0" : "2",
    fits: returning ? ["0"] : ["0", "2"],
  });
  if (returning) {
    const why = "What this machine answers by itself does not follow return routing.";
    settings.push(on("net/ipv4/fwmark_reflect", why), on("net/ipv4/tcp_fwmark_accept", why));
    if (six) settings.push(on("net/ipv6/fwmark_reflect", why));
  }
  for (const family of [4, 6])
    if (routes.some((route) => route.family === family && route.hops.length > 1))
      settings.push(
        on(
          `net/ipv${family}/fib_multipath_hash_policy`,
          "Flows between two addresses all take one of several ways.",
        ),
      );
  return settings;
}

/** A device of ours goes with its settings; a port was there before, and what it was set to comes back. */
function ofDevice({ device, bare, returning }: Realised, role: Role): Setting[] {
  const setting = (name: string, value: string, fits: readonly string[], why: string): Setting => ({
    key: `net/ipv4/conf/${device}/${name}`,
    value,
    fits,
    device: bare ? undefined : device,
    why,
  });
  const filter = returning
    ? setting("rp_filter", "0", ["0"], UNKNOWN_DROPPED)
    : setting("rp_filter", "2", bare ? ["0", "2"] : ["2"], STRICT);
  if (role !== "customer") return [filter];
  return [
    filter,
    setting(
      "accept_local",
      "1",
      ["1"],
      `Probes of the reply kind that are to be forwarded are dropped on ${device}.`,
    ),
  ];
}

function on(key: string, why: string): Setting {
  return { key, value: "1", fits: ["1"], device: undefined, why };
}
