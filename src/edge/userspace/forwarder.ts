/**
 * GRE without the kernel's GRE (RFC 2784): packets of TUN devices go out in GRE, and GRE that comes in goes to the
 * device whose tunnel has its addresses.
 *
 * One raw socket carries all tunnels over IPv4, with the outer header of ours in front (TTL, DF). Over IPv6 one
 * socket sends, and one for each of our addresses receives, since the kernel tells a raw socket of IPv6 only the
 * sender. Keys, checksums and sequence numbers (RFC 2890) are stepped over, never sent. No packet makes an object.
 */

import { parseAddress4, parseAddress6 } from "../../contract/addresses.ts";
import {
  AF_INET,
  AF_INET6,
  attachTun,
  bindSocket,
  closeDescriptor,
  deviceIndex,
  errno,
  IP_HDRINCL,
  IPPROTO_GRE,
  IPPROTO_IP,
  isAttached,
  Origin,
  openFile,
  openSocket,
  Readiness,
  readInto,
  receiveFrom,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
  SystemError,
  sendTo,
  setOption,
  socketAddress4,
  socketAddress6,
  writeFrom,
} from "../native/libc.ts";
import type { CarriedTunnel } from "./control.ts";
import { HEADER4, HEADER6, outerHeader, PROTOCOL_IP, PROTOCOL_IPV6, payloadAt } from "./gre.ts";

/** Packets that one device or socket may bring before the next has its turn. */
const AT_ONCE = 64;
/** Bytes that wait in a socket: a burst of some thousand packets. */
const QUEUE = 8 << 20;
const MOST = 65_536;
/** Where the last 32 bits of the address stand in a `sockaddr_in6`. */
const LAST6 = 20;
const NONE: readonly Tunnel[] = [];
const AGAIN = errno["EAGAIN"] ?? 11;
const BUSY = errno["EBUSY"] ?? 16;
/** Of every packet sent with its header: `IPPROTO_RAW`. */
const IPPROTO_RAW = 255;

/** Tunnels by the last 32 bits of the other end's address of IPv6: a number makes no object where the address would. */
type Peers6 = Map<number, Tunnel[]>;

interface Tunnel extends CarriedTunnel {
  readonly fd: number;
  /** Bytes before the inner packet, in form. */
  readonly header: Buffer;
  /** Where it goes. */
  readonly address: Buffer;
  readonly six: boolean;
}

export class Forwarder {
  readonly #readiness = new Readiness();
  readonly #tunnels = new Map<string, Tunnel>();
  readonly #byDescriptor = new Map<number, Tunnel>();
  /** Tunnels over IPv4 by our address, then by theirs. */
  readonly #four = new Map<number, Map<number, Tunnel>>();
  readonly #socket4 = rawSocket4();
  /** Sockets that receive over IPv6, and the tunnels of their address. */
  readonly #six = new Map<number, { readonly local: string; readonly tunnels: Peers6 }>();
  #socket6: number | undefined;
  readonly #origin = new Origin();
  /** Outer header and all. */
  readonly #packet = Buffer.alloc(MOST + HEADER6);
  readonly #inner4 = this.#packet.subarray(HEADER4);
  readonly #inner6 = this.#packet.subarray(HEADER6);
  /** The packet from each offset that a payload was found at, so that none has to be made. */
  readonly #views: Buffer[] = [];

  constructor() {
    this.#readiness.add(this.#socket4);
    this.#readiness.run((fd) => this.#ready(fd));
  }

  /** What is carried; a device that somebody removed is no more. */
  list(): readonly CarriedTunnel[] {
    for (const tunnel of [...this.#tunnels.values()]) if (!isAttached(tunnel.fd)) this.#remove(tunnel);
    return [...this.#tunnels.values()].map(({ device, local, remote, ttl }) => ({
      device,
      local,
      remote,
      ttl,
    }));
  }

