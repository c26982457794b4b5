import { describe, expect, test } from "vitest";
import { account, edgeConfig, interconnect, route } from "../../../test/harness/edge-lab.ts";
import type { EdgeAccount, EdgeInterconnect } from "../account.ts";
import type { EdgeConfig } from "../config.ts";
import { desire } from "./desire.ts";
import { NO_NUMBERS, numbersFor } from "./numbers.ts";
import { tables } from "./tables.ts";

const provider = edgeConfig("provider", "/nowhere", {});
const customer = edgeConfig("customer", "/nowhere", { "slot-1": "eth1" });

function desired(settings: EdgeAccount, config: EdgeConfig = provider, states: [string, "down"][] = []) {
  const numbers = numbersFor(settings, config, NO_NUMBERS);
  return desire({ account: settings, config, states: new Map(states), numbers, without: new Map() });
}

describe("an interconnect of version 1", () => {
  test("is a tunnel from the provider's GRE endpoint to the customer's end of the link, on both sides", () => {
    const settings = account([interconnect(1)]);
    const ends = (config: EdgeConfig) =>
      [...desired(settings, config).tunnels.values()].map(({ local, remote }) => [local, remote]);
    expect(ends(provider)).toEqual([["203.0.0.1", "198.18.1.1"]]);
    expect(ends(customer)).toEqual([["198.18.1.1", "203.0.0.1"]]);
  });

  test.each([
    ["10.1.0.8/31", "10.1.0.8/31", "10.1.0.9/31"],
    ["10.1.0.9/31", "10.1.0.9/31", "10.1.0.8/31"],
    ["10.1.0.9/30", "10.1.0.9/30", "10.1.0.10/30"],
    ["10.1.0.10/30", "10.1.0.10/30", "10.1.0.9/30"],
  ])("%s is the provider's, the other host the customer's", (interfaceAddress, ours, theirs) => {
    const settings = account([interconnect(1, { interfaceAddress })]);
    const own = (config: EdgeConfig) =>
      desired(settings, config)
        .addresses.filter(({ device }) => device.startsWith("pb-"))
        .map(({ address }) => address);
    expect(own(provider)).toEqual([ours]);
    expect(own(customer)).toEqual([theirs]);
  });

  test("has the addresses of its link on a port that is mapped, and the way to the endpoint over it", () => {
    const { addresses, routes } = desired(account([interconnect(1)]), customer);
    expect(addresses[0]).toMatchObject({ device: "eth1", address: "198.18.1.1/31" });
    expect(routes).toMatchObject([{ prefix: "203.0.0.1/32", hops: [{ via: "198.18.1.0", device: "eth1" }] }]);
    const ours = desired(account([interconnect(1)]), { ...provider, map: new Map([["ic-1", "eth9"]]) });
    expect(ours.addresses).toMatchObject([
      { device: "eth9", address: "198.18.1.0/31" },
      { device: "lo", address: "203.0.0.1/32", anywhere: true },
      { address: "10.200.1.0/31" },
    ]);
  });

  test("carries no IPv6 below the MTU that IPv6 needs, and says so", () => {
    const { addresses, problems } = desired(
      account([interconnect(1, { mtu: 1279, interfaceAddress6: "fd00::/127" })]),
    );
    expect(addresses.some(({ address }) => address.includes(":"))).toBe(false);
    expect(problems.map(({ reason }) => reason)).toEqual([
      "IPv6 needs an MTU of 1280 bytes, it has 1279: only IPv4 is carried.",
    ]);
  });
});

test.each<[string, EdgeInterconnect[], string]>([
  [
    "no port is mapped for a bare one",
    [interconnect(1, { version: "2" })],
    "No port of this machine is mapped for it, and its version carries no GRE: map one of ic-1, slot-1.",
  ],
  [
    "the tunnel has no other end",
    [interconnect(1, { link: undefined })],
    "Its tunnel has no other end: the link below it has no addresses.",
  ],
  [
    "it has no endpoint",
    [interconnect(1, { greEndpoint: undefined })],
    "It has no GRE endpoint (gre.cloudflare_endpoint).",
  ],
])("is a problem of that interconnect alone where %s", (_, [broken], reason) => {
  const { problems, tunnels } = desired(account([...(broken ? [broken] : []), interconnect(2)]));
  expect(problems).toEqual([{ interconnect: interconnect(1).id, reason }]);
  expect(tunnels.size).toBe(1);
});

