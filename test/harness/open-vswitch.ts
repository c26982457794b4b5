/**
 * Open vSwitch in a host of a test's network, with its userspace datapath, as the other end of one GRE tunnel: an
 * implementation that shares nothing with ours or with the kernel's.
 */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Host } from "./namespaces.ts";

const SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema";
/** Of a neighbour that nobody is: whatever goes to it goes into the tunnel. */
const BEYOND = "02:00:00:00:00:99";
const INNER = "02:00:00:00:00:02";

export interface SwitchTunnel {
  /** The cable's end in this host; the switch takes it. */
  readonly port: string;
  /** This end of the link with its prefix length, and the other one. */
  readonly link: string;
  readonly gateway: string;
  readonly remote: string;
  /** This end of the interface subnet with its prefix length, and the other one. */
  readonly inner: string;
  readonly innerPeer: string;
  readonly mtu: number;
}

/** Ready to carry when it resolves. It ends with the host. `directory` is for its database and sockets. */
export async function startSwitch(host: Host, directory: string, tunnel: SwitchTunnel): Promise<void> {
  const { port, link, gateway, remote, inner, innerPeer, mtu } = tunnel;
  const at = (name: string) => join(directory, name);
  const [ctl, db] = [at("switch.ctl"), `unix:${at("db.sock")}`];
  await host.run(`ovsdb-tool create ${at("conf.db")} ${SCHEMA}`);
  const env = { ...process.env, OVS_RUNDIR: directory, OVS_LOGDIR: directory };
  const store = host.spawn(
    "ovsdb-server",
    [at("conf.db"), `--remote=p${db}`, `--unixctl=${at("db.ctl")}`, "--verbose=console:off"],
    env,
  );
  const change = (...words: string[]) => host.commands.run("ovs-vsctl", [`--db=${db}`, ...words]);
  await untilDone(store, () => change("--no-wait", "init"));
  const daemon = host.spawn("ovs-vswitchd", [db, `--unixctl=${ctl}`, "--verbose=console:off"], env);
  const ask = (...words: string[]) => host.commands.run("ovs-appctl", ["-t", ctl, ...words]);
  await untilDone(daemon, () => ask("version"));

  // What the switch takes in is not to be answered by the kernel beside it, which knows no GRE there.
  await host.run(
    "nft -f -",
    `table netdev quiet { chain in { type filter hook ingress device ${port} priority 0; policy drop; }; }`,
  );
  const bridge = (name: string, hardware: string) => [
    ...["--", "add-br", name, "--", "set", "bridge", name, "datapath_type=netdev"],
    ...["fail_mode=secure", `other-config:hwaddr="${hardware}"`],
  ];
  await change(
    ...bridge("br-phy", "02:00:00:00:00:01").slice(1),
    ...["--", "add-port", "br-phy", port],
    ...bridge("br-int", INNER),
    ...["--", "add-port", "br-int", "gre0", "--", "set", "interface", "gre0", "type=gre"],
    ...["options:packet_type=legacy_l3", `options:remote_ip=${remote}`, `options:local_ip=${bare(link)}`],
  );
  const flows = (name: string, lines: readonly string[]) =>
    host.run(`ovs-ofctl add-flows ${at(`${name}.mgmt`)} -`, lines.join("\n"));
  await flows("br-phy", ["actions=NORMAL"]);
  await flows("br-int", [
    // A router: what comes out of the tunnel for its other end goes back into it.
    `priority=20,in_port=gre0,ip,nw_dst=${innerPeer},actions=IN_PORT`,
    `priority=10,in_port=gre0,actions=mod_dl_dst:${INNER},LOCAL`,
    "priority=10,in_port=LOCAL,actions=output:gre0",
  ]);
  await host.batch([
    `addr add ${link} dev br-phy`,
    "link set br-phy up",
    `route add ${remote}/32 via ${gateway} dev br-phy`,
    `addr add ${inner} dev br-int`,
    `link set br-int mtu ${mtu} up`,
    `neigh add ${innerPeer} lladdr ${BEYOND} dev br-int`,
  ]);
}

/** What the tunnel's port of the switch counted. */
export async function switchCounts(
  host: Host,
  directory: string,
): Promise<{ readonly received: number; readonly sent: number }> {
  const text = await host.run(`ovs-ofctl dump-ports ${join(directory, "br-int.mgmt")} gre0`);
  const count = (way: "rx" | "tx") => Number(new RegExp(`${way} pkts=(\\d+)`).exec(text)?.[1]);
  return { received: count("rx"), sent: count("tx") };
}

function bare(address: string): string {
  return address.split("/", 1)[0] ?? address;
}

/** A daemon takes nothing until it is up; one that ended never will. */
async function untilDone(daemon: ChildProcess, act: () => Promise<unknown>): Promise<void> {
  let complaints = "";
  daemon.stderr?.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const ended = once(daemon, "close").then(() => true);
  const deadline = performance.now() + 20_000;
  for (;;) {
    const failure = await act().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    const over = await Promise.race([ended, setTimeout(50, false)]);
    if (over || performance.now() > deadline)
      throw new Error(`it is not up: ${complaints}`, { cause: failure });
  }
}
