import { BlockList, isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs as runsOf } from "../../test/harness/runs.ts";
import {
  canonicalAddress,
  contains,
  formatAddress4,
  formatAddress6,
  formatPrefix,
  isUnicast,
  network,
  otherHost,
  type Prefix,
  type Prefix4,
  parseAddress4,
  parseAddress6,
  parsePrefix,
  parsePrefix4,
  parsePrefix6,
  parseRange,
} from "./addresses.ts";

const address4 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff));
/** Zero groups are frequent, so that every place and length of `::` comes up. */
const address6 = fc
  .array(fc.oneof(fc.constant(0), fc.constantFrom(1, 0xf, 0x10, 0xffff), fc.nat(0xffff)), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => groups.reduce((address, group) => (address << 16n) | BigInt(group), 0n));

/** A valid text with a few characters put in, taken out or exchanged. */
function nearly(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const character = fc.constantFrom(..."0123456789abfF:./%-+ xg\u0000\u0661\uff11");
  const slip = fc.record({ at: fc.nat(45), drop: fc.nat(2), add: fc.array(character, { maxLength: 3 }) });
  return fc
    .tuple(text, fc.array(slip, { maxLength: 3 }))
    .map(([start, slips]) =>
      slips.reduce((now, { at, drop, add }) => now.slice(0, at) + add.join("") + now.slice(at + drop), start),
    );
}

const bits4 = (address: number) => address.toString(2).padStart(32, "0");
const bits6 = (address: bigint) => address.toString(2).padStart(128, "0");
const bitsOf = (prefix: Prefix) => (prefix.family === 4 ? bits4(prefix.address) : bits6(prefix.address));

const runs = { numRuns: runsOf(3000) };

describe("an IPv4 address", () => {
  test("is read and written back as the same text", () => {
    fc.assert(
      fc.property(address4, (address) => {
        const text = formatAddress4(address);
        expect(text.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0)).toBe(address);
        expect(parseAddress4(text)).toBe(address);
      }),
      runs,
    );
  });

  test("is what Node takes for one, and nothing else", () => {
    const texts = fc.oneof(
      nearly(address4.map(formatAddress4)),
      fc.ipV4Extended(),
      fc.string({ maxLength: 18 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseAddress4(text) !== undefined).toBe(isIPv4(text));
      }),
      { numRuns: runsOf(10_000) },
    );
  });

  // What the URL parser, inet_aton and many routers read as an address, each in its own way.
  test.each([
    ["a leading zero, decimal to some and octal to others", "010.0.0.1"],
    ["a leading zero in the last octet", "10.0.0.01"],
    ["two zeros", "10.0.00.1"],
    ["a short form", "1.2"],
    ["a short form of three", "10.0.1"],
    ["one number", "167772161"],
    ["hexadecimal", "0x7f.1"],
    ["hexadecimal octets", "0x0a.0x00.0x00.0x01"],
    ["an octet too large", "10.0.0.256"],
    ["an octet much too large", "10.0.0.1000"],
    ["five octets", "10.0.0.0.1"],
    ["an empty octet", "10..0.1"],
    ["a dot at the end", "10.0.0.1."],
    ["a dot at the start", ".10.0.0.1"],
    ["a space", " 10.0.0.1"],
    ["a line's end", "10.0.0.1\n"],
    ["a NUL", "10.0.0.1\u0000"],
    ["a sign", "+10.0.0.1"],
    ["digits of another script", "1\u0660.0.0.1"],
    ["a port", "10.0.0.1:80"],
    ["nothing", ""],
  ])("is not %s: %j", (_, text) => {
    expect(parseAddress4(text)).toBeUndefined();
    expect(canonicalAddress(text)).toBeUndefined();
    expect(isUnicast(text)).toBe(false);
  });

  test("is stricter than the URL parser, which repairs what it is given", () => {
    for (const [given, repaired] of [
      ["010.0.0.1", "8.0.0.1"],
      ["1.2", "1.0.0.2"],
      ["0x7f.1", "127.0.0.1"],
    ] as const) {
      expect(new URL(`http://${given}/`).hostname).toBe(repaired);
      expect(parseAddress4(given)).toBeUndefined();
    }
  });
});

