import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../test/harness/temporary.ts";
import { type EdgeFlags, readOptions } from "./options.ts";

const usual: EdgeFlags = { server: "https://p.example.net/", token: "t", role: "provider", name: "ord-1" };

function withFile(text: string, flags: EdgeFlags = {}, env: Readonly<Record<string, string>> = {}) {
  const config = join(temporaryDirectory(), "edge.yaml");
  writeFileSync(config, text);
  return readOptions({ ...flags, config }, env);
}

describe("what an edge is told", () => {
  test("by flags alone is enough, the rest is as usual", () => {
    const { edge, ...about } = readOptions(usual, {});
    expect(about).toEqual({
      server: "https://p.example.net",
      account: undefined,
      token: "t",
      poll: undefined,
      only: undefined,
      links: new Map(),
      metricsPort: undefined,
      logLevel: "info",
    });
    expect(edge).toEqual({
      name: "ord-1",
      site: "default",
      region: undefined,
      role: "provider",
      driver: "kernel",
      map: new Map(),
      stateDirectory: "/var/lib/patchbay-edge",
      manageSysctls: false,
      sameSite: [],
      rates: { low: 60_000, mid: 10_000, high: 1_000 },
      probeSource: undefined,
      healthTimeScale: 1,
      bird: undefined,
      bgpKeys: new Map(),
      providerAsn: 13335,
    });
  });

  test("by a file is the same; flags win over it, and both over the environment", () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "token"), "secret\n");
    const { edge, ...about } = withFile(
      `
server: http://10.0.0.1:8787/client/v4
account: 023e105f4ecef8ad9ca31a8372d0c353
token_file: ${join(directory, "token")}
role: customer
name: from-file
site: ord
region: ENAM
driver: userspace
map: { pni_ord: eth1, pni_ams: eth2 }
interconnects: [pni_ord]
links: { pni_ord: { provider: 192.0.2.0/31, customer: 192.0.2.1/31 } }
same_site: [[pni_ord, pni_ams]]
rates: { high: 0.5 }
bird: { include: /etc/bird/patchbay.conf, reload: true, template: watched }
bgp_keys: { pni_ord: k }
poll: 15
metrics_port: 9100
manage_sysctls: true
`,
      { name: "from-flag", map: ["pni_ord=eth9"] },
      { PATCHBAY_SERVER: "http://elsewhere", PATCHBAY_TOKEN: "other" },
    );
    expect(about).toMatchObject({
      server: "http://10.0.0.1:8787",
      token: "secret",
      poll: 15_000,
      only: new Set(["pni_ord"]),
      links: new Map([["pni_ord", { provider: "192.0.2.0/31", customer: "192.0.2.1/31" }]]),
      metricsPort: 9100,
    });
    expect(edge).toMatchObject({
      name: "from-flag",
      site: "ord",
      region: "ENAM",
      role: "customer",
      driver: "userspace",
      map: new Map([
        ["pni_ord", "eth9"],
        ["pni_ams", "eth2"],
      ]),
      sameSite: [["pni_ord", "pni_ams"]],
      rates: { low: 60_000, mid: 10_000, high: 500 },
      bird: { include: "/etc/bird/patchbay.conf", reload: true, control: undefined, template: "watched" },
      bgpKeys: new Map([["pni_ord", "k"]]),
      manageSysctls: true,
    });
  });

  test("Cloudflare's own API is polled", () => {
    const options = readOptions(
      { ...usual, role: "customer", server: "https://api.cloudflare.com/client/v4" },
      {},
    );
    expect(options.poll).toBe(30_000);
  });

  test.each<[string, EdgeFlags, string]>([
    ["no role", { server: "http://a", token: "t" }, "Which end of the interconnects is it?"],
    ["another role", { ...usual, role: "both" }, "The role is both: it is to be provider or customer."],
    ["no server", { token: "t", role: "provider" }, "No server is named"],
    [
      "a server that is no address",
      { ...usual, server: "p.example.net" },
      "The server's address is p.example.net",
    ],
    ["no token", { server: "http://a", role: "provider" }, "No token: set PATCHBAY_TOKEN"],
    [
      "a file of the token that is not there",
      { ...usual, token: "", tokenFile: "/nowhere" },
      "The token's file",
    ],
    [
      "a map without a device",
      { ...usual, map: ["pni_ord"] },
      "--map pni_ord: it is to be like --map SLOT=eth1",
    ],
    ["a device that cannot be", { ...usual, map: ["pni_ord=a/b"] }, "which no device can be called"],
    ["a provider that polls", { ...usual, poll: "5" }, "only a customer can poll"],
    ["a name with a space", { ...usual, name: "a b" }, "The edge's name is a b"],
    ["another driver", { ...usual, driver: "ebpf" }, "The driver is ebpf"],
    ["a port that is none", { ...usual, metricsPort: "70000" }, "The port of the metrics is 70000"],
  ])("is refused in a sentence: %s", (_, flags, sentence) => {
    expect(() => readOptions({ token: undefined, ...flags } as EdgeFlags, {})).toThrow(sentence);
  });

  test.each([
    ["a: [", "is no YAML"],
    ["rolle: customer", "there is no setting rolle. Did you mean role?"],
    ["map: [a]", "map is to be a mapping."],
    ["rates: { high: 0 }", "rates.high is to be a number above 0, not 0."],
    ["bird: {}", "include is to name the file"],
    ["bird: { include: /tmp/a, template: 'a b' }", "the name of a template"],
    ["links: { a: { provider: 1.2.3.4/31 } }", "links.a is to have provider and customer"],
    ["same_site: [a]", "same_site is to be a list."],
    ["manage_sysctls: 1", "manage_sysctls is to be true or false."],
  ])("a file is refused in a sentence: %s", (text, sentence) => {
    expect(() => withFile(text, usual)).toThrow(sentence);
  });
});
