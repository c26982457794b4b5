import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs } from "../../test/harness/runs.ts";
import { escapePointer, isCleanText, type ParsedJson, parseJson, readJson } from "./json.ts";
import { MAX_BODY_DEPTH, MAX_BODY_NAMES, MAX_BODY_OBJECTS } from "./limits.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
/** Parses at once and in pieces, which must come to the same. */
const parse = (text: string) => both(bytesOf(text));

function both(bytes: Uint8Array): ParsedJson {
  const atOnce = parseJson(bytes);
  // Small documents are of several pieces only if a piece is next to nothing.
  for (const piece of bytes.length > 100_000 ? [undefined] : [0, 7]) {
    const steps = readJson(bytes, {}, piece);
    let step = steps.next();
    while (!step.done) step = steps.next();
    expect(step.value.ok).toBe(atOnce.ok);
    expect(isDeepStrictEqual(step.value, atOnce)).toBe(true);
    if (step.value.ok) expect(JSON.stringify(step.value)).toBe(JSON.stringify(atOnce));
  }
  return atOnce;
}

/** `name pointer` of each problem; nothing for a document that is taken. */
function refusals(parsed: ParsedJson): string[] {
  return parsed.ok ? [] : parsed.problems.map(({ name, pointer }) => `${name} ${pointer}`);
}

/** Any JSON value, its texts made of these characters. */
function document(unit: "grapheme" | fc.Arbitrary<string> = "grapheme"): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.jsonValue({ stringUnit: unit, maxDepth: 4 }).map((value) => value as unknown),
    // Keys that are mistaken for something else by careless readers.
    fc.dictionary(fc.constantFrom("__proto__", "constructor", "a/b", "~0", "", "id"), fc.jsonValue(), {
      maxKeys: 4,
    }),
  );
}

const uncleanText = fc.constantFrom("a", "b", "\u00e9", "\u{1f600}", "\u0001", "\0", "\ud83d", "\ude00");

/** Where a member is written a second time. */
interface Repeat {
  /** The member, counted in the order of writing. */
  readonly member: number;
  readonly value: string;
}

interface Written {
  readonly text: string;
  /** Pointers of all members, in the order of writing. */
  readonly members: readonly string[];
}

/**
 * Writes a document as JSON in one of its many spellings: blanks between tokens, characters as
 * escapes. Chooses by the numbers given, over and over.
 */
