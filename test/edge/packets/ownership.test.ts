import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Commands } from "../../../src/edge/kernel/commands.ts";
import {
  account,
  deviceOfNumber,
  edgeConfig,
  ends,
  interconnect,
  LabEdge,
  route,
  temporaryDirectory,
} from "../../harness/edge-lab.ts";
import { type Host, Network, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { isLong } from "../../harness/runs.ts";

const [A, B] = [deviceOfNumber(1), deviceOfNumber(2)];

/** Everything that an edge could change, without what counts or is of a moment. */
async function everything(host: Host): Promise<string> {
  const all = await Promise.all([
    host.run("ip -j -d addr show"),
    host.run("ip -j route show table all"),
    host.run("ip -j rule show"),
    host.run("ip -j -6 rule show"),
    host.run("nft -s list ruleset"),
    host.run(
      "sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.fwmark_reflect net.ipv4.tcp_fwmark_accept net.ipv4.fib_multipath_hash_policy net.ipv4.conf.port1.rp_filter net.ipv6.conf.all.forwarding",
    ),
  ]);
  return all.join("\n");
}

const network = new Network();
let host: Host;

/** A host with two ports, which end in another. */
beforeAll(async () => {
  if (noNetworks !== undefined) return;
  host = await network.host("edge");
  const peer = await network.host("peer");
  await host.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1");
  await network.connect(host, "port1", peer, "eth1");
  await network.connect(host, "port2", peer, "eth2");
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

const full = account(
  [
    interconnect(1, { returnRouting: true }),
    interconnect(2, { version: "2", greEndpoint: undefined, mtu: 1400, returnRouting: true }),
  ],
  [route("10.9.0.0/16", 1, 100), route("10.9.0.0/16", 2, 100)],
);
const map = { "slot-1": "port1", "slot-2": "port2" };

describe("what an edge made is its own, and nothing else is", needs(noNetworks), () => {
  test("clean leaves the machine as it was, and what others made in its midst", async () => {
    using directory = temporaryDirectory();
    await host.batch([
      "addr add 192.0.2.9/24 dev port1",
      "route add 10.77.0.0/16 via 192.0.2.1",
      "rule add pref 300 fwmark 9 lookup 9",
    ]);
    await host.run("nft add table inet theirs");
    const before = await everything(host);
    await using edge = await LabEdge.open(host, edgeConfig("provider", directory.path, map));
    expect((await edge.apply(full)).problems).toEqual([]);
    expect(await everything(host)).not.toBe(before);
    expect((await edge.reconciler.clean()).problems).toEqual([]);
    expect(await everything(host)).toBe(before);
    expect((await edge.reconciler.clean()).steps).toEqual([]);
    await host.batch(["addr del 192.0.2.9/24 dev port1", "rule del pref 300"]);
    await host.run("nft delete table inet theirs");
  });

  test("a device or an address that somebody else has is a problem of that interconnect alone", async () => {
    using directory = temporaryDirectory();
    await host.batch([
      `link add ${A} type bridge`,
      "link add theirs type bridge",
      `addr add ${ends(3).provider}/31 dev theirs`,
    ]);
    await using edge = await LabEdge.open(host, edgeConfig("provider", directory.path, {}));
    const settings = account([interconnect(1), interconnect(2), interconnect(3)]);
    const { problems } = await edge.apply(settings);
    expect(problems).toEqual([
      { interconnect: interconnect(1).id, reason: `The device ${A} is taken by somebody else (bridge).` },
      {
        interconnect: interconnect(3).id,
        reason: `Its address ${ends(3).provider}/31 is on theirs already, put there by somebody else.`,
      },
    ]);
    expect(await host.run(`ip -o addr show dev ${B}`)).toContain(`${ends(2).provider}/31`);
    expect((await edge.apply(settings)).steps).toEqual([]);
    expect((await edge.reconciler.clean()).problems).toEqual([]);
    expect(await host.run("ip -o link show type bridge")).toContain(A);
    expect(await host.run("ip -o addr show dev theirs")).toContain(ends(3).provider);
    await host.batch([`link del ${A}`, "link del theirs"]);
  });

  test("addresses and ends that interconnects exchange move, and every one has its own", async () => {
    using directory = temporaryDirectory();
    await using edge = await LabEdge.open(host, edgeConfig("provider", directory.path, {}));
    const [one, two] = [interconnect(1), interconnect(2)];
    await edge.apply(account([one, two]));
    const { interfaceAddress, greEndpoint, link } = one;
    const swapped = account([
      { ...one, interfaceAddress: two.interfaceAddress, greEndpoint: two.greEndpoint, link: two.link },
      { ...two, interfaceAddress, greEndpoint, link },
    ]);
    expect((await edge.apply(swapped)).problems).toEqual([]);
    expect(await host.run(`ip -o addr show dev ${A}`)).toContain(ends(2).provider);
    expect(await host.run(`ip -o addr show dev ${B}`)).toContain(ends(1).provider);
    expect(await host.run(`ip route get ${ends(2).customer}`)).toContain(A);
    expect((await edge.apply(swapped)).steps).toEqual([]);
    await edge.reconciler.clean();
  });

  test("nothing is made that cannot be written down", async () => {
    using directory = temporaryDirectory();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4k,nr_inodes=20", "tmpfs", directory.path]);
    try {
      execFileSync("sh", ["-c", `head -c 4096 /dev/zero > ${directory.path}/full || true`]);
      const before = await everything(host);
      await using edge = await LabEdge.open(host, edgeConfig("provider", directory.path, map));
      const { steps, problems } = await edge.apply(full);
      expect(steps).toEqual([]);
      expect(problems.map(({ reason }) => reason).join()).toMatch(/cannot be written down: .*ENOSPC/);
      expect(await everything(host)).toBe(before);
      execFileSync("rm", [join(directory.path, "full")]);
      expect((await edge.apply(full)).problems).toEqual([]);
      // It is full again: there is one page, and the list is on it.
      expect((await edge.reconciler.clean()).problems).toEqual([]);
      expect(await everything(host)).toBe(before);
    } finally {
      execFileSync("umount", ["-l", directory.path]);
    }
  });

  test("the list of what was made is there before it, and has only what is there afterwards", async () => {
    using directory = temporaryDirectory();
    await using edge = await LabEdge.open(host, edgeConfig("provider", directory.path, map));
    await edge.apply(full);
    await edge.apply(account([interconnect(1)]));
    const made = JSON.parse(readFileSync(join(directory.path, "made.json"), "utf8"));
    expect(Object.keys(made.devices)).toEqual([A]);
    expect(made.mtus).toEqual({});
    expect(await host.run("ip -o link show port2")).toContain("mtu 1500");
    expect(Object.keys(made.tables)).toEqual(["inet patchbay"]);
    await edge.reconciler.clean();
  });
});

class Killed extends Error {}

/** Ends its agent after so many commands, of a batch after so many of its lines. */
class Mortal extends Commands {
  left = Number.POSITIVE_INFINITY;

  override async run(program: string, args: readonly string[], input = ""): Promise<string> {
    if (args.includes("show") || args.includes("list") || program === "grep")
      return super.run(program, args, input);
    const lines = args.includes("-batch") ? input.split("\n").filter(Boolean) : [input];
    if (lines.length <= this.left) {
      this.left -= lines.length;
      return super.run(program, args, input);
    }
    if (args.includes("-batch") && this.left > 0) {
      const done = lines.slice(0, this.left).map((line) => `${line}\n`);
      this.left = 0;
      await super.run(program, args, done.join(""));
    }
    throw new Killed();
  }
}

describe("an agent that is killed", needs(noNetworks), () => {
  const long = isLong;

  test("at any command leaves nothing that the next one does not find", { timeout: 600_000 }, async () => {
    using directory = temporaryDirectory();
    const config = edgeConfig("provider", directory.path, map);
    const before = await everything(host);
    const first = account([
      interconnect(1, { interfaceAddress: "10.200.7.0/31" }),
      interconnect(3, { returnRouting: true }),
    ]);
    let survived = false;
    for (let commands = 0; !survived; commands += long ? 1 : 11) {
      await using edge = await LabEdge.open(host, config);
      await edge.apply(first);
      const mortal = new Mortal(host.name);
      await edge.restart(mortal);
      mortal.left = commands;
      survived = await edge.apply(full).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Killed) return false;
          throw error;
        },
      );
      await edge.restart();
      expect((await edge.apply(full)).problems).toEqual([]);
      expect((await edge.apply(full)).steps).toEqual([]);
      await edge.restart();
      expect((await edge.reconciler.clean()).problems).toEqual([]);
      expect(await everything(host)).toBe(before);
    }
  });
});
