import { describe, expect, test } from "vitest";
import { account, deviceOfNumber, ends, interconnect, Lab } from "../../harness/edge-lab.ts";
import { canMakeNetworks } from "../../harness/namespaces.ts";

describe.skipIf(!canMakeNetworks)("a tunnel", () => {
  test("carries IPv4 and IPv6 between the interface addresses, with a /30 as with a /31", async () => {
    await using lab = await Lab.open(2);
    const outcome = await lab.apply(
      account([
        interconnect(1, { interfaceAddress6: "fd00:1::/127" }),
        interconnect(2, { interfaceAddress: "10.201.2.1/30" }),
      ]),
    );
    expect(outcome.problems).toEqual([]);
    const { host } = lab.provider;
    expect(await host.reaches(ends(1).customer)).toBe(true);
    expect(await host.reaches("fd00:1::1")).toBe(true);
    expect(await host.reaches("10.201.2.2")).toBe(true);
    expect(await lab.customer(2).host.reaches("10.201.2.1")).toBe(true);
    expect(await host.run(`ip -o link show ${deviceOfNumber(1)}`)).toContain("alias ic-1");
  });
});
