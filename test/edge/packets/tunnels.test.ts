import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelDriver } from "../../../src/edge/drivers/kernel.ts";
import { UserspaceDriver } from "../../../src/edge/drivers/userspace.ts";
import {
  account,
  deviceOfNumber,
  ends,
  interconnect,
  Lab,
  temporaryDirectory,
} from "../../harness/edge-lab.ts";
import { labDriver } from "../../harness/lab-driver.ts";
import { type Host, Network, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { lostPings } from "../../harness/pings.ts";

describe("a tunnel", needs(noNetworks), () => {
  let lab: Lab;
  let host: Host;

  beforeAll(async () => {
    lab = await Lab.open([1, 1, 1]);
    host = lab.provider.host;
    const { problems } = await lab.apply(
      account([
        interconnect(1, { interfaceAddress6: "fd00:1::/127" }),
        interconnect(2, { interfaceAddress: "10.200.2.1/30", mtu: 576 }),
        interconnect(3, {
          version: "2",
          greEndpoint: undefined,
          interfaceAddress6: "fd00:3::/127",
          mtu: 1400,
        }),
      ]),
    );
    expect(problems).toEqual([]);
  });

  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test("carries IPv4 and IPv6 between the interface addresses, with a /30 as with a /31", async () => {
    expect(await host.reaches(ends(1).customer)).toBe(true);
    expect(await host.reaches("fd00:1::1")).toBe(true);
    expect(await host.reaches("10.200.2.2")).toBe(true);
    expect(await lab.customer(1).host.reaches("10.200.2.1")).toBe(true);
    expect(await host.run(`ip -o link show ${deviceOfNumber(1)}`)).toContain("alias ic-1");
  });

  test("takes packets up to its MTU and refuses larger ones that may not be cut", async () => {
    const whole = ["-M", "do"];
    // 20 bytes of IPv4 and 8 of ICMP.
    expect(await host.reaches(ends(1).customer, ...whole, "-s", "1448")).toBe(true);
    expect(await host.reachesAtOnce(ends(1).customer, ...whole, "-s", "1449")).toBe(false);
    expect(await host.reaches("10.200.2.2", ...whole, "-s", "548")).toBe(true);
    expect(await host.reachesAtOnce("10.200.2.2", ...whole, "-s", "549")).toBe(false);
    expect(await host.reaches("10.200.2.2", "-s", "1400")).toBe(true);
  });

  test("is plain GRE outside: no key, checksum or sequence number, TTL 64, not to be cut", async () => {
    // It ends after the fourth packet, maybe before the ping that brings it.
    const capture = host.spawn("tcpdump", ["-i", "eth1", "-U", "-c", "4", "-w", "-", "ip proto 47"]);
    const captured = once(capture, "close");
    const chunks: Buffer[] = [];
    capture.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(capture.stderr ?? capture, "data");
    expect(await host.reaches(ends(1).customer)).toBe(true);
    expect(await host.reaches("fd00:1::1")).toBe(true);
    await captured;
    const packets = packetsOf(Buffer.concat(chunks));
    expect(packets.map(described)).toEqual([
      "203.0.0.1 > 198.18.1.1 ttl 64 df GRE 0x0 0x800 length 108",
      "198.18.1.1 > 203.0.0.1 ttl 64 df GRE 0x0 0x800 length 108",
      "203.0.0.1 > 198.18.1.1 ttl 64 df GRE 0x0 0x86dd length 128",
      "198.18.1.1 > 203.0.0.1 ttl 64 df GRE 0x0 0x86dd length 128",
    ]);
  });

  test("is none where the version carries no GRE: the bare port has the addresses", async () => {
    expect(await host.reaches(ends(3).customer, "-M", "do", "-s", "1372")).toBe(true);
    expect(await host.reachesAtOnce(ends(3).customer, "-M", "do", "-s", "1373")).toBe(false);
    expect(await host.reaches("fd00:3::1")).toBe(true);
    expect(await host.run("ip -o link show")).not.toContain(deviceOfNumber(3));
  });

  test("speaks with one of the other driver", async () => {
    await using mixed = await Lab.open([1], {}, { driver: "userspace" });
    await mixed.apply(account([interconnect(1, { interfaceAddress6: "fd00:1::/127" })]));
    const { host: edge } = mixed.provider;
    expect(await edge.reaches(ends(1).customer, "-M", "do", "-s", "1448")).toBe(true);
    expect(await edge.reaches("fd00:1::1")).toBe(true);
    expect(lostPings(await edge.run(`ping -i 0.002 -c 500 -w 20 ${ends(1).customer}`))).toEqual([]);
  });

  test("may go over IPv6, of a driver that is told so", async () => {
    await using network = new Network();
    const [one, two] = [await network.host("one"), await network.host("two")];
    await network.connect(one, "eth0", two, "eth0");
    using directory = temporaryDirectory();
    using other = temporaryDirectory();
    const carry = async (
      host: Host,
      path: string,
      [local, remote]: readonly [string, string],
      own: string,
    ) => {
      const spec = { device: "pb-six", alias: "six", local, remote, ttl: 64, mtu: 1456, interconnect: "six" };
      const driver =
        labDriver === "kernel" ? new KernelDriver(host.commands) : new UserspaceDriver(host.commands, path);
      await host.batch([
        `addr add ${local}/64 dev eth0 nodad`,
        ...driver.adding(spec),
        "link set pb-six mtu 1456 up",
        `addr add ${own}/31 dev pb-six`,
      ]);
      expect(await driver.carry([spec])).toEqual(new Map());
    };
    const [a, b] = ["fd00:aa::1", "fd00:aa::2"] as const;
    await carry(one, directory.path, [a, b], "10.1.1.0");
    await carry(two, other.path, [b, a], "10.1.1.1");
    expect(await one.reaches("10.1.1.1", "-w", "20", "-M", "do", "-s", "1428")).toBe(true);
    expect(await two.reachesAtOnce("10.1.1.0", "-M", "do", "-s", "1429")).toBe(false);
  });
});

/** Of a pcap file of Ethernet, in the byte order of the machine. */
function packetsOf(file: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    found.push(file.subarray(at + 16 + 14, at + 16 + length));
    at += 16 + length;
  }
  return found;
}

function described(packet: Buffer): string {
  const address = (at: number) => [...packet.subarray(at, at + 4)].join(".");
  const fragment = packet.readUInt16BE(6) === 0x4000 ? "df" : "may be cut";
  const [flags, protocol] = [packet.readUInt16BE(20), packet.readUInt16BE(22)];
  const gre = `GRE 0x${flags.toString(16)} 0x${protocol.toString(16)}`;
  return `${address(12)} > ${address(16)} ttl ${packet[8]} ${fragment} ${gre} length ${packet.readUInt16BE(2)}`;
}
