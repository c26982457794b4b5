/** The way a probe leaves by: a device, and on Ethernet the hardware address of the other end. */

import type { Commands } from "../kernel/commands.ts";
import {
  AF_INET,
  closeDescriptor,
  control,
  ETH_P_IP,
  errno,
  linkAddress,
  openSocket,
  SOCK_DGRAM,
} from "../native/libc.ts";

const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const SIOCGARP = 0x8954;
const ARPHRD_ETHER = 1;
const ATF_COM = 2;
const ATF_PERM = 4;
/** Milliseconds for which what the kernel said is believed. */
const BELIEVED = 1_000;
/** Milliseconds between two requests to the kernel to look for hardware addresses. */
const ASK_EVERY = 500;

export class Way {
  readonly device: string;
  readonly neighbour: string;
  /** Where a packet is sent to; `undefined` while that is not known. */
  address: Buffer | undefined;
  /** What is in the way, if something is. */
  obstacle: "no device" | "no hardware address" | undefined;
  readAt = Number.NEGATIVE_INFINITY;

  constructor(device: string, neighbour: string) {
    this.device = device;
    this.neighbour = neighbour;
  }
}

/** Ways by device and neighbour, kept as fresh as it takes. */
export class Ways implements Disposable {
  readonly #commands: Commands;
  readonly #ways = new Map<string, Way>();
  readonly #socket = openSocket(AF_INET, SOCK_DGRAM, 0);
  readonly #wanted = new Set<Way>();
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking = false;
  #closed = false;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  of(device: string, neighbour: string): Way {
    const key = `${device} ${neighbour}`;
    const way = this.#ways.get(key) ?? new Way(device, neighbour);
    this.#ways.set(key, way);
    return way;
  }

  /** Keeps only these. */
  keep(ways: ReadonlySet<Way>): void {
    for (const [key, way] of this.#ways) if (!ways.has(way)) this.#ways.delete(key);
  }

  /** Looks whether the way is as it was: again after a second on Ethernet, elsewhere only when `again` says so. */
  refresh(way: Way, now: number, again = false): void {
    if (!again && now - way.readAt < BELIEVED) return;
    if (!again && way.address !== undefined && !isEthernet(way.address)) return;
    way.readAt = now;
    this.#read(way);
    if (way.obstacle === "no hardware address") this.lookFor(way, now);
  }

  #read(way: Way): void {
    const request = Buffer.alloc(40);
    request.write(way.device, 0, 15);
    const index = control(this.#socket, SIOCGIFINDEX, request) === 0 ? request.readInt32LE(16) : 0;
    request.fill(0, 16);
    if (index === 0 || control(this.#socket, SIOCGIFHWADDR, request) !== 0) {
      block(way, "no device");
    } else if (request.readUInt16LE(16) !== ARPHRD_ETHER) {
      open(way, tunnelAddress(index));
    } else {
      const { hardware } = this.#neighbour(way);
      if (hardware === undefined) block(way, "no hardware address");
      else open(way, linkAddress(ETH_P_IP, index, hardware));
    }
  }

  /** What the kernel knows of the neighbour: its hardware address, and whether somebody has set it for good. */
  #neighbour({ device, neighbour }: Way): { hardware: Buffer | undefined; forGood: boolean } {
    const request = Buffer.alloc(68);
    request.writeUInt16LE(AF_INET, 0);
    neighbour.split(".").forEach((octet, at) => {
      request.writeUInt8(Number(octet), 4 + at);
    });
    request.write(device, 52, 15);
    const flags = control(this.#socket, SIOCGARP, request) === 0 ? request.readInt32LE(32) : 0;
    return {
      hardware: (flags & ATF_COM) === 0 ? undefined : request.subarray(18, 24),
      forGood: (flags & ATF_PERM) !== 0,
    };
  }

  /**
   * Has the kernel look for the neighbour's hardware address, or make sure of it. Many are asked for in one command, twice
   * a second at most; where the neighbour is known, nothing changes. An address that somebody has set is left alone: of that the
   * command would make one that is looked for.
   */
  lookFor(way: Way, now: number): void {
    this.#wanted.add(way);
    if (this.#asking || this.#closed || now - this.#askedAt < ASK_EVERY) return;
    this.#asking = true;
    this.#askedAt = now;
    // At the end of this turn, when all that are wanted in it are known.
    setImmediate(() => this.#ask());
  }

  #ask(): void {
    const lines = [...this.#wanted]
      .filter((way) => !this.#closed && !this.#neighbour(way).forGood)
      .map(({ device, neighbour }) => `neigh replace ${neighbour} dev ${device} use`);
    this.#wanted.clear();
    if (lines.length === 0) {
      this.#asking = false;
      return;
    }
    this.#commands
      .run("ip", ["-force", "-batch", "-"], lines.join("\n"))
      // A device that has gone meanwhile is noticed by the next probe.
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false;
      });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    closeDescriptor(this.#socket);
  }
}

function block(way: Way, obstacle: "no device" | "no hardware address"): void {
  way.address = undefined;
  way.obstacle = obstacle;
}

function open(way: Way, address: Buffer): void {
  way.address = address;
  way.obstacle = undefined;
}

/** Of a device without hardware addresses; as long as the kernel wants it for a tunnel over IPv6. */
function tunnelAddress(index: number): Buffer {
  return Buffer.concat([linkAddress(ETH_P_IP, index, Buffer.alloc(0)), Buffer.alloc(12)]);
}

export function isEthernet(address: Buffer): boolean {
  return address[11] === 6;
}

/** What is in the way, in words. */
export function obstacleText({ device, neighbour, obstacle }: Way): string {
  return obstacle === "no hardware address"
    ? `${neighbour} does not answer on ${device}`
    : `there is no device ${device}`;
}

/** Why the kernel did not take a packet. */
export function problemText(way: Way, problem: number): string {
  if (problem === errno["ENXIO"] || problem === errno["ENODEV"]) return `there is no device ${way.device}`;
  if (problem === errno["ENETDOWN"]) return `${way.device} is down`;
  if (problem === errno["ENOBUFS"]) return `${way.device} takes no packets`;
  const name = Object.entries(errno).find(([, number]) => number === problem)?.[0];
  return `${way.device}: ${name ?? `error ${problem}`}`;
}
