/** Whom an edge probes: from where, where to and how, by the interconnect's settings. */

import { describe, expect, test } from "vitest";
import type { EdgeHealthCheck, EdgeInterconnect } from "../../../src/edge/account.ts";
import { USUAL_RATES } from "../../../src/edge/config.ts";
import { probeTargets, unwatched } from "../../../src/edge/probe/targets.ts";

type Check = Partial<EdgeHealthCheck>;

function interconnect(check: Check, more: Partial<EdgeInterconnect> = {}): EdgeInterconnect {
  return {
    id: "c4a7362d577a6c3019a474fd6f485821",
    name: "one",
    version: "1",
    interfaceAddress: "10.100.0.8/31",
    interfaceAddress6: undefined,
    mtu: 1476,
    returnRouting: false,
    greEndpoint: "203.0.113.1",
    link: { provider: "192.0.2.0/31", customer: "192.0.2.1/31" },
    port: undefined,
    slot: undefined,
    bgp: undefined,
    ...more,
    healthCheck: {
      enabled: true,
      rate: "mid",
      type: "request",
      direction: "bidirectional",
      target: "10.100.0.9",
      source: undefined,
      ...check,
    },
  };
}

const config = { role: "provider", rates: USUAL_RATES, map: new Map(), probeSource: undefined } as const;
const targetsOf = (one: EdgeInterconnect, more: Partial<Parameters<typeof probeTargets>[1]> = {}) =>
  probeTargets({ interconnects: [one] }, { ...config, ...more });

describe("as the provider", () => {
  test("bidirectional, request: from its end of the interface subnet to the customer's", () => {
    expect(targetsOf(interconnect({}))).toEqual([
      {
        interconnect: "c4a7362d577a6c3019a474fd6f485821",
        device: "pb-c4a7362d577a",
        source: "10.100.0.8",
        destination: "10.100.0.9",
        neighbour: "10.100.0.9",
        type: "request",
        interval: 10_000,
      },
    ]);
  });

  test("bidirectional, reply: self-addressed, the other way round", () => {
    expect(targetsOf(interconnect({ type: "reply" }))).toMatchObject([
      { source: "10.100.0.9", destination: "10.100.0.8", neighbour: "10.100.0.9", type: "reply" },
    ]);
  });

  test("bidirectional, with a source of its own (version 1.5)", () => {
    const own = interconnect(
      { source: "198.41.199.225" },
      { version: "1.5", port: "ord-1", greEndpoint: undefined },
    );
    const map = new Map([["ord-1", "eth1"]]);
    expect(targetsOf(own, { map })).toMatchObject([
      { device: "eth1", source: "198.41.199.225", destination: "10.100.0.9" },
    ]);
  });

  test("of a /30 the other host is the customer's", () => {
    expect(targetsOf(interconnect({}, { interfaceAddress: "10.100.0.9/30" }))).toMatchObject([
      { source: "10.100.0.9", destination: "10.100.0.10", neighbour: "10.100.0.10" },
    ]);
  });

  const unidirectional: Check = { direction: "unidirectional", target: "198.51.100.7" };

  test("unidirectional: from a public address to the target", () => {
    expect(targetsOf(interconnect(unidirectional))).toMatchObject([
      { source: "203.0.113.1", destination: "198.51.100.7", neighbour: "10.100.0.9", type: "request" },
    ]);
    expect(targetsOf(interconnect({ ...unidirectional, type: "reply" }))).toMatchObject([
      { source: "198.51.100.7", destination: "203.0.113.1", neighbour: "10.100.0.9", type: "reply" },
    ]);
  });

  test.each([
    ["what the edge is told", { probeSource: "198.51.100.1" }, {}, "198.51.100.1"],
    ["else the tunnel's end", {}, {}, "203.0.113.1"],
    ["else the link's", {}, { greEndpoint: undefined }, "192.0.2.0"],
    ["else the interface address", {}, { greEndpoint: undefined, link: undefined }, "10.100.0.8"],
  ])("the public address is %s", (_, told, more, source) => {
    expect(targetsOf(interconnect(unidirectional, more), told)).toMatchObject([{ source }]);
  });
});

describe("as the customer", () => {
  test.each([{}, { type: "reply" }, { direction: "unidirectional", target: "198.51.100.7" }] as Check[])(
    "it asks the provider's end, whatever the settings say: %o",
    (check) => {
      expect(targetsOf(interconnect(check), { role: "customer" })).toMatchObject([
        { source: "10.100.0.9", destination: "10.100.0.8", neighbour: "10.100.0.8", type: "request" },
      ]);
    },
  );
});

test.each([
  ["low", 60_000],
  ["mid", 10_000],
  ["high", 1_000],
] as const)("rate %s is a probe every %i ms", (rate, interval) => {
  expect(targetsOf(interconnect({ rate }))).toMatchObject([{ interval }]);
});

describe("without a target", () => {
  const tell = (one: EdgeInterconnect) => {
    expect(targetsOf(one)).toEqual([]);
    return unwatched({ interconnects: [one] }, config).map(({ reason }) => reason);
  };

  test("is an interconnect whose check is switched off: that is no problem", () => {
    expect(tell(interconnect({ enabled: false }))).toEqual([]);
  });

  test("is one whose port has no device, and it is told so", () => {
    expect(tell(interconnect({}, { version: "2", greEndpoint: undefined }))).toEqual([
      "is not probed: no device is mapped to its port",
    ]);
  });

  test("is one whose target is IPv6, which the API takes for unidirectional checks", () => {
    expect(tell(interconnect({ direction: "unidirectional", target: "2001:db8::7" }))).toEqual([
      "is not probed: probes are IPv4, and its target is 2001:db8::7",
    ]);
  });

  test("is one whose target nobody knows", () => {
    expect(tell(interconnect({ direction: "unidirectional", target: "" }))).toEqual([
      "is not probed: probes are IPv4, and its target is not known",
    ]);
  });
});
