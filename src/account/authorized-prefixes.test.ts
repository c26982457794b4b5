import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "../../test/harness/runs.ts";
import { contains, formatAddress4, type Prefix4 } from "../contract/addresses.ts";
import { Problems } from "../contract/errors.ts";
import { PrefixSet } from "./authorized-prefixes.ts";
import { judgeInterfaceAddress } from "./interconnect-rules.ts";

/** Few addresses, so that prefixes are often nested, equal or neighbors. */
const prefix = fc.record({
  family: fc.constant(4 as const),
  address: fc.oneof(fc.integer({ min: 0, max: 31 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  length: fc.oneof(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 27, max: 32 })),
}) satisfies fc.Arbitrary<Prefix4>;

test("a set contains what one of its prefixes contains", () => {
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 20 }), prefix, (prefixes, wanted) => {
      expect(new PrefixSet(prefixes).contains(wanted)).toBe(prefixes.some((one) => contains(one, wanted)));
    }),
    { numRuns: runs(500) },
  );
});

/** Counts how often its members are read. */
class CountedList extends Array<string> {
  static reads = 0;
  override *[Symbol.iterator](): ArrayIterator<string> {
    for (let index = 0; index < this.length; index++) {
      CountedList.reads++;
      yield this[index] ?? "";
    }
  }
}

function settings(count: number) {
  const authorized_prefixes = new CountedList();
  for (let number = 0; number < count; number++)
    authorized_prefixes.push(`${formatAddress4(0xc633_0000 + number * 4)}/30`);
  return { flags: [], authorized_prefixes };
}

test("authorized prefixes are parsed once for each version of the settings, not for each interconnect", () => {
  const own = settings(100);
  CountedList.reads = 0;
  for (let number = 0; number < 100; number++) {
    const problems = new Problems();
    const address = `${formatAddress4(0xc633_0000 + number * 4)}/31`;
    expect(judgeInterfaceAddress(address, "1.5", own, "", problems)).toBe(true);
  }
  expect(CountedList.reads).toBe(100);
});

test("a refusal names the first authorized prefixes and counts the others", () => {
  const problems = new Problems();
  judgeInterfaceAddress("203.0.113.0/31", "1.5", settings(100), "", problems);
  const [refusal] = problems.list();
  expect(refusal?.message).toContain("169.254.240.0/20, 198.51.0.0/30, 198.51.0.4/30");
  expect(refusal?.message).toContain("198.51.0.60/30 and 84 more.");
});
