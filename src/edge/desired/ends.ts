/** Which address is whose: the two ends of an interconnect, seen from the side that this edge is on. */

import { formatAddress6, otherHost, parsePrefix4, parsePrefix6 } from "../../contract/addresses.ts";
import type { EdgeInterconnect } from "../account.ts";
import type { Role } from "../config.ts";

/** One address of each side, in one subnet. */
export interface Ends {
  /** Without prefix length, as `theirs`. */
  readonly ours: string;
  readonly theirs: string;
  readonly length: number;
}

/** The interface addresses. The one given is the provider's; `undefined` if it is none. */
export function interfaceEnds(
  { interfaceAddress }: Pick<EdgeInterconnect, "interfaceAddress">,
  role: Role,
): Ends | undefined {
  const prefix = parsePrefix4(interfaceAddress);
  return prefix && seen(addressOf(interfaceAddress), otherHost(prefix), prefix.length, role);
}

/** Those of IPv6: the provider has the first address of the /127. */
export function interfaceEnds6(
  { interfaceAddress6 }: Pick<EdgeInterconnect, "interfaceAddress6">,
  role: Role,
): Ends | undefined {
  const prefix = parsePrefix6(interfaceAddress6 ?? "");
  if (!prefix) return undefined;
  const { address, length } = prefix;
  return seen(formatAddress6(address), formatAddress6(address ^ 1n), length, role);
}

/** The addresses of the link below the tunnel. */
export function linkEnds({ link }: Pick<EdgeInterconnect, "link">, role: Role): Ends | undefined {
  if (!link) return undefined;
  const ours = role === "provider" ? link.provider : link.customer;
  const length = Number(ours.split("/")[1] ?? (ours.includes(":") ? 128 : 32));
  return seen(addressOf(link.provider), addressOf(link.customer), length, role);
}

/** The ends of the tunnel: of the provider its GRE endpoint, of the customer its end of the link. */
export function tunnelEnds(
  { greEndpoint, link }: Pick<EdgeInterconnect, "greEndpoint" | "link">,
  role: Role,
): { readonly local: string; readonly remote: string } | undefined {
  if (greEndpoint === undefined || !link) return undefined;
  const { ours, theirs } = seen(greEndpoint, addressOf(link.customer), 32, role);
  return { local: ours, remote: theirs };
}

function seen(provider: string, customer: string, length: number, role: Role): Ends {
  return role === "provider"
    ? { ours: provider, theirs: customer, length }
    : { ours: customer, theirs: provider, length };
}

/** An address without its prefix length. */
export function addressOf(prefix: string): string {
  return prefix.split("/", 1)[0] ?? prefix;
}