function write(document: unknown, choices: readonly number[], repeat?: Repeat): Written {
  const members: string[] = [];
  let chosen = 0;
  const choose = (most: number) => (choices[chosen++ % choices.length] ?? 0) % most;
  const blank = () => ["", "", "", " ", "\n\t", "\r\n  "][choose(6)] ?? "";
  const character = (unit: string) => {
    const escaped = `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
    return choose(8) === 0 || JSON.stringify(unit).length !== 3 ? escaped : unit;
  };
  const string = (text: string) => {
    if (/^[\ud800-\udfff]|[\ud800-\udfff]$/.test(text) || choose(2) === 0) return JSON.stringify(text);
    // A pair whose one half is escaped is not the same text as UTF-8: pairs are left alone.
    return `"${Array.from(text, (unit) => (unit.length === 2 ? unit : character(unit))).join("")}"`;
  };
  const node = (value: unknown, pointer: string): string => {
    if (typeof value === "string") return string(value);
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) {
      return `[${value.map((item, n) => blank() + node(item, `${pointer}/${n}`) + blank()).join(",")}]`;
    }
    const texts = Object.entries(value).map(([key, item]) => {
      const number = members.length;
      const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      members.push(at);
      const inner = `${blank()}${string(key)}${blank()}:${blank()}${node(item, at)}${blank()}`;
      if (repeat?.member !== number) return inner;
      return `${inner},${blank()}${string(key)}${blank()}:${repeat.value}`;
    });
    return `{${texts.length === 0 ? blank() : texts.join(",")}}`;
  };
  const text = blank() + node(document, "") + blank();
  return { text, members };
}

const choices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 });

function isClean(value: unknown): boolean {
  if (typeof value === "string") return !/[\0]/.test(value) && value === value.toWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, item]) => isClean(key) && isClean(item));
}

describe("a document without a repeated key", () => {
  test("is what JSON.parse makes of it, however it is spelled", () => {
    fc.assert(
      fc.property(document(), choices, (value, spelling) => {
        const { text } = write(value, spelling);
        const expected: unknown = JSON.parse(text);
        const clean = isClean(expected);
        const parsed = parse(text);
        expect(parsed.ok).toBe(clean);
        if (parsed.ok) expect(isDeepStrictEqual(parsed.value, expected)).toBe(true);
      }),
      { numRuns: runs(3000) },
    );
  });

  test("is taken exactly if no text in it, key or value, holds a NUL or half a pair", () => {
    let refused = 0;
    fc.assert(
      fc.property(document(uncleanText), (value) => {
        const parsed = parse(JSON.stringify(value));
        const clean = isClean(value);
        expect(parsed.ok).toBe(clean);
        if (clean) return;
        refused++;
        expect(refusals(parsed).every((refusal) => refusal.startsWith("bad_text "))).toBe(true);
      }),
      { numRuns: runs(3000) },
    );
    expect(refused).toBeGreaterThan(runs(50));
  });
});

describe("a document with a repeated key", () => {
  test("is refused at the key's place, wherever it stands and however it is spelled", () => {
    let repeated = 0;
    fc.assert(
      fc.property(document(), choices, fc.nat(), fc.jsonValue(), (value, spelling, member, again) => {
        const { members } = write(value, spelling);
        if (members.length === 0) return;
        repeated++;
        const repeat = { member: member % members.length, value: JSON.stringify(again) };
        const { text } = write(value, spelling, repeat);
        expect(refusals(parse(text))).toEqual([`repeated_key ${members[repeat.member]}`]);
      }),
      { numRuns: runs(3000) },
    );
    expect(repeated).toBeGreaterThan(runs(500));
  });

  test.each([
    ['{"a":1,"a":1}', "/a"],
    ['{"a":1,"\\u0061":2}', "/a"],
    ['{"a":{"b":[0,{"c":1,"c":2}]}}', "/a/b/1/c"],
    ['[[],{},{"a/b~":1,"a/b~":2}]', "/2/a~1b~0"],
    ['{"":1,"":2}', "/"],
    ['{"__proto__":1,"__proto__":2}', "/__proto__"],
    ['{"a":"\\"a\\":","a":":"}', "/a"],
  ])("%s is refused at %s", (text, pointer) => {
    expect(refusals(parse(text))).toEqual([`repeated_key ${pointer}`]);
  });

  test("is told of each repetition", () => {
    expect(refusals(parse('{"a":1,"b":{"c":0,"c":0,"c":0},"a":2}'))).toEqual([
      "repeated_key /b/c",
      "repeated_key /b/c",
      "repeated_key /a",
    ]);
  });

  test("the same key in different objects is no repetition", () => {
    expect(parse('{"a":{"a":[{"a":1},{"a":2}]},"b":"a"}')).toMatchObject({ ok: true });
  });

  test("is told of the first 100 repetitions, and how many more there are", () => {
    const parsed = parse(`{${Array(5001).fill('"a":1').join(",")}}`);
    const names = parsed.ok ? [] : parsed.problems.map(({ name }) => name);
    expect(names).toEqual([...Array(100).fill("repeated_key"), "more_problems"]);
    expect(parsed).toMatchObject({ problems: { 100: { message: "and 4900 more" } } });
  });
});

describe("text that cannot be kept", () => {
  test.each([
    ['{"name":"a\\u0000b"}', "/name"],
    ['["x",{"a":"\\ud800"}]', "/1/a"],
    ['{"a":"\\udc00\\ud800"}', "/a"],
    ['{"a":{"b/c":["\\uD800x"]}}', "/a/b~1c/0"],
    ['"\\u0000"', ""],
  ])("%s is refused at %j", (text, pointer) => {
    expect(refusals(parse(text))).toEqual([`bad_text ${pointer}`]);
  });

  test("in a key is refused at the object that holds it", () => {
    expect(refusals(parse('{"a":{"b\\u0000":1,"\\ud800":2}}'))).toEqual(["bad_text /a", "bad_text /a"]);
  });

  test("is not a pair, whole or in escapes", () => {
    expect(parse('{"a":"\\ud83d\\ude00","😀":"😀"}')).toEqual({ ok: true, value: { a: "😀", "😀": "😀" } });
  });

  test("is told of the first 100 times, and how many more there are", () => {
    const parsed = parse(JSON.stringify(Array(250).fill("\0")));
    expect(refusals(parsed)).toHaveLength(101);
    expect(refusals(parsed).at(-1)).toBe("more_problems undefined");
  });
});

describe("nesting", () => {
  const open = (depth: number) =>
    Array.from({ length: depth }, (_, n) => (n % 2 === 0 ? "[" : '{"a":')).join("");
  const close = (depth: number) =>
    Array.from({ length: depth }, (_, n) => (n % 2 === 0 ? "]" : "}"))
      .reverse()
      .join("");

  test(`of ${MAX_BODY_DEPTH} levels is read, of one more refused`, () => {
    expect(parse(`${open(MAX_BODY_DEPTH)}0${close(MAX_BODY_DEPTH)}`).ok).toBe(true);
    expect(refusals(parse(`${open(MAX_BODY_DEPTH + 1)}0${close(MAX_BODY_DEPTH + 1)}`))).toEqual([
      "too_deep undefined",
    ]);
  });

  test("is counted at its deepest, not at its sum", () => {
    const wide = Array(100).fill("[[[{}]]]").join(",");
    expect(parse(`[${wide}]`).ok).toBe(true);
  });

  test("does not count brackets inside of texts", () => {
    expect(parse(JSON.stringify({ a: "[".repeat(100), '"{{{': '\\"['.repeat(100) })).ok).toBe(true);
  });

  test("of a million levels, closed or not, is refused before anything is built", () => {
    expect(refusals(parse("[".repeat(1_000_000)))).toEqual(["too_deep undefined"]);
    expect(refusals(parse('{"a":'.repeat(200_000)))).toEqual(["too_deep undefined"]);
  });
});

describe("the names of fields", () => {
  const names = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => `"name ${from + index}":"a:b"`).join(",");

  test("are read up to their limit, in one object or in many", () => {
    expect(parse(`{${names(MAX_BODY_NAMES)}}`).ok).toBe(true);
    const many = Array.from({ length: MAX_BODY_NAMES / 10 }, (_, index) => `{${names(10, 10 * index)}}`);
    expect(parse(`[${many.join(",")}]`).ok).toBe(true);
  });

  test("are refused past it, before anything is built", () => {
    for (const text of [
      `{${names(MAX_BODY_NAMES + 200)}}`,
      `[${Array.from({ length: 100_000 }, (_, index) => `{${names(10, 10 * index)}}`).join(",")}]`,
      `{${names(1_000_000)}`,
    ]) {
      const start = process.threadCpuUsage().user;
      expect(refusals(parse(text))).toEqual(["too_many_names undefined"]);
      // Microseconds of CPU time.
      expect(process.threadCpuUsage().user - start).toBeLessThan(1_000_000);
    }
  });

  test("count once, however often they stand, and texts that are no names do not count", () => {
    expect(parse(`[${Array(20_000).fill('{"a\\"b":1,"c":"d"}').join(",")}]`).ok).toBe(true);
    expect(parse(JSON.stringify(Array.from({ length: 50_000 }, (_, index) => `:"${index}":`))).ok).toBe(true);
  });
});

describe("objects and arrays", () => {
  const limited = (text: string) => parseJson(bytesOf(text), { objects: 3 });

  test("are read up to their limit, and refused past it before anything is built", () => {
    expect(limited('[{},"[[[[",{}]').ok).toBe(true);
    expect(refusals(limited("[{},[[]]"))).toEqual(["too_many_values undefined"]);
  });
});

describe("values", () => {
  test("are read up to their limit, and refused past it before anything is built", () => {
    const limited = (text: string) => parseJson(bytesOf(text), { values: 3 });
    expect(limited('["a,b,c,d",2,3]').ok).toBe(true);
    expect(refusals(limited("[1,2,3,4]"))).toEqual(["too_many_values undefined"]);
    expect(refusals(limited('{"a":1,"b":2,"c":3,"d":4}'))).toEqual(["too_many_values undefined"]);
  });
});

describe("a large body", () => {
  const steps = (text: string, limits = {}) => {
    const longest = { steps: 0, milliseconds: 0, parsed: undefined as ParsedJson | undefined };
    const running = readJson(bytesOf(text), limits);
    for (;;) {
      const { user, system } = process.threadCpuUsage();
      const step = running.next();
      const now = process.threadCpuUsage();
      longest.milliseconds = Math.max(longest.milliseconds, (now.user + now.system - user - system) / 1_000);
      longest.steps++;
      if (step.done) return { ...longest, parsed: step.value };
    }
  };
  const members = Array.from({ length: 20 }, (_, n) => `"member ${n}":${n % 2 ? n : `"${"x".repeat(30)}"`}`);
  const elements = Array(3_000).fill(`{${members.join(",")}}`);

  test.each([
    ["an array", `[${elements.join(",")}]`, true],
    ["an array in an object", `{"before":1,"elements":[${elements.join(", ")}],"after":[]}`, true],
    ["arrays in arrays", `[[${elements.slice(0, 1_500)}],[[${elements.slice(0, 1_500)}]]]`, true],
    ["an object of many members", `{${elements.slice(0, 2_000).map((one, n) => `"${n}":${one}`)}}`, true],
    ["one string", `"${"x".repeat(4_000_000)}"`, true],
    ["broken at the end", `[${elements.join(",")}`, false],
    ["broken in an element", `[${elements.join(",")},{"a":tru},${elements.slice(0, 500).join(",")}]`, false],
    ["a key that is repeated", `[${elements.join(",")},{"a":1,"a":2}]`, false],
    ["a lone surrogate", `[${elements.join(",")},"\\ud800"]`, false],
  ])("is read in many steps, none of them long: %s", (_, text, ok) => {
    const { steps: count, milliseconds, parsed } = steps(text);
    expect(parsed.ok).toBe(ok);
    expect(isDeepStrictEqual(parsed, parseJson(bytesOf(text)))).toBe(true);
    expect(count).toBeGreaterThan(15);
    expect(milliseconds).toBeLessThan(40);
  });

  test("of 2 million empty objects is refused before they are built", () => {
    const { milliseconds, parsed } = steps(`[${Array(2_000_000).fill("{}").join(",")}]`, {
      objects: MAX_BODY_OBJECTS,
    });
    expect(refusals(parsed)).toEqual(["too_many_values undefined"]);
    expect(milliseconds).toBeLessThan(40);
  });
});

describe("what is no JSON", () => {
  test.each([
    ['{"secret":"s3cret","m":abc}', "the body is not valid JSON at line 1, column 24: expected a value"],
    ['{"a":1,\n "b":2,}', "the body is not valid JSON at line 2, column 8: expected a name"],
    ["{,}", "the body is not valid JSON at line 1, column 2: expected a name or }"],
    ['{"a" 1}', "the body is not valid JSON at line 1, column 6: expected a colon"],
    ["[1 2]", "the body is not valid JSON at line 1, column 4: expected a comma or ]"],
    ["[01]", "the body is not valid JSON at line 1, column 3: expected a comma or ]"],
    ['{"a":1]', "the body is not valid JSON at line 1, column 7: expected a comma or }"],
    ["{} x", "the body is not valid JSON at line 1, column 4: nothing may follow the value"],
    [
      '["a\nb"]',
      "the body is not valid JSON at line 1, column 4: a control character in a string must be escaped",
    ],
    ['["\\x"]', "the body is not valid JSON at line 1, column 4: there is no such escape"],
    ['["\\u12g4"]', "the body is not valid JSON at line 1, column 4: \\u needs four hexadecimal digits"],
    ['["s3cret', "the body ends too early at line 1, column 9: a string is not closed"],
    ['{"a":[1', "the body ends too early at line 1, column 8: expected a comma or ]"],
  ])("%j is refused with the place and what was expected there, and no excerpt", (text, sentence) => {
    const parsed = parse(text);
    expect(parsed.ok ? [] : parsed.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining(sentence),
    ]);
    expect(JSON.stringify(parsed)).not.toContain("s3cret");
  });

  test.each([
    ["nothing", ""],
    ["blanks", " \n"],
    ["a word", "undefined"],
    ["a number of JavaScript's", "0x10"],
    ["a leading zero", "01"],
    ["not a number", "NaN"],
    ["single quotes", "{'a':1}"],
    ["a comma at the end", "[1,]"],
    ["a comment", "{} // x"],
    ["two documents", "{}{}"],
    ["half a document", '{"a":'],
    ["half a text", '{"a":"\\'],
    ["a raw line's end in a text", '{"a":"\n"}'],
    ["a raw NUL", '{"a":"\u0000"}'],
    ["a byte order mark", "\ufeff{}"],
    ["a repeated key in half a document", '{"a":1,"a":2'],
  ])("%s is refused", (_, text) => {
    expect(refusals(parse(text))).toEqual(["invalid_request undefined"]);
  });

  test.each([
    ["a lone continuation", [0x22, 0x80, 0x22]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["a character that ends too soon", [0x22, 0xf0, 0x9f, 0x98, 0x22]],
    ["Latin-1", [0x22, 0xe9, 0x22]],
    ["UTF-16", [0xff, 0xfe, 0x22, 0x00, 0x22, 0x00]],
  ])("%s is refused as bad UTF-8", (_, bytes) => {
    const parsed = both(new Uint8Array(bytes));
    expect(parsed).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining("UTF-8") }] });
  });

  test("is refused in words, whatever bytes are sent, and never taken for something else", () => {
    const structure = fc.constantFrom(...bytesOf('[]{},:" \\0'));
    const damaged = fc
      .tuple(
        fc.json({ maxDepth: 3 }),
        fc.array(fc.tuple(fc.nat(200), fc.oneof(fc.nat(255), structure)), { minLength: 1, maxLength: 3 }),
      )
      .map(([text, damage]) => {
        const bytes = bytesOf(text);
        for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 20 })), (bytes) => {
        const parsed = both(bytes);
        if (!parsed.ok) {
          expect(parsed.problems.length).toBeGreaterThan(0);
          return;
        }
        const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
        expect(isDeepStrictEqual(parsed.value, JSON.parse(text))).toBe(true);
      }),
      { numRuns: runs(5000) },
    );
  });
});

test("a pointer's token escapes what separates tokens", () => {
  expect(escapePointer("mtu")).toBe("mtu");
  expect(escapePointer("a/b~c~1")).toBe("a~1b~0c~01");
});

test("clean text has no NUL and no half of a pair", () => {
  for (const text of ["", "a", "😀", "\u0001"]) expect(isCleanText(text)).toBe(true);
  for (const text of ["\0", "a\0", "\ud800", "\udc00\ud800", "😀\ud83d"])
    expect(isCleanText(text)).toBe(false);
});
