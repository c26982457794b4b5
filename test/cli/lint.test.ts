import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { judge } from "../../src/cli/file/judge.ts";
import { readInterconnects } from "../../src/cli/file/read-file.ts";
import { UpdateWithText } from "../../src/contract/interconnect.ts";
import { interconnectsFileSchema } from "../../src/contract/interconnects-file.ts";
import { FIELDS, READ_ONLY } from "../../src/file/fields.ts";
import { fileOf, patchbay } from "../harness/cli.ts";

/** What lint says of the one interconnect of a file, without the file's name. */
function problemsOf(fields: string): string[] {
  const wanted = readInterconnects("f", `interconnects:\n  one: { ${fields} }\n`);
  return judge(wanted).map(({ code, place }) => `${code} ${place}`);
}

describe("patchbay lint", () => {
  test("judges a file without a server", async () => {
    const nowhere = { url: "http://127.0.0.1:1" };
    const file = fileOf(
      "defaults:\n  mtu: 100\ninterconnects:\n  one: {}\n  two:\n    interface_address: 10.0.0.0/29\n",
    );
    const { code, stderr } = await patchbay(nowhere, ["lint", "-f", file]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}:2:8: one: mtu is 100, but must be from 576 to`);
    expect(stderr).toContain(`${file}:6:24: two: interface_address is "10.0.0.0/29"`);
    const fine = await patchbay(nowhere, [
      "lint",
      "-f",
      fileOf("interconnects: { one: { mtu: 1400 } }\n"),
      "--quiet",
    ]);
    expect(fine).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringContaining("1 interconnect, nothing wrong."),
    });
  });

  test.each([
    "mtu: 1500",
    "mtu: 1476, gre: { cloudflare_endpoint: 203.0.113.1 }",
    "mtu: 1500, health_check: { source: 10.0.0.1 }",
    "health_check: { direction: bidirectional }",
    'health_check: { target: "" }',
    "interface_address: 198.51.100.0/31",
    'interface_address6: "2606:54c1:7:0:a9fe:12d2::/127"',
    "automatic_return_routing: true",
    "bgp: { cloudflare_endpoint: 10.0.0.1 }, health_check: { source: 10.0.0.1 }",
  ])("finds nothing wrong with what some account and version admit: %s", (fields) => {
    expect(problemsOf(fields)).toEqual([]);
  });

  test.each([
    ["mtu: 1500, gre: { cloudflare_endpoint: 203.0.113.1 }", 990023, "1500"],
    ["health_check: { rate: fast }", 990023, "fast"],
    ["health_check: { source: 8.8.8.8 }", 990029, "8.8.8.8"],
    ["interface_address: 198.51.100.1/30", 990029, "198"],
    ['interface_address6: "2606:54c1::1/127"', 990023, '"2606'],
    ["bgp: { extra_prefixes: [10.0.0.0/8, 10.0.0.1/8] }", 990023, "[10"],
    ["bgp: { customer_asn: 13335 }", 990023, "13335"],
    ['name: ""', 990023, '""'],
  ])("finds what no version admits: %s", (fields, code, value) => {
    const column = "  one: { ".length + fields.indexOf(value) + 1;
    expect(problemsOf(fields)).toEqual([`${code} f:2:${column}`]);
  });

  test("finds two interconnects with one name, or subnets that overlap", () => {
    const text = [
      "interconnects:",
      "  one: { interface_address: 10.0.0.1/30 }",
      "  two: { interface_address: 10.0.0.2/31 }",
      "  three: { name: four }",
      "  five: { name: four }",
    ].join("\n");
    const told = judge(readInterconnects("f", text)).map(({ place, message }) => `${place} ${message}`);
    expect(told).toEqual([
      expect.stringMatching(/^f:3:29 two: .*one \(f:2:29\)/),
      expect.stringMatching(/^f:5:17 five: .*three \(f:4:18\)/),
    ]);
  });
});

describe("the file", () => {
  const complaints = (text: string): string[] => {
    try {
      readInterconnects("f", text);
      return [];
    } catch (error) {
      return Object(error).problems.map(
        ({ place, message }: Record<string, string>) => `${place} ${message}`,
      );
    }
  };

  test.each([
    ["", "f:1:1 A map with interconnects is wanted here"],
    ["interconnects: [one]", "f:1:16 interconnects must be a map by name, not a list"],
    ["mtu: 3\ninterconnects:", "f:1:1 mtu is no part of such a file."],
    ["interconnects: { one: { mtu: 1, mtu: 2 } }", "f:1:33 mtu stands here twice"],
    ["interconnects: { one: { mtu: } }", "f:1:25 mtu is empty: leave it out"],
    [
      "interconnects: { one: { description: yes, mtu: true } }",
      "f:1:48 mtu must be a whole number, not a boolean",
    ],
    ["interconnects: { one: { mtu: 1.5 } }", "f:1:30 mtu must be a whole number, not a number"],
    ["interconnects: { one: { version: '1' } }", "f:1:25 version is read-only: leave it out"],
    ["interconnects: { one: { group: a, groups: [b] } }", "f:1:35 group and groups cannot both stand here"],
    [
      "groups: { abc: {} }\ninterconnects: { one: { group: abd } }",
      "f:2:32 There is no group abd. Did you mean abc?",
    ],
    ["defaults: { name: x }\ninterconnects:", "f:1:19 name is one interconnect's alone"],
    ["defaults: { group: x }\ninterconnects:", "f:1:13 group stands with an interconnect"],
    ["interconnects: { one: *none }", "f:1:23"],
    ["interconnects: { one: !strange { mtu: 1 } }", "f:1:23 Unresolved tag"],
    ["interconnects:\n  one:\n   - mtu", "f:3:4 one must be a map of fields, not a list"],
  ])("is told where it is wrong: %j", (text, told) => {
    expect(complaints(text).some((one) => one.startsWith(told))).toBe(true);
  });

  test("knows anchors, the nearest before each alias", () => {
    const text =
      "defaults: { health_check: &check { rate: low } }\ninterconnects:\n  one: { health_check: *check }\n  two: { health_check: &check { rate: high } }\n  three: { health_check: *check }\n";
    const rates = readInterconnects("f", text).map(({ fields }) => fields.get("health_check.rate")?.value);
    expect(rates).toEqual(["low", "high", "high"]);
  });

  test("does not follow aliases without end", () => {
    const prefixes = `[${"*p,".repeat(1000)}]`;
    const entries = Array.from(
      { length: 150 },
      (_, index) => `  i${index}: { bgp: { extra_prefixes: ${prefixes} } }`,
    );
    const [first] = complaints(
      `groups: { g: { description: &p 10.0.0.0/8 } }\ninterconnects:\n${entries.join("\n")}\n`,
    );
    expect(first).toContain("follows more than 100,000 aliases");
    expect(complaints("interconnects: &a { one: { bgp: *a } }")).not.toEqual([]);
  });

  test("takes names that YAML would take for something else for names", () => {
    const names = readInterconnects(
      "f",
      "interconnects: { yes: {}, 0x10: {}, 1e3: {}, null: {}, '': {} }",
    ).map(({ name }) => name);
    expect(names).toEqual(["yes", "0x10", "1e3", "null", ""]);
  });
});

describe("the file's schema", () => {
  const ajv = addFormats.default(new Ajv2020({ strict: false }));
  const valid = ajv.compile(JSON.parse(JSON.stringify(interconnectsFileSchema)));

  test("knows the fields that the commands know, which are those of an update", () => {
    const leaves = (properties: object, before = ""): string[] =>
      Object.entries(properties).flatMap(([name, schema]) =>
        schema.properties ? leaves(schema.properties, `${before}${name}.`) : [before + name],
      );
    const { id: _, group: __, groups: ___, ...own } = interconnectsFileSchema.$defs.interconnect.properties;
    const known = FIELDS.map(({ path }) => path);
    expect(leaves(own).sort()).toEqual([...known].sort());
    expect(leaves(UpdateWithText.properties).sort()).toEqual(
      ["id", ...known, ...Object.keys(READ_ONLY)].sort(),
    );
  });

  test.each([
    "interconnects: { one: , two: { groups: [a], mtu: 1400 } }\ngroups: { a: { health_check: { rate: low } } }",
    "interconnects: { one: { id: abc, name: two, interface_address: 10.0.0.0/31 } }\ndefaults: { bgp: { customer_asn: 65000 } }",
  ])("admits what plan reads: %j", (text) => {
    expect(readInterconnects("f", text).length).toBeGreaterThan(0);
    expect(valid(parse(text)) || valid.errors).toBe(true);
  });

  test.each([
    "interconnects: { one: { version: '1' } }",
    "interconnects: { one: { bgp: { as_no: 1 } } }",
    "interconnects: { one: { mtu: '1400' } }",
    "interconnects: { one: { group: a, groups: [b] } }",
    "defaults: { name: a }\ninterconnects: {}",
    "other: {}\ninterconnects: {}",
    "defaults: {}",
  ])("refuses what plan refuses: %j", (text) => {
    expect(() => readInterconnects("f", text)).toThrow();
    expect(valid(parse(text))).toBe(false);
  });
});
