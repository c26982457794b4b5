import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { account, edgeConfig, interconnect, temporaryDirectory } from "../../../test/harness/edge-lab.ts";
import { needs } from "../../../test/harness/needs.ts";
import { missing } from "../../../test/harness/programs.ts";
import type { EdgeConfig } from "../config.ts";
import { desire } from "./desire.ts";
import { NO_NUMBERS } from "./numbers.ts";

const bgp = {
  customerAsn: 64512,
  extraPrefixes: ["10.20.0.0/16", "2001:db8:7::/48"],
  hasKey: true,
  providerEndpoint: undefined,
  customerEndpoint: undefined,
};
const peering = interconnect(1, { interfaceAddress6: "fd00:1::/127", bgp });

function rendered(changes: Partial<EdgeConfig>, role: "provider" | "customer" = "provider") {
  const bird = { include: "/etc/bird/patchbay.conf", reload: false, control: undefined, template: undefined };
  const config = edgeConfig(role, "/nowhere", {}, { bird, ...changes });
  return desire({
    account: account([peering]),
    config,
    states: new Map(),
    numbers: NO_NUMBERS,
    without: new Map(),
  });
}

const keys = new Map([["ic-1", "correct horse"]]);
const noBird = missing("bird");

test.each(["provider", "customer"] as const)("BIRD takes what is written for a %s", needs(noBird), (role) => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "bird.conf");
  writeFileSync(file, `router id 1.2.3.4;\n${rendered({ bgpKeys: keys }, role).bird}`);
  expect(() => execFileSync("bird", ["-p", "-c", file])).not.toThrow();
});

test("a session is between the interface addresses, with the key that the configuration tells", () => {
  const { bird, problems } = rendered({ bgpKeys: keys });
  expect(problems).toEqual([]);
  expect(bird).toContain("local 10.200.1.0 as 13335;");
  expect(bird).toContain("neighbor 10.200.1.1 as 64512;");
  expect(bird).toContain('password "correct horse";');
  expect(bird).toContain("hold time 240;");
  expect(bird).toContain("route 10.20.0.0/16 unreachable;");
});

test("a session is made from the operator's template if there is one", () => {
  const bird = { include: "/etc/bird/patchbay.conf", reload: false, control: undefined, template: "watched" };
  expect(rendered({ bgpKeys: keys, bird }).bird).toMatch(/^protocol bgp patchbay_\w+ from watched \{$/m);
  expect(rendered({ bgpKeys: keys }).bird).toMatch(/^protocol bgp patchbay_\w+ \{$/m);
});

test.each([
  [new Map<string, string>(), /has a key/],
  [new Map([["ic-1", 'with "quotes"']]), /without quotation marks/],
])("a key that is not told or not possible is a problem", (bgpKeys, reason) => {
  const { bird, problems } = rendered({ bgpKeys });
  expect(bird).not.toContain("protocol bgp");
  expect(problems).toEqual([{ interconnect: peering.id, reason: expect.stringMatching(reason) }]);
});
