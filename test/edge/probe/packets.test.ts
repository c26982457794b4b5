/** Packets of probes, byte by byte. */

import { describe, expect, test } from "vitest";
import { parseAddress4 } from "../../../src/contract/addresses.ts";
import {
  Answer,
  answerFilter,
  PACKET_LENGTH,
  readAnswer,
  stamp,
  sumOfTemplate,
  template,
} from "../../../src/edge/probe/packets.ts";

const identity = { id: 0xbeef, word: 0xfffe8001 };

function probe(type: "reply" | "request", slot = 7, cookie = 0xffffffff): Buffer {
  const packet = template(
    { source: parseAddress4("10.100.0.9") ?? 0, destination: parseAddress4("10.100.0.8") ?? 0, type },
    identity,
  );
  stamp(packet, sumOfTemplate(packet), slot, cookie);
  return packet;
}

/** RFC 1071, the slow way: over words with their carries. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += bytes.readUInt16BE(at);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

/** The same packet with one byte changed, and right checksums if they are to be right. */
function changed(at: number, value: number, mend = true): Buffer {
  const packet = probe("reply");
  packet[at] = value;
  if (!mend) return packet;
  packet.writeUInt16BE(0, 10);
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
  packet.writeUInt16BE(0, 22);
  packet.writeUInt16BE(checksum(packet.subarray(20)), 22);
  return packet;
}

describe("a probe", () => {
  test("in reply style is an echo reply with the data of this prober", () => {
    const packet = probe("reply", 7, 0x01020304);
    expect(packet.subarray(0, 10).toString("hex")).toBe("45000054000040004001");
    expect(packet.subarray(12, 20).toString("hex")).toBe("0a6400090a640008");
    expect(packet.subarray(20, 22).toString("hex")).toBe("0000");
    expect(packet.subarray(24).toString("hex")).toBe(
      `beef0000${Buffer.from("patchbay").toString("hex")}fffe80010000000701020304${"00".repeat(36)}`,
    );
    expect(packet).toHaveLength(PACKET_LENGTH);
  });

  test("in request style differs in type and checksum alone", () => {
    const [reply, request] = [probe("reply"), probe("request")];
    const different = [...reply.keys()].filter((at) => reply[at] !== request[at]);
    expect(different).toEqual([20, 22]);
    expect(request[20]).toBe(8);
  });

  test.each([0, 1, 0xffff, 0x10000, 0xffffffff])("its checksums are right with %i in it", (word) => {
    const packet = probe("request", word, (word ^ 0x55aa55aa) >>> 0);
    expect(checksum(packet.subarray(0, 20))).toBe(0);
    expect(checksum(packet.subarray(20))).toBe(0);
  });
});

describe("an answer", () => {
  const read = (packet: Buffer, length = packet.length) => {
    const answer = new Answer();
    return readAnswer(packet, length, identity, answer) ? answer : undefined;
  };

  test("is a reply-style probe that came back, the time to live lower", () => {
    expect(read(changed(8, 63))).toEqual({
      source: parseAddress4("10.100.0.9"),
      destination: parseAddress4("10.100.0.8"),
      slot: 7,
      cookie: 0xffffffff,
    });
  });

  test("may have options in its header", () => {
    const packet = Buffer.concat([
      probe("reply").subarray(0, 20),
      Buffer.from("01010101", "hex"),
      probe("reply").subarray(20),
    ]);
    packet[0] = 0x46;
    packet.writeUInt16BE(88, 2);
    packet.writeUInt16BE(0, 10);
    packet.writeUInt16BE(checksum(packet.subarray(0, 24)), 10);
    expect(read(packet)?.slot).toBe(7);
  });

  test("may be followed by padding", () => {
    expect(read(Buffer.concat([probe("reply"), Buffer.alloc(10)]))?.slot).toBe(7);
  });

  test.each([
    ["another version", 0, 0x65],
    ["another length", 3, 83],
    ["a fragment", 7, 1],
    ["more fragments to come", 6, 0x20],
    ["no ICMP", 9, 17],
    ["a request", 20, 8],
    ["another code", 21, 1],
    ["another identifier", 24, 0],
    ["another sequence number", 27, 1],
    ["another word than patchbay", 28, 0],
    ["the second half of it", 35, 0],
    ["another prober's word", 39, 0],
  ])("is none with %s", (_, at, value) => {
    expect(read(changed(at, value))).toBeUndefined();
  });

  test.each([
    ["the header", 8],
    ["the data", 83],
  ])("is none with a wrong checksum of %s", (_, at) => {
    expect(read(changed(at, 1, false))).toBeUndefined();
  });

  test("is none if it was cut off", () => {
    expect(read(probe("reply"), PACKET_LENGTH - 1)).toBeUndefined();
  });
});

/** The kernel's machine for classic packet filters (`bpf(4)`), as much of it as the filter uses. */
function passes(program: Buffer, packet: Buffer): boolean {
  let [a, x] = [0, 0];
  for (let at = 0; at < program.length / 8; at++) {
    const [code, yes, no] = [
      program.readUInt16LE(at * 8),
      program[at * 8 + 2] ?? 0,
      program[at * 8 + 3] ?? 0,
    ];
    const k = program.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return k !== 0;
    if (code === 0x30) a = packet.readUInt8(k);
    else if (code === 0x28) a = packet.readUInt16BE(k);
    else if (code === 0x74) a >>>= k;
    else if (code === 0xb1) x = (packet.readUInt8(k) & 15) * 4;
    else if (code === 0x50) a = packet.readUInt8(x + k);
    else if (code === 0x40) a = packet.readUInt32BE(x + k);
    else if (code === 0x15) at += a === k ? yes : no;
    else if (code === 0x45) at += (a & k) !== 0 ? yes : no;
    else throw new Error(`code ${code}`);
  }
  throw new Error("ran off its end");
}

describe("the filter in the kernel", () => {
  const filter = answerFilter(identity);

  test("lets answers pass", () => {
    expect(passes(filter, probe("reply"))).toBe(true);
  });

  test.each([
    ["another version", 0, 0x65],
    ["a later fragment", 7, 1],
    ["no ICMP", 9, 17],
    ["a request", 20, 8],
    ["another word", 31, 0],
    ["the second half of it", 35, 0],
    ["another prober's", 39, 0],
  ])("keeps away: %s", (_, at, value) => {
    expect(passes(filter, changed(at, value))).toBe(false);
  });
});
