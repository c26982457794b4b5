/** The bytes of GRE (RFC 2784, RFC 2890) and of the outer headers before it. */

import { parseAddress4, parseAddress6 } from "../../contract/addresses.ts";

/** Bytes of an outer header and of GRE without options. */
export const HEADER4 = 24;
export const HEADER6 = 44;
/** Protocols inside. */
export const PROTOCOL_IP = 0x0800;
export const PROTOCOL_IPV6 = 0x86dd;

const GRE = 47;
const DONT_FRAGMENT = 0x4000;
const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const VERSION = 0x0007;

/**
 * What stands before every inner packet of a tunnel but lengths, checksum and the protocol inside: of IPv4 the kernel
 * writes length, identification and checksum (`raw(7)`). `undefined` if the ends are not of one family.
 */
export function outerHeader(local: string, remote: string, ttl: number): Buffer | undefined {
  const from4 = parseAddress4(local);
  const to4 = parseAddress4(remote);
  if (from4 !== undefined && to4 !== undefined) {
    const header = Buffer.alloc(HEADER4);
    header[0] = 0x45;
    header.writeUInt16BE(DONT_FRAGMENT, 6);
    header[8] = ttl;
    header[9] = GRE;
    header.writeUInt32BE(from4, 12);
    header.writeUInt32BE(to4, 16);
    return header;
  }
  const from6 = parseAddress6(local);
  const to6 = parseAddress6(remote);
  if (from6 === undefined || to6 === undefined) return undefined;
  const header = Buffer.alloc(HEADER6);
  header[0] = 0x60;
  header[6] = GRE;
  header[7] = ttl;
  writeAddress6(header, from6, 8);
  writeAddress6(header, to6, 24);
  return header;
}

export function writeAddress6(bytes: Buffer, address: bigint, at: number): void {
  bytes.writeBigUInt64BE(address >> 64n, at);
  bytes.writeBigUInt64BE(address & 0xffff_ffff_ffff_ffffn, at + 8);
}

/** Where the inner packet begins. `undefined` if it is none that a tunnel of ours could carry. */
export function payloadAt(packet: Buffer, at: number, length: number): number | undefined {
  if (length < at + 4) return undefined;
  const flags = packet.readUInt16BE(at);
  if ((flags & (ROUTING | VERSION)) !== 0) return undefined;
  const protocol = packet.readUInt16BE(at + 2);
  if (protocol !== PROTOCOL_IP && protocol !== PROTOCOL_IPV6) return undefined;
  let payload = at + 4;
  for (const flag of [CHECKSUM, KEY, SEQUENCE]) if ((flags & flag) !== 0) payload += 4;
  return payload < length ? payload : undefined;
}
