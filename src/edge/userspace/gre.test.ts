import { expect, test } from "vitest";
import { outerHeader, payloadAt } from "./gre.ts";

test("the outer header of IPv4 forbids cutting and has the TTL", () => {
  expect(outerHeader("192.0.2.1", "192.0.2.2", 64)?.toString("hex")).toBe(
    "4500000000004000402f0000c0000201c000020200000000",
  );
});

test("that of IPv6 likewise", () => {
  expect(outerHeader("2001:db8::1", "2001:db8::2", 7)?.toString("hex")).toBe(
    "6000000000002f0720010db800000000000000000000000120010db800000000000000000000000200000000",
  );
});

test("ends of two families are none of a tunnel", () => {
  expect(outerHeader("192.0.2.1", "2001:db8::2", 64)).toBeUndefined();
});

test.each([
  ["00000800", 4],
  ["000086dd", 4],
  ["80000800", 8],
  ["20000800", 8],
  ["b0000800", 16],
  ["00000806", undefined],
  ["40000800", undefined],
  ["00010800", undefined],
])("after %s the inner packet begins at %s", (header, at) => {
  const packet = Buffer.concat([Buffer.from(header, "hex"), Buffer.alloc(32)]);
  expect(payloadAt(packet, 0, packet.length)).toBe(at);
});

test("a packet that ends within GRE carries nothing", () => {
  const packet = Buffer.from("b0000800000000000000", "hex");
  expect(payloadAt(packet, 0, packet.length)).toBeUndefined();
  expect(payloadAt(packet, 0, 3)).toBeUndefined();
});