describe("an IPv6 address", () => {
  test("is read and written back as the same number", () => {
    fc.assert(
      fc.property(address6, (address) => {
        expect(parseAddress6(formatAddress6(address))).toBe(address);
      }),
      runs,
    );
  });

  test("is written in the canonical text of RFC 5952, as the URL standard writes it too", () => {
    fc.assert(
      fc.property(address6, (address) => {
        const text = formatAddress6(address);
        expect(`[${text}]`).toBe(new URL(`http://[${text}]/`).hostname);
        const groups = bits6(address).match(/.{16}/g) ?? [];
        const long = groups.map((group) => Number.parseInt(group, 2).toString(16).padStart(4, "0")).join(":");
        expect(`[${text}]`).toBe(new URL(`http://[${long}]/`).hostname);
        expect(parseAddress6(long.toUpperCase())).toBe(address);
      }),
      runs,
    );
  });

  test("has one canonical text, whichever of its spellings was given", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = canonicalAddress(text);
        expect(`[${canonical}]`).toBe(new URL(`http://[${text}]/`).hostname);
        expect(canonicalAddress(String(canonical))).toBe(canonical);
      }),
      runs,
    );
  });

  test("is what Node takes for one, but for zones", () => {
    const texts = fc.oneof(
      nearly(fc.oneof(fc.ipV6(), address6.map(formatAddress6))),
      fc.string({ maxLength: 45 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseAddress6(text) !== undefined).toBe(isIPv6(text) && !text.includes("%"));
      }),
      { numRuns: runsOf(10_000) },
    );
  });

  test.each([
    ["the first of two equal runs", "1:0:0:2:0:0:3:4", "1::2:0:0:3:4"],
    ["the longer of two runs", "1:0:0:2:0:0:0:4", "1:0:0:2::4"],
    ["never a run of one", "1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["not even if it was given so", "1::2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["all of nothing", "0:0:0:0:0:0:0:0", "::"],
    ["the head", "0:0:0:0:0:0:0:1", "::1"],
    ["the tail", "1:0:0:0:0:0:0:0", "1::"],
    ["lower case", "2001:DB8::ABCD", "2001:db8::abcd"],
    ["groups without leading zeros", "2001:0db8::0001", "2001:db8::1"],
    ["an embedded IPv4 address as groups", "::ffff:192.0.2.1", "::ffff:c000:201"],
  ])("shortens %s: %s to %s", (_, given, canonical) => {
    expect(canonicalAddress(given)).toBe(canonical);
  });

  test.each([
    ["a zone", "fe80::1%eth0"],
    ["a zone by number", "fe80::1%1"],
    ["brackets", "[::1]"],
    ["two gaps", "1::2::3"],
    ["three colons", ":::"],
    ["a gap that stands for nothing", "1:2:3:4::5:6:7:8"],
    ["nine groups", "1:2:3:4:5:6:7:8:9"],
    ["seven groups", "1:2:3:4:5:6:7"],
    ["five digits", "12345::"],
    ["a colon at the start", ":1:2:3:4:5:6:7"],
    ["a colon at the end", "1:2:3:4:5:6:7:"],
    ["an IPv4 address in the middle", "::192.0.2.1:1"],
    ["an IPv4 address before the gap", "192.0.2.1::"],
    ["an IPv4 address too many", "1:2:3:4:5:6:7:192.0.2.1"],
    ["an IPv4 address with a leading zero", "::ffff:192.0.2.01"],
    ["an IPv4 address alone", "192.0.2.1"],
    ["a prefix", "::/0"],
    ["spaces", " ::1"],
    ["one colon", ":"],
    ["nothing", ""],
  ])("is not %s: %j", (_, text) => {
    expect(parseAddress6(text)).toBeUndefined();
  });
});

