/**
 * Strict parsing of IP addresses and prefixes.
 *
 * One parser for every address on the wire, because the well-known ones accept forms that routers
 * and people read differently (`010.0.0.1`, `1.2`, `0x7f.1`, `fe80::1%eth0`). Nothing here is
 * lenient: what is not exactly an address is `undefined`.
 *
 * IPv4 addresses are unsigned 32-bit numbers, IPv6 addresses 128-bit bigints, in network order.
 */

export interface Prefix4 {
  readonly family: 4;
  /** The address as written, host bits included. */
  readonly address: number;
  readonly length: number;
}

export interface Prefix6 {
  readonly family: 6;
  readonly address: bigint;
  readonly length: number;
}

export type Prefix = Prefix4 | Prefix6;

/** An IPv4 address in dotted decimal: four octets, no leading zeros, nothing around them. */
export function parseAddress4(text: string): number | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  let address = 0;
  let octet = -1;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (digits === 0 || ++dots > 3) return undefined;
      address = address * 256 + octet;
      octet = -1;
      digits = 0;
    } else if (code >= 48 && code <= 57) {
      if (octet === 0 || digits === 3) return undefined;
      octet = (digits === 0 ? 0 : octet * 10) + code - 48;
      if (octet > 255) return undefined;
      digits++;
    } else return undefined;
  }
  if (dots !== 3 || digits === 0) return undefined;
  return address * 256 + octet;
}

export function formatAddress4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** An IPv6 address in the text forms of RFC 4291 section 2.2, without a zone. */
export function parseAddress6(text: string): bigint | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  const gap = text.indexOf("::");
  if (gap === -1) {
    const groups = parseGroups(text);
    return groups?.length === 8 ? joinGroups(groups) : undefined;
  }
  if (text.indexOf("::", gap + 1) !== -1) return undefined;
  const head = gap === 0 ? [] : parseGroups(text.slice(0, gap), false);
  const tail = gap + 2 === text.length ? [] : parseGroups(text.slice(gap + 2));
  if (!head || !tail || head.length + tail.length > 7) return undefined;
  const zeros = new Array<number>(8 - head.length - tail.length).fill(0);
  return joinGroups([...head, ...zeros, ...tail]);
}

/** Groups of one to four hexadecimal digits between colons; the last two may be written as an IPv4 address. */
function parseGroups(text: string, mayEndInAddress4 = true): number[] | undefined {
  const groups: number[] = [];
  let group = 0;
  let digits = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const digit = hexDigit(code);
    if (digit !== undefined && digits < 4) {
      group = group * 16 + digit;
      digits++;
    } else if (code === COLON && digits > 0 && at + 1 < text.length) {
      groups.push(group);
      group = 0;
      digits = 0;
      start = at + 1;
    } else if (code === DOT && mayEndInAddress4) {
      const address = parseAddress4(text.slice(start));
      if (address === undefined || groups.length > 6) return undefined;
      groups.push(address >>> 16, address & 0xffff);
      return groups;
    } else return undefined;
  }
  if (digits === 0) return undefined;
  groups.push(group);
  return groups.length > 8 ? undefined : groups;
}

const COLON = 58;
const DOT = 46;

function hexDigit(code: number): number | undefined {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  return code >= 65 && code <= 70 ? code - 55 : undefined;
}

/** Of eight groups. In pairs, since each step with a bigint makes one. */
function joinGroups(groups: readonly number[]): bigint {
  const pair = (at: number) => BigInt((groups[at] ?? 0) * 65536 + (groups[at + 1] ?? 0));
  return (((((pair(0) << 32n) | pair(2)) << 32n) | pair(4)) << 32n) | pair(6);
}

/** The canonical text of RFC 5952: lower case, the longest run of two or more zero groups as `::`. */
export function formatAddress6(address: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((address >> BigInt(112 - 16 * i)) & 0xffffn));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    if (end > i) i = end;
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  return start === -1
    ? text(groups)
    : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** An IPv4 or IPv6 address, in canonical text. */
export function canonicalAddress(text: string): string | undefined {
  if (parseAddress4(text) !== undefined) return text;
  const address = parseAddress6(text);
  return address === undefined ? undefined : formatAddress6(address);
}

/** An IPv4 address that is mapped into IPv6, as sockets tell it, as what it is; any other text as it is. */
export function unmapped(text: string): string {
  return text.startsWith("::ffff:") && text.includes(".") ? text.slice(7) : text;
}

