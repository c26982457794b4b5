/** Probes over bare ports, to a customer's router that is the kernel's. */

import { describe, expect, test } from "vitest";
import type { ProbeTarget } from "../../../src/edge/probe/targets.ts";
import { canMakeNetworks, type Host, Network } from "../../harness/namespaces.ts";
import { Watching } from "../../harness/watching.ts";

const PROVIDER = "10.77.0.0";
const CUSTOMER = "10.77.0.1";

interface Port {
  readonly provider: Host;
  readonly customer: Host;
}

/** A provider and a customer, each with its end of the port. */
async function aPort(network: Network): Promise<Port> {
  const [provider, customer] = [await network.host("provider"), await network.host("customer")];
  await network.connect(provider, "port", customer, "wan");
  await provider.run(`ip addr add ${PROVIDER}/31 dev port`);
  await customer.run(`ip addr add ${CUSTOMER}/31 dev wan`);
  return { provider, customer };
}

function target(type: "request" | "reply", more: Partial<ProbeTarget> = {}): ProbeTarget {
  const [source, destination] = type === "request" ? [PROVIDER, CUSTOMER] : [CUSTOMER, PROVIDER];
  return {
    interconnect: "ic",
    device: "port",
    source,
    destination,
    neighbour: CUSTOMER,
    type,
    interval: 100,
    ...more,
  };
}

describe.skipIf(!canMakeNetworks)("probes over a bare port", () => {
  test("request style: the customer's kernel answers", async () => {
    await using network = new Network();
    const { provider } = await aPort(network);
    const watching = await Watching.start(provider);
    await watching.set([target("request")]);
    expect(await watching.transition("ic")).toMatchObject({
      from: null,
      to: "healthy",
      reason: "a probe was answered",
    });
    const look = await watching.until(({ figures }) => figures.answered >= 5);
    expect(look.figures).toMatchObject({ lost: 0, watched: 1 });
    expect(look.roundTrips["ic"]).toBeGreaterThan(0);
  });
});