describe("a prefix", () => {
  const prefix4 = fc.record({ family: fc.constant(4), address: address4, length: fc.nat(32) });
  const prefix6 = fc.record({ family: fc.constant(6), address: address6, length: fc.nat(128) });
  const prefix: fc.Arbitrary<Prefix> = fc.oneof(prefix4, prefix6);

  test("is read and written back with its host bits", () => {
    fc.assert(
      fc.property(prefix, (given) => {
        const text = formatPrefix(given);
        expect(parsePrefix(text)).toEqual(given);
        expect(parsePrefix4(text) !== undefined).toBe(given.family === 4);
        expect(parsePrefix6(text) !== undefined).toBe(given.family === 6);
      }),
      runs,
    );
  });

  test.each([
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/00",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/ 8",
    "10.0.0.0/8 ",
    "10.0.0.0/8/8",
    "10.0.0.0/1e1",
    "10.0.0.0/8.0",
    "10.0.0.0/0x8",
    "10.0.0.0/255.0.0.0",
    "10.0.0/8",
    "010.0.0.0/8",
    "/8",
    "::/129",
    "::/1000",
    "::/0128",
    "fe80::%eth0/64",
    "fe80::/64%eth0",
    "",
  ])("is not %j", (text) => {
    expect(parsePrefix(text)).toBeUndefined();
  });

  test("has a network: its own bits, then zeros", () => {
    fc.assert(
      fc.property(prefix, (given) => {
        const bits = bitsOf(given);
        const cleared = network(given);
        expect(bitsOf(cleared)).toBe(bits.slice(0, given.length).padEnd(bits.length, "0"));
        expect(cleared.length).toBe(given.length);
        expect(network(cleared)).toEqual(cleared);
      }),
      runs,
    );
  });

  test("holds the addresses that Node's block list says it holds", () => {
    const near = fc.tuple(prefix4, fc.nat(32)).map(([given, bit]) => {
      const address = bit === 32 ? given.address : (given.address ^ (2 ** bit)) >>> 0;
      return { given, host: { family: 4, address, length: 32 } satisfies Prefix4 };
    });
    fc.assert(
      fc.property(near, ({ given, host }) => {
        const list = new BlockList();
        list.addSubnet(formatAddress4(given.address), given.length, "ipv4");
        expect(contains(given, host)).toBe(list.check(formatAddress4(host.address)));
      }),
      { numRuns: runsOf(2000) },
    );
  });

  test.each([
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:a00:0/128", "10.0.0.0/32"],
    ["::ffff:0:0/96", "0.0.0.0/0"],
    ["::ffff:10.0.0.1", "10.0.0.1/32"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["::/0", "::/0"],
    ["::fffe:0:0/95", "::fffe:0:0/95"],
    ["2001:db8::1", "2001:db8::1/128"],
  ])("as a range of clients: %s is %s", (text, range) => {
    const parsed = parseRange(text);
    expect(parsed && formatPrefix(parsed)).toBe(range);
  });

  test.each(["::ffff:0:0/95", "::ffff:10.0.0.0/64", "::ffff:10.0.0.0/0", "10.0.0.0/33", "x"])(
    "is no range of clients: %s",
    (text) => {
      expect(parseRange(text)).toBeUndefined();
    },
  );

  test("of one family holds none of the other, not even those that are mapped", () => {
    const all4: Prefix = { family: 4, address: 0, length: 0 };
    const all6: Prefix = { family: 6, address: 0n, length: 0 };
    const mapped = parsePrefix6("::ffff:10.0.0.0/104");
    const private4 = parsePrefix4("10.0.0.0/8");
    if (!mapped || !private4) throw new Error("These are prefixes.");
    expect(contains(all4, all6)).toBe(false);
    expect(contains(all6, all4)).toBe(false);
    expect(contains(mapped, private4)).toBe(false);
    expect(contains(private4, mapped)).toBe(false);
  });

  /** All prefixes, host bits included, of a space of 32 addresses, with the addresses each covers. */
  function universe(family: 4 | 6): { prefix: Prefix; members: Set<number> }[] {
    const bits = family === 4 ? 32 : 128;
    const low = Array.from({ length: 32 }, (_, address) => address.toString(2).padStart(5, "0"));
    return low.flatMap((text, address) =>
      [0, 1, 2, 3, 4, 5].map((length) => ({
        prefix:
          family === 4
            ? { family, address: 0xffffffe0 + address, length: bits - 5 + length }
            : { family, address: (0x20010db8n << 96n) + BigInt(address), length: bits - 5 + length },
        members: new Set(
          low.flatMap((other, n) => (other.slice(0, length) === text.slice(0, length) ? [n] : [])),
        ),
      })),
    );
  }

  test.each([4, 6] as const)("of IPv%s holds another exactly if it holds every address of it", (family) => {
    const all = universe(family);
    const wrong = all.flatMap((outer) =>
      all.filter((inner) => contains(outer.prefix, inner.prefix) !== inner.members.isSubsetOf(outer.members)),
    );
    expect(wrong).toEqual([]);
    expect(all).toHaveLength(192);
  });

  test.each([4, 6] as const)(
    "of IPv%s overlaps another exactly if one of the two holds the other",
    (family) => {
      const all = universe(family);
      const wrong = all.flatMap((one) =>
        all.filter((other) => {
          const nested = contains(one.prefix, other.prefix) || contains(other.prefix, one.prefix);
          return nested === one.members.isDisjointFrom(other.members);
        }),
      );
      expect(wrong).toEqual([]);
    },
  );

  test("of two hosts has the other host at the other end", () => {
    for (const { prefix: given, members } of universe(4)) {
      if (given.family !== 4 || given.length < 30 || given.length === 32) continue;
      const hosts = given.length === 31 ? [...members] : [...members].slice(1, 3);
      const own = given.address - 0xffffffe0;
      if (!hosts.includes(own)) continue;
      const [other] = hosts.filter((host) => host !== own);
      expect(otherHost(given)).toBe(formatAddress4(0xffffffe0 + Number(other)));
    }
  });

  test.each([
    ["10.0.0.0/31", "10.0.0.1"],
    ["10.0.0.1/31", "10.0.0.0"],
    ["192.168.10.11/31", "192.168.10.10"],
    ["10.0.0.1/30", "10.0.0.2"],
    ["10.0.0.2/30", "10.0.0.1"],
    ["255.255.255.254/31", "255.255.255.255"],
    ["0.0.0.0/31", "0.0.0.1"],
  ])("%s faces %s", (text, other) => {
    const given = parsePrefix4(text);
    expect(given && otherHost(given)).toBe(other);
  });
});

describe("a unicast address", () => {
  test("is any IPv4 address outside of this network, loopback, multicast and the reserved", () => {
    const others = new BlockList();
    for (const [base, length] of [
      ["0.0.0.0", 8],
      ["127.0.0.0", 8],
      ["224.0.0.0", 4],
      ["240.0.0.0", 4],
    ] as const) {
      others.addSubnet(base, length, "ipv4");
    }
    for (let octet = 0; octet < 256; octet++) {
      for (const rest of ["0.0.0", "0.0.1", "255.255.255"]) {
        expect(isUnicast(`${octet}.${rest}`), `${octet}.${rest}`).toBe(!others.check(`${octet}.${rest}`));
      }
    }
  });

  test.each([
    ["::", false],
    ["0:0:0:0:0:0:0:0", false],
    ["::1", false],
    ["::2", true],
    ["fe80::1", true],
    ["fc00::1", true],
    ["feff:ffff::", true],
    ["ff00::", false],
    ["ff02::1", false],
    ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false],
    ["2001:db8::1", true],
    ["not an address", false],
  ])("of IPv6: %s is %s", (text, unicast) => {
    expect(isUnicast(text)).toBe(unicast);
  });
});
