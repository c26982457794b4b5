import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAddress4 } from "../../../src/contract/addresses.ts";
import {
  AF_PACKET,
  closeDescriptor,
  deviceIndex,
  ETH_P_IP,
  inNamespace,
  linkAddress,
  openSocket,
  SOCK_DGRAM,
  sendTo,
} from "../../../src/edge/native/libc.ts";
import { account, deviceOfNumber, ends, interconnect, Lab } from "../../harness/edge-lab.ts";
import { type Host, noNetworks } from "../../harness/namespaces.ts";
import { needs } from "../../harness/needs.ts";
import { Counters } from "../../harness/sockets.ts";

const TARGET = "172.64.240.252";

describe("a customer's edge sends probes of the reply kind back", needs(noNetworks), () => {
  let lab: Lab;
  let edge: Host;

  beforeAll(async () => {
    lab = await Lab.open([1, 2], { manageSysctls: false }, { manageSysctls: false });
    edge = lab.provider.host;
    const { problems } = await lab.apply(
      account([
        interconnect(1, { healthCheck: { ...interconnect(1).healthCheck, target: TARGET } }),
        interconnect(2, { version: "2", greEndpoint: undefined, mtu: 1500 }),
      ]),
    );
    // Only that settings of the machine are as they are.
    expect(problems.filter(({ reason }) => !reason.includes("net.ipv4"))).toEqual([]);
    // The neighbour is known, as it is where there is traffic.
    expect(await edge.reaches(ends(2).customer)).toBe(true);
  });

  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test.each([
    ["on a tunnel", 1, deviceOfNumber(1), ends(1).customer],
    ["on a bare port", 2, "eth2", ends(2).customer],
    ["from the health check's target", 1, deviceOfNumber(1), TARGET],
  ])(
    "%s, below the routing code: nothing has to be forwarded or believed",
    async (_, number, device, source) => {
      const counters = await Counters.open(edge, {
        back: `iifname "${device}" ip saddr ${source} ip daddr ${ends(number).provider} icmp type echo-reply`,
      });
      const packet = echoReply(source, ends(number).provider);
      const neighbour = await edge.run(`ip -o neigh show dev ${device}`);
      const hardware = /lladdr ([0-9a-f:]+)/.exec(neighbour)?.[1]?.split(":") ?? [];
      inNamespace(edge.name, () => {
        const fd = openSocket(AF_PACKET, SOCK_DGRAM, 0);
        const to = linkAddress(
          ETH_P_IP,
          deviceIndex(device),
          Buffer.from(hardware.map((byte) => Number.parseInt(byte, 16))),
        );
        expect(sendTo(fd, packet, packet.length, to)).toBe(0);
        closeDescriptor(fd);
      });
      expect(await counters.until(({ back = 0 }) => back > 0)).toEqual({ back: 1 });
      await edge.run("nft delete table inet test");
      // The customer's own ping is none of this.
      expect(await lab.customer(number).host.reaches(ends(number).provider)).toBe(true);
    },
  );
});

function echoReply(source: string, destination: string): Buffer {
  const packet = Buffer.alloc(84);
  packet.writeUInt16BE(0x4500, 0);
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = 1;
  packet.writeUInt32BE(parseAddress4(source) ?? 0, 12);
  packet.writeUInt32BE(parseAddress4(destination) ?? 0, 16);
  packet.writeUInt16BE(sum(packet.subarray(0, 20)), 10);
  packet.writeUInt16BE(33504, 24);
  packet.writeUInt16BE(sum(packet.subarray(20)), 22);
  return packet;
}

/** RFC 1071. */
function sum(bytes: Buffer): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += bytes.readUInt16BE(at);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}
