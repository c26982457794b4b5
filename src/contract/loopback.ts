/** Loopback names and addresses. */

import { contains, parseHost, parsePrefix } from "./addresses.ts";

const loopback4 = parsePrefix("127.0.0.0/8");

/** Is this a loopback name or address? */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "");
  return (
    name === "localhost" || name === "::1" || name.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(name)
  );
}

/** Is this a loopback address? */
export function isLoopbackAddress(address: string): boolean {
  const host = parseHost(address);
  if (host?.family === 6) return host.address === 1n;
  return host !== undefined && loopback4 !== undefined && contains(loopback4, host);
}
