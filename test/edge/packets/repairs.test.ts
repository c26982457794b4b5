import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Commands } from "../../../src/edge/kernel/commands.ts";
import { account, deviceOfNumber, ends, interconnect, Lab, route } from "../../harness/edge-lab.ts";
import { labDriver } from "../../harness/lab-driver.ts";
import { type Host, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { lostPings } from "../../harness/pings.ts";

const A = deviceOfNumber(1);

describe("what others broke", needs(noNetworks), () => {
  let lab: Lab;
  let edge: Host;
  const settings = account(
    [1, 2].map((number) =>
      interconnect(number, { returnRouting: true, interfaceAddress6: `fd00:${number}::/127` }),
    ),
    [
      route("10.9.0.0/16", 1, 100),
      route("10.9.0.0/16", 2, 100),
      route("fd00:e::/64", 1, 7, { nexthop: "fd00:1::1" }),
    ],
  );

  beforeAll(async () => {
    lab = await Lab.open([1, 2]);
    edge = lab.provider.host;
    expect((await lab.apply(settings)).problems).toEqual([]);
  });

  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test.each([
    ["a device is deleted", [`ip link del ${A}`]],
    [
      "addresses are removed",
      [`ip addr del ${ends(1).provider}/31 dev ${A}`, `ip addr del fd00:1::/127 dev ${A}`],
    ],
    ["a device is taken down", [`ip link set ${A} down`]],
    ["an MTU is changed", [`ip link set ${A} mtu 1300`]],
    ["rules are flushed", ["nft flush table inet patchbay_return"]],
    ["a table is gone", ["nft delete table inet patchbay"]],
    ["a rule of the routing policy is deleted", ["ip rule del pref 20001"]],
    [
      "routes are deleted",
      [
        "ip route del 10.9.0.0/16 proto 190",
        "ip route del unreachable 0.0.0.0/0 table 20001 metric 4278198272",
      ],
    ],
  ])("is noticed and repaired when %s, while the neighbour's traffic goes on", async (_, commands) => {
    const flood = edge.run(`ping -i 0.01 -c 60 -w 20 ${ends(2).customer}`);
    const broken = Promise.withResolvers<void>();
    using _drift = lab.provider.reconciler.onDrift(broken.resolve);
    for (const command of commands) await edge.run(command);
    await broken.promise;
    const outcome = await lab.provider.apply(settings);
    expect(outcome.problems).toEqual([]);
    expect(outcome.steps.length).toBeGreaterThan(0);
    expect((await lab.provider.apply(settings)).steps).toEqual([]);
    expect(await edge.reaches(ends(1).customer)).toBe(true);
    expect(await edge.reaches("fd00:1::1")).toBe(true);
    expect(await edge.run("ip -4 route show 10.9.0.0/16")).toContain("nexthop");
    expect(lostPings(await flood)).toEqual([]);
  });

  test("a second run does nothing, also that of another agent", async () => {
    await lab.provider.apply(settings);
    expect((await lab.provider.apply(settings)).steps).toEqual([]);
    await lab.provider.restart();
    expect((await lab.provider.apply(settings)).steps).toEqual([]);
  });

  test(
    "the process that carries tunnels is found by the next agent, and started again when it died",
    needs(labDriver === "kernel" ? "only the userspace driver has a process" : undefined),
    async () => {
      const [pid = 0] = await processes(edge);
      await lab.provider.restart();
      await lab.provider.apply(settings);
      expect(await processes(edge)).toEqual([pid]);
      const broken = Promise.withResolvers<void>();
      using _drift = lab.provider.reconciler.onDrift(broken.resolve);
      process.kill(pid, "SIGKILL");
      await broken.promise;
      expect((await lab.provider.apply(settings)).problems).toEqual([]);
      expect(await processes(edge)).not.toContain(pid);
      expect(await edge.reaches(ends(1).customer)).toBe(true);
    },
  );
});

/** The GRE process of a host. */
async function processes(host: Host): Promise<readonly number[]> {
  const pids = await new Commands().run("ip", ["netns", "pids", host.name]);
  return pids
    .split("\n")
    .filter(Boolean)
    .map(Number)
    .filter((pid) => commandOf(pid).includes("gre-process"));
}

/** Empty if it is gone by now. */
function commandOf(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
