/**
 * One end of a GRE tunnel that is no driver's: the kernel's where it has GRE, otherwise a TUN device and a process that puts
 * four bytes before each packet (RFC 2784) and takes them off again.
 *
 * As a program: DEVICE LOCAL REMOTE.
 */

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseAddress4 } from "../../src/contract/addresses.ts";
import {
  AF_INET,
  attachTun,
  bindSocket,
  IPPROTO_GRE,
  Origin,
  openFile,
  openSocket,
  Readiness,
  readInto,
  receiveFrom,
  SOCK_RAW,
  sendTo,
  socketAddress4,
  writeFrom,
} from "../../src/edge/native/libc.ts";
import { labDriver } from "./lab-driver.ts";
import type { Host } from "./namespaces.ts";

const PROGRAM = fileURLToPath(import.meta.url);
const HEADER = 4;

/** Makes the device, up; it goes with the host. */
export async function greEnd(host: Host, device: string, local: string, remote: string): Promise<void> {
  if (labDriver === "kernel") {
    await host.run(`ip link add ${device} type gre local ${local} remote ${remote} ttl 64`);
  } else {
    const { stdout } = host.spawn(process.execPath, [PROGRAM, device, local, remote]);
    if (stdout !== null) await once(stdout, "data");
  }
  await host.run(`ip link set ${device} mtu 1476 up`);
}

function carry(device: string, local: string, remote: string): void {
  const [from, to] = [parseAddress4(local), parseAddress4(remote)];
  if (from === undefined || to === undefined) throw new TypeError(`${local} or ${remote} is no IPv4 address`);
  const tunnel = openFile("/dev/net/tun");
  attachTun(tunnel, device);
  const outside = openSocket(AF_INET, SOCK_RAW, IPPROTO_GRE);
  bindSocket(outside, socketAddress4(from));
  const [there, origin] = [socketAddress4(to), new Origin()];
  // The header before the packet: its protocol is IPv4, all else is zero.
  const out = Buffer.alloc(2_048);
  out.writeUInt16BE(0x0800, 2);
  const inner = out.subarray(HEADER);
  const received = Buffer.alloc(2_048);
  const readiness = new Readiness();
  readiness.add(tunnel);
  readiness.add(outside);
  readiness.run((ready) => {
    if (ready === tunnel) {
      for (let length = readInto(tunnel, inner); length > 0; length = readInto(tunnel, inner))
        if ((inner[0] ?? 0) >> 4 === 4) sendTo(outside, out, HEADER + length, there);
      return;
    }
    for (;;) {
      const length = receiveFrom(outside, received, origin);
      if (length <= 0) return;
      const start = ((received[0] ?? 0) & 15) * 4 + HEADER;
      writeFrom(tunnel, received.subarray(start), length - start);
    }
  });
  console.log("carries");
}

if (process.argv[1] === PROGRAM) {
  const [device = "", local = "", remote = ""] = process.argv.slice(2);
  carry(device, local, remote);
}