  /** Carries these and no others; what stays as it was is not touched. Resolves with what could not be, by device. */
  carry(wanted: readonly CarriedTunnel[]): ReadonlyMap<string, string> {
    this.list();
    const refused = new Map<string, string>();
    const names = new Set(wanted.map(({ device }) => device));
    for (const tunnel of [...this.#tunnels.values()]) if (!names.has(tunnel.device)) this.#remove(tunnel);
    const changed = wanted.filter((tunnel) => !same(this.#tunnels.get(tunnel.device), tunnel));
    // The ends of one may have been those of another: first none of them has any.
    const kept = changed.map((tunnel) => {
      const before = this.#tunnels.get(tunnel.device);
      if (before) this.#forget(before);
      return [tunnel, before?.fd] as const;
    });
    for (const [tunnel, fd] of kept) {
      const reason = this.#add(tunnel, fd);
      if (reason !== undefined) refused.set(tunnel.device, reason);
    }
    this.#closeUnused();
    return refused;
  }

  async close(): Promise<void> {
    await this.#readiness.close();
    for (const { fd } of this.#tunnels.values()) closeDescriptor(fd);
    for (const fd of this.#six.keys()) closeDescriptor(fd);
    if (this.#socket6 !== undefined) closeDescriptor(this.#socket6);
    closeDescriptor(this.#socket4);
  }

  /** `attached`: the descriptor that the device has already. */
  #add(wanted: CarriedTunnel, attached: number | undefined): string | undefined {
    const { device, local, remote, ttl } = wanted;
    const header = outerHeader(local, remote, ttl);
    const four = parseAddress4(remote);
    const six = parseAddress6(remote);
    const address =
      four !== undefined ? socketAddress4(four) : six !== undefined ? socketAddress6(six) : undefined;
    try {
      if (!header || !address) throw new Error(`${local} and ${remote} are not the ends of a tunnel`);
      const fd = attached ?? attach(device);
      const tunnel = { device, local, remote, ttl, fd, header, address, six: four === undefined };
      if (attached === undefined) this.#readiness.add(fd);
      this.#tunnels.set(device, tunnel);
      this.#byDescriptor.set(fd, tunnel);
      this.#remember(tunnel);
      return undefined;
    } catch (error) {
      if (attached !== undefined) {
        this.#readiness.remove(attached);
        closeDescriptor(attached);
      }
      return error instanceof Error ? error.message : String(error);
    }
  }

  #remember(tunnel: Tunnel): void {
    const ours = parseAddress4(tunnel.local);
    const theirs = parseAddress4(tunnel.remote);
    if (ours !== undefined && theirs !== undefined) {
      const peers = this.#four.get(ours) ?? new Map<number, Tunnel>();
      peers.set(theirs, tunnel);
      this.#four.set(ours, peers);
      return;
    }
    const peers = this.#receiving(tunnel.local);
    const last = tunnel.address.readUInt32BE(LAST6);
    peers.set(last, [...(peers.get(last) ?? []), tunnel]);
  }

  /** The tunnels of one of our addresses of IPv6, whose socket is opened with the first. */
  #receiving(local: string): Peers6 {
    for (const { local: address, tunnels } of this.#six.values()) if (address === local) return tunnels;
    this.#socket6 ??= openSocket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
    const fd = openSocket(AF_INET6, SOCK_RAW, IPPROTO_GRE);
    try {
      setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, QUEUE);
      bindSocket(fd, socketAddress6(parseAddress6(local) ?? 0n));
      this.#readiness.add(fd);
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
    const tunnels: Peers6 = new Map();
    this.#six.set(fd, { local, tunnels });
    return tunnels;
  }

  #closeUnused(): void {
    for (const [fd, { tunnels }] of this.#six) {
      if (tunnels.size > 0) continue;
      this.#six.delete(fd);
      this.#readiness.remove(fd);
      closeDescriptor(fd);
    }
  }

  /** Its ends carry nothing any more; the device stays attached. */
  #forget(tunnel: Tunnel): void {
    this.#tunnels.delete(tunnel.device);
    this.#byDescriptor.delete(tunnel.fd);
    const ours = parseAddress4(tunnel.local);
    if (ours !== undefined) {
      this.#four.get(ours)?.delete(parseAddress4(tunnel.remote) ?? 0);
      return;
    }
    for (const { tunnels } of this.#six.values()) {
      const last = tunnel.address.readUInt32BE(LAST6);
      const others = tunnels.get(last)?.filter((other) => other !== tunnel) ?? [];
      if (others.length > 0) tunnels.set(last, others);
      else tunnels.delete(last);
    }
  }

  #remove(tunnel: Tunnel): void {
    this.#forget(tunnel);
    this.#readiness.remove(tunnel.fd);
    closeDescriptor(tunnel.fd);
  }

  #ready(fd: number): void {
    const tunnel = this.#byDescriptor.get(fd);
    const receiving = this.#six.get(fd);
    if (fd === this.#socket4) this.#receive4();
    else if (tunnel) this.#send(tunnel);
    else if (receiving) this.#receive6(fd, receiving.tunnels);
  }

  #send(tunnel: Tunnel): void {
    const { fd, header, address, six } = tunnel;
    const space = six ? this.#inner6 : this.#inner4;
    const socket = six ? this.#socket6 : this.#socket4;
    if (socket === undefined) return;
    for (let count = 0; count < AT_ONCE; count++) {
      const length = readInto(fd, space);
      if (length <= 0) {
        // Neither empty nor down: the device is gone.
        if (length !== -AGAIN && !isAttached(fd)) this.#remove(tunnel);
        return;
      }
      const version = (space[0] ?? 0) >> 4;
      if (version !== 4 && version !== 6) continue;
      header.copy(this.#packet);
      this.#packet.writeUInt16BE(version === 4 ? PROTOCOL_IP : PROTOCOL_IPV6, header.length - 2);
      if (six) this.#packet.writeUInt16BE(length + 4, 4);
      sendTo(socket, this.#packet, header.length + length, address);
    }
  }

  #receive4(): void {
    const packet = this.#packet;
    for (let count = 0; count < AT_ONCE; count++) {
      const length = receiveFrom(this.#socket4, packet, this.#origin);
      if (length < 0) return;
      const tunnel = this.#four.get(packet.readUInt32BE(16))?.get(packet.readUInt32BE(12));
      if (tunnel) this.#deliver(tunnel, ((packet[0] ?? 0) & 15) * 4, length);
    }
  }

  #receive6(fd: number, peers: Peers6): void {
    for (let count = 0; count < AT_ONCE; count++) {
      const length = receiveFrom(fd, this.#packet, this.#origin);
      if (length < 0) return;
      const { address } = this.#origin;
      for (const tunnel of peers.get(address.readUInt32BE(LAST6)) ?? NONE)
        if (tunnel.address.compare(address, 8, 24, 8, 24) === 0) this.#deliver(tunnel, 0, length);
    }
  }

  /** `at`: where GRE begins. A device that is not up refuses, which loses the packet as a cable would. */
  #deliver(tunnel: Tunnel, at: number, length: number): void {
    const payload = payloadAt(this.#packet, at, length);
    if (payload === undefined) return;
    this.#views[payload] ??= this.#packet.subarray(payload);
    writeFrom(tunnel.fd, this.#views[payload], length - payload);
  }
}

function rawSocket4(): number {
  const fd = openSocket(AF_INET, SOCK_RAW, IPPROTO_GRE);
  setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, QUEUE);
  setOption(fd, IPPROTO_IP, IP_HDRINCL, 1);
  return fd;
}

/** Only a device that is there: attaching to another would make one that goes with this process. */
function attach(device: string): number {
  if (deviceIndex(device) === 0) throw new Error("the device is not there");
  const fd = openFile("/dev/net/tun");
  try {
    attachTun(fd, device);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    if (error instanceof SystemError && error.code === BUSY)
      throw new Error("another program is attached to the device", { cause: error });
    throw error;
  }
}

function same(one: CarriedTunnel | undefined, other: CarriedTunnel): boolean {
  return one?.local === other.local && one.remote === other.remote && one.ttl === other.ttl;
}
