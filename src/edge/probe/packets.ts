/**
 * The packets of probes: an IPv4 header of 20 bytes, ICMP of 64 (8 and 56 of data), as captures of the vendor's show.
 *
 * ICMP echo request (type 8) or, in reply style, an echo reply (type 0) that is addressed to the prober itself and that
 * the other end only routes back. Code and sequence number are 0, the identifier is the prober's own. What the vendor
 * does not show is ours: time to live 64, "don't fragment" with identification 0, service class 0; and in the data the
 * word `patchbay`, four bytes of the prober, eight of the probe (where it is kept, and a random word), zeros.
 */

export const PACKET_LENGTH = 84;
const IP_LENGTH = 20;
const ICMP_LENGTH = PACKET_LENGTH - IP_LENGTH;
/** Where things stand in the packet. */
const AT = { checksum: IP_LENGTH + 2, magic: IP_LENGTH + 8, slot: IP_LENGTH + 20, cookie: IP_LENGTH + 24 };

const ICMP = 1;
export const ECHO_REPLY = 0;
export const ECHO_REQUEST = 8;
/** `patchbay`. */
const MAGIC_HIGH = 0x70617463;
const MAGIC_LOW = 0x68626179;

/** Which prober of this machine a probe is of: two never take each other's answers. */
export interface ProberIdentity {
  /** ICMP's identifier, 16 bits. */
  readonly id: number;
  /** 32 bits. */
  readonly word: number;
}

/** A probe but for what is different each time. Addresses as numbers. */
export function template(
  { source, destination, type }: { source: number; destination: number; type: "reply" | "request" },
  { id, word }: ProberIdentity,
): Buffer {
  const packet = Buffer.alloc(PACKET_LENGTH);
  packet[0] = 0x45;
  packet.writeUInt16BE(PACKET_LENGTH, 2);
  packet.writeUInt16BE(0x4000, 6);
  packet[8] = 64;
  packet[9] = ICMP;
  packet.writeUInt32BE(source, 12);
  packet.writeUInt32BE(destination, 16);
  packet.writeUInt16BE(folded(sumOf(packet, 0, IP_LENGTH)) ^ 0xffff, 10);
  packet[IP_LENGTH] = type === "reply" ? ECHO_REPLY : ECHO_REQUEST;
  packet.writeUInt16BE(id, IP_LENGTH + 4);
  packet.writeUInt32BE(MAGIC_HIGH, AT.magic);
  packet.writeUInt32BE(MAGIC_LOW, AT.magic + 4);
  packet.writeUInt32BE(word, AT.magic + 8);
  return packet;
}

/** The sum of the template's ICMP, to which `stamp` adds what it writes. */
export function sumOfTemplate(packet: Buffer): number {
  return sumOf(packet, IP_LENGTH, ICMP_LENGTH);
}

/** Makes the probe of a template: where it is kept, its random word, and the checksum. */
export function stamp(packet: Buffer, templateSum: number, slot: number, cookie: number): void {
  packet.writeUInt32BE(slot, AT.slot);
  packet.writeUInt32BE(cookie, AT.cookie);
  const sum = templateSum + (slot >>> 16) + (slot & 0xffff) + (cookie >>> 16) + (cookie & 0xffff);
  packet.writeUInt16BE(folded(sum) ^ 0xffff, AT.checksum);
}

/** What an answer says; one object for all, since there are many of them. */
export class Answer {
  source = 0;
  destination = 0;
  slot = 0;
  cookie = 0;
}

/** Reads an answer to this prober: an echo reply, whole, unchanged and with correct checksums. */
export function readAnswer(
  packet: Buffer,
  received: number,
  { id, word }: ProberIdentity,
  into: Answer,
): boolean {
  const header = ((packet[0] ?? 0) & 15) * 4;
  if ((packet[0] ?? 0) >> 4 !== 4 || header < IP_LENGTH || received < header + ICMP_LENGTH) return false;
  if (packet.readUInt16BE(2) !== header + ICMP_LENGTH || packet[9] !== ICMP) return false;
  if ((packet.readUInt16BE(6) & 0x3fff) !== 0) return false;
  if (packet[header] !== ECHO_REPLY || packet[header + 1] !== 0 || packet.readUInt16BE(header + 6) !== 0)
    return false;
  if (packet.readUInt16BE(header + 4) !== id || packet.readUInt32BE(header + 16) !== word) return false;
  if (packet.readUInt32BE(header + 8) !== MAGIC_HIGH || packet.readUInt32BE(header + 12) !== MAGIC_LOW)
    return false;
  if (folded(sumOf(packet, 0, header)) !== 0xffff) return false;
  if (folded(sumOf(packet, header, ICMP_LENGTH)) !== 0xffff) return false;
  into.source = packet.readUInt32BE(12);
  into.destination = packet.readUInt32BE(16);
  into.slot = packet.readUInt32BE(header + 20);
  into.cookie = packet.readUInt32BE(header + 24);
  return true;
}

/** The sum of 16-bit words of RFC 1071, not yet folded. `length` is even. */
function sumOf(bytes: Buffer, from: number, length: number): number {
  let sum = 0;
  for (let at = from; at < from + length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return sum;
}

function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + (rest >>> 16);
  return rest;
}

/**
 * A filter in the kernel's oldest language, so that an answer to this prober is all that a socket is woken for: IPv4 and
 * ICMP, no later fragment, an echo reply, `patchbay` and the prober's word where the data begins.
 */
export function answerFilter({ word }: ProberIdentity): Buffer {
  const [LOAD_HALF, LOAD_BYTE] = [0x28, 0x30];
  const [WORD_AFTER_HEADER, BYTE_AFTER_HEADER] = [0x40, 0x50];
  const [HEADER_LENGTH, SHIFT_RIGHT, IF_EQUAL, IF_SET, RETURN] = [0xb1, 0x74, 0x15, 0x45, 0x06];
  type Step = readonly [code: number, value: number, no?: "if not, refuse" | "if so, refuse"];
  const program: readonly Step[] = [
    [LOAD_BYTE, 0],
    [SHIFT_RIGHT, 4],
    [IF_EQUAL, 4, "if not, refuse"],
    [LOAD_BYTE, 9],
    [IF_EQUAL, ICMP, "if not, refuse"],
    [LOAD_HALF, 6],
    [IF_SET, 0x1fff, "if so, refuse"],
    [HEADER_LENGTH, 0],
    [BYTE_AFTER_HEADER, 0],
    [IF_EQUAL, ECHO_REPLY, "if not, refuse"],
    [WORD_AFTER_HEADER, 8],
    [IF_EQUAL, MAGIC_HIGH, "if not, refuse"],
    [WORD_AFTER_HEADER, 12],
    [IF_EQUAL, MAGIC_LOW, "if not, refuse"],
    [WORD_AFTER_HEADER, 16],
    [IF_EQUAL, word, "if not, refuse"],
    [RETURN, 0xffff],
    [RETURN, 0],
  ];
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, value, otherwise], index) => {
    const refuse = program.length - 2 - index;
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(otherwise === "if so, refuse" ? refuse : 0, index * 8 + 2);
    bytes.writeUInt8(otherwise === "if not, refuse" ? refuse : 0, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  });
  return bytes;
}