/** `A.B.C.D/N`. The length has no sign and no leading zero. */
export function parsePrefix4(text: string): Prefix4 | undefined {
  const slash = text.indexOf("/");
  if (slash === -1) return undefined;
  const address = parseAddress4(text.slice(0, slash));
  const length = parseLength(text.slice(slash + 1), 32);
  return address === undefined || length === undefined ? undefined : { family: 4, address, length };
}

/** `addr/N` with an IPv6 address. */
export function parsePrefix6(text: string): Prefix6 | undefined {
  const slash = text.indexOf("/");
  if (slash === -1) return undefined;
  const address = parseAddress6(text.slice(0, slash));
  const length = parseLength(text.slice(slash + 1), 128);
  return address === undefined || length === undefined ? undefined : { family: 6, address, length };
}

export function parsePrefix(text: string): Prefix | undefined {
  return parsePrefix4(text) ?? parsePrefix6(text);
}

/** One address as the prefix of one host. An IPv4 address mapped into IPv6 is taken as what it is. */
export function parseHost(text: string): Prefix | undefined {
  const address = parseAddress4(text);
  if (address !== undefined) return { family: 4, address, length: 32 };
  const address6 = parseAddress6(text);
  return address6 === undefined ? undefined : fromMapped({ family: 6, address: address6, length: 128 });
}

/**
 * A prefix, or an address as the prefix of one host, to compare clients with. Clients' IPv4 addresses are never in mapped
 * form, so `::ffff:10.0.0.0/104` is 10.0.0.0/8. A shorter prefix of a mapped address, which reaches into both families,
 * is none.
 */
export function parseRange(text: string): Prefix | undefined {
  const prefix = parsePrefix(text);
  if (!prefix) return parseHost(text);
  return prefix.family === 6 ? fromMapped(prefix) : prefix;
}

function fromMapped(prefix: Prefix6): Prefix | undefined {
  const { address, length } = prefix;
  if (address >> 32n !== 0xffffn) return prefix;
  return length < 96
    ? undefined
    : { family: 4, address: Number(address & 0xffff_ffffn), length: length - 96 };
}

/** The address of a prefix alone. */
export function formatHost(prefix: Prefix): string {
  return prefix.family === 4 ? formatAddress4(prefix.address) : formatAddress6(prefix.address);
}

function parseLength(text: string, most: number): number | undefined {
  if (!/^(0|[1-9][0-9]{0,2})$/.test(text)) return undefined;
  const length = Number(text);
  return length <= most ? length : undefined;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatHost(prefix)}/${prefix.length}`;
}

/** The prefix with its host bits cleared. */
export function network(prefix: Prefix): Prefix {
  return prefix.family === 4
    ? { family: 4, address: first4(prefix), length: prefix.length }
    : { family: 6, address: first6(prefix), length: prefix.length };
}

function first4(prefix: Prefix4): number {
  const size = 2 ** (32 - prefix.length);
  return Math.floor(prefix.address / size) * size;
}

function first6(prefix: Prefix6): bigint {
  const host = BigInt(128 - prefix.length);
  return (prefix.address >> host) << host;
}

/** Does `outer` hold every address of `inner`? */
export function contains(outer: Prefix, inner: Prefix): boolean {
  if (outer.length > inner.length) return false;
  if (outer.family === 4 && inner.family === 4) {
    return first4(outer) === first4({ ...inner, length: outer.length });
  }
  if (outer.family === 6 && inner.family === 6) {
    return first6(outer) === first6({ ...inner, length: outer.length });
  }
  return false;
}

/**
 * The other host of a point-to-point subnet: of a /31 the neighbour (RFC 3021), of a /30 the other
 * of its two hosts. The address given is the provider's own end.
 */
export function otherHost(prefix: Prefix4): string {
  if (prefix.length === 31) return formatAddress4((prefix.address ^ 1) >>> 0);
  const first = first4(prefix);
  return formatAddress4(prefix.address === first + 1 ? first + 2 : first + 1);
}

/** May a packet be sent to this address as to one host? Not so for 0/8, 127/8, 224/4 and 240/4 (RFC 6890), `::`, `::1`, ff00::/8. */
export function isUnicast(text: string): boolean {
  const address = parseAddress4(text);
  if (address !== undefined) {
    const top = address >>> 24;
    return top !== 0 && top !== 127 && top < 224;
  }
  const address6 = parseAddress6(text);
  return address6 !== undefined && address6 > 1n && address6 >> 120n !== 0xffn;
}
