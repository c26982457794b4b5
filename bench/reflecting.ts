/** Two namespaces with a cable between them, and a kernel at the far end that sends probes back: cheaper than any router. */

import { randomBytes } from "node:crypto";
import { Commands } from "../src/edge/kernel/commands.ts";
import { deleteNamespace } from "../src/edge/kernel/removal.ts";

const here = new Commands();

export interface Reflector extends AsyncDisposable {
  /** The namespace from which probes are sent, out of the device `near`. */
  readonly namespace: string;
  readonly device: "near";
}

/**
 * A probe in reply style comes back as it is: what arrives on the far end is forwarded to where it came from, with its
 * hardware addresses turned round, before the kernel there routes anything.
 */
export async function reflector(): Promise<Reflector> {
  const prefix = `pbb-${randomBytes(3).toString("hex")}`;
  const [near, far] = [`${prefix}-near`, `${prefix}-far`];
  await here.run("ip", ["-batch", "-"], `netns add ${near}\nnetns add ${far}\n`);
  const inside = new Commands(near);
  await inside.run("ip", [
    "link",
    "add",
    "near",
    "address",
    "02:00:00:00:00:01",
    "type",
    "veth",
    "peer",
    "name",
    "far",
    "address",
    "02:00:00:00:00:02",
    "netns",
    far,
  ]);
  await inside.run(
    "ip",
    ["-batch", "-"],
    "link set lo up\nlink set near up\naddr add 10.0.0.0/31 dev near\nneigh add 10.0.0.1 dev near lladdr 02:00:00:00:00:02\n",
  );
  const there = new Commands(far);
  await there.run("ip", ["link", "set", "far", "up"]);
  await there.run(
    "nft",
    ["-f", "-"],
    `table netdev back {
       chain in {
         type filter hook ingress device "far" priority 0; policy accept;
         icmp type echo-reply ether saddr set 02:00:00:00:00:02 ether daddr set 02:00:00:00:00:01 fwd to "far"
       }
     }`,
  );
  return {
    namespace: near,
    device: "near",
    [Symbol.asyncDispose]: async () => {
      await Promise.all([near, far].map(deleteNamespace));
    },
  };
}