test("two that would share a port or the ends of a tunnel are a problem of the second", () => {
  const bare = { version: "2", slot: "slot-1" } as const;
  const onPort = desired(account([interconnect(1, bare), interconnect(2, bare)]), {
    ...provider,
    map: new Map([["slot-1", "eth1"]]),
  });
  expect(onPort.problems).toEqual([
    { interconnect: interconnect(2).id, reason: "Interconnect ic-1 has the port eth1." },
  ]);
  const { greEndpoint, link } = interconnect(1);
  const sameEnds = desired(account([interconnect(1), interconnect(2, { greEndpoint, link })]));
  expect(sameEnds.problems).toEqual([
    { interconnect: interconnect(2).id, reason: "Interconnect ic-1 has the ends of its tunnel." },
  ]);
  const id = `${interconnect(1).id.slice(0, 12)}${"f".repeat(20)}`;
  const sameDigits = desired(account([interconnect(1), interconnect(2, { id })]));
  expect(sameDigits.problems).toEqual([
    {
      interconnect: id,
      reason: expect.stringContaining("has the device pb-000000000001, which is called by"),
    },
  ]);
});

describe("static routes", () => {
  const two = [interconnect(1), interconnect(2)];
  const metrics = (routes: Parameters<typeof account>[1], states: [string, "down"][] = []) =>
    desired(account(two, routes), provider, states).routes.map(({ prefix, metric, hops }) => [
      prefix,
      metric,
      hops.map(({ device, weight }) => `${device.slice(-1)}*${weight}`).join(),
    ]);

  test("of equal prefix and priority are one, with weights", () => {
    expect(metrics([route("10.9.0.0/16", 1, 100, { weight: 7 }), route("10.9.0.0/16", 2, 100)])).toEqual([
      ["10.9.0.0/16", 100, "1*7,2*1"],
    ]);
  });

  test("over an interconnect that is down have 1,000,000 more", () => {
    const routes = [route("10.9.0.0/16", 1, 100), route("10.9.0.0/16", 2, 100)];
    expect(metrics(routes, [[interconnect(1).id, "down"]])).toEqual([
      ["10.9.0.0/16", 1_000_100, "1*1"],
      ["10.9.0.0/16", 100, "2*1"],
    ]);
  });

  test("of IPv6 never have the metric that the kernel takes for none", () => {
    const settings = account(
      [interconnect(1, { interfaceAddress6: "fd00:1::/127" })],
      [route("fd00:e::/64", 1, 0, { nexthop: "fd00:1::1" })],
    );
    expect(desired(settings).routes).toMatchObject([{ prefix: "fd00:e::/64", metric: 1 }]);
  });

  test("are the provider's alone", () => {
    expect(desired(account([interconnect(2)], [route("10.9.0.0/16", 2, 1)]), customer).routes).toEqual([]);
  });
});

describe("numbers of return routing", () => {
  const returning = (numbers: number[]) =>
    account(numbers.map((number) => interconnect(number, { returnRouting: true })));

  test("stay while the account has the interconnect, and are not given to another at once", () => {
    const first = numbersFor(returning([1, 2]), provider, NO_NUMBERS);
    expect(Object.values(first.given)).toEqual([1, 2]);
    const second = numbersFor(returning([2, 3]), provider, first);
    expect(second.given).toEqual({ [interconnect(2).id]: 2, [interconnect(3).id]: 3 });
    const off = numbersFor(account([interconnect(2)]), provider, second);
    expect(off.given).toEqual({ [interconnect(2).id]: 2 });
  });

  test("of sites are one for all interconnects of it", () => {
    const config = { ...provider, sameSite: [["ic-1", "ic-2"]] };
    const numbers = numbersFor(returning([1, 2, 3]), config, NO_NUMBERS);
    const made = desire({
      account: returning([1, 2, 3]),
      config,
      states: new Map(),
      numbers,
      without: new Map(),
    });
    const zones = [...made.interconnects.values()].map(({ returning: flow }) => flow?.zone);
    expect(zones[0]).toBe(zones[1]);
    expect(zones[0]).not.toBe(zones[2]);
    expect(new Set([...made.interconnects.values()].map(({ returning: flow }) => flow?.number)).size).toBe(3);
  });
});

test("a thousand interconnects cost two rules an MTU and side, not one each", () => {
  const many = Array.from({ length: 1000 }, (_, index) =>
    interconnect(index + 1, { mtu: 1400 + (index % 2) }),
  );
  const text = tables(desired(account(many)).interconnects.values(), "provider").get("inet patchbay") ?? "";
  expect(text.match(/maxseg/g)).toHaveLength(6);
  expect(text).toContain("size set 1361");
  expect(text).toContain("size set 1341");
});
