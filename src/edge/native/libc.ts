/**
 * The few system calls that Node has no function for: raw and packet sockets, TUN devices, waiting for many of them.
 * Constants are those of Linux on every architecture that Node 24 runs on.
 */

import koffi from "koffi";

const libc = koffi.load("libc.so.6");

/** `struct sock_fprog`. */
const FilterProgram = koffi.struct({ length: "uint16_t", steps: "const void *" });

const calls = {
  socket: libc.func("int socket(int domain, int type, int protocol)"),
  close: libc.func("int close(int fd)"),
  bind: libc.func("int bind(int fd, const void *address, uint32_t length)"),
  setsockopt: libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)"),
  setfilter: libc.func("setsockopt", "int", ["int", "int", "int", koffi.pointer(FilterProgram), "uint32_t"]),
  sendto: libc.func(
    "long sendto(int fd, const void *data, unsigned long length, int flags, const void *address, uint32_t size)",
  ),
  recvfrom: libc.func(
    "long recvfrom(int fd, void *data, unsigned long length, int flags, void *address, void *size)",
  ),
  open: libc.func("int open(const char *path, int flags)"),
  read: libc.func("long read(int fd, void *data, unsigned long length)"),
  write: libc.func("long write(int fd, const void *data, unsigned long length)"),
  ioctl: libc.func("int ioctl(int fd, unsigned long request, void *argument)"),
  if_nametoindex: libc.func("uint32_t if_nametoindex(const char *name)"),
  epoll_create1: libc.func("int epoll_create1(int flags)"),
  epoll_ctl: libc.func("int epoll_ctl(int epoll, int operation, int fd, const void *event)"),
  epoll_wait: libc.func("int epoll_wait(int epoll, void *events, int most, int timeout)"),
};

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;
export const IPPROTO_GRE = 47;
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_BINDTODEVICE = 25;
export const SO_ATTACH_FILTER = 26;
export const SO_RCVBUFFORCE = 33;
export const SO_MARK = 36;
export const IPPROTO_IP = 0;
export const IP_HDRINCL = 3;
export const IP_MTU_DISCOVER = 10;
export const IPPROTO_IPV6 = 41;
export const O_RDWR = 2;
export const O_NONBLOCK = 0x800;
export const O_CLOEXEC = 0x80000;
export const TUNSETIFF = 0x400454ca;
export const IFF_TUN = 0x0001;
export const IFF_NO_PI = 0x1000;

export const errno = koffi.os.errno;

/** A system call failed. `code` is its number, of which `errno` has the names. */
export class SystemError extends Error {
  readonly code: number;

  constructor(call: string, code: number) {
    super(`${call}: ${nameOf(code)}`);
    this.name = "SystemError";
    this.code = code;
  }
}

function nameOf(code: number): string {
  return Object.entries(errno).find(([, number]) => number === code)?.[0] ?? `error ${code}`;
}

function checked(call: string, result: number): number {
  if (result < 0) throw new SystemError(call, koffi.errno());
  return result;
}

/** A descriptor of a socket that neither blocks nor is inherited. Throws `SystemError`: EPERM unless one is root. */
export function openSocket(domain: number, type: number, protocol: number): number {
  return checked("socket", calls.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

/** A descriptor of a device file, likewise. */
export function openFile(path: string): number {
  return checked(`open ${path}`, calls.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

export function closeDescriptor(fd: number): void {
  calls.close(fd);
}

/** `address` is a `sockaddr` of the socket's domain. */
export function bindSocket(fd: number, address: Buffer): void {
  checked("bind", calls.bind(fd, address, address.length));
}

export function setOption(fd: number, level: number, name: number, value: number | Buffer): void {
  const bytes = typeof value === "number" ? intBytes(value) : value;
  checked("setsockopt", calls.setsockopt(fd, level, name, bytes, bytes.length));
}

function intBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** From now on, the socket receives only what a program of the packet filter's steps (8 bytes each) lets pass. */
export function attachFilter(fd: number, steps: Buffer): void {
  const program = { length: steps.length / 8, steps };
  const size = koffi.sizeof(FilterProgram);
  checked("SO_ATTACH_FILTER", calls.setfilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, size));
}

/** A control call. `argument` is read and written. Returns 0, or the number of what went wrong. */
export function control(fd: number, request: number, argument: Buffer): number {
  return calls.ioctl(fd, request, argument) < 0 ? koffi.errno() : 0;
}

/** Sends one packet. Returns 0, or the number of what went wrong: a full queue or a device that is gone is no bug. */
export function sendTo(fd: number, data: Buffer, length: number, address: Buffer | null): number {
  const sent = calls.sendto(fd, data, length, 0, address, address?.length ?? 0);
  return sent < 0 ? koffi.errno() : 0;
}

/** Where a packet came from: the `sockaddr`, filled by `receiveFrom`. */
export class Origin {
  readonly address: Buffer = Buffer.alloc(128);
  readonly size: Buffer = Buffer.alloc(4);
}

/** Bytes that were received; a negative number is what went wrong, of which `-errno.EAGAIN` means: nothing there. */
export function receiveFrom(fd: number, data: Buffer, origin: Origin): number {
  origin.size.writeUInt32LE(origin.address.length);
  const received: number = calls.recvfrom(fd, data, data.length, 0, origin.address, origin.size);
  return received < 0 ? -koffi.errno() : received;
}

/** Bytes that were read, or a negative number of what went wrong. */
export function readInto(fd: number, data: Buffer): number {
  const got: number = calls.read(fd, data, data.length);
  return got < 0 ? -koffi.errno() : got;
}

/** 0, or the number of what went wrong. */
export function writeFrom(fd: number, data: Buffer, length: number): number {
  return calls.write(fd, data, length) < 0 ? koffi.errno() : 0;
}

/** Attaches a descriptor of `/dev/net/tun` to a TUN device, which is made if it is not there; packets without header. */
export function attachTun(fd: number, device: string): void {
  const request = Buffer.alloc(40);
  request.write(device, 0, 15);
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
  checked(`TUNSETIFF ${device}`, calls.ioctl(fd, TUNSETIFF, request));
}

/** The device's number in the kernel; 0 if there is none of this name. */
export function deviceIndex(device: string): number {
  return calls.if_nametoindex(device);
}

/** `sockaddr_in`. `address` as a number, as `contract/addresses.ts` has it. */
export function socketAddress4(address: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt32BE(address, 4);
  return bytes;
}

/** `sockaddr_ll`: a device and the hardware address there, of which a device without such addresses needs none. */
export function linkAddress(protocol: number, index: number, hardware: Buffer = Buffer.alloc(6)): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16LE(AF_PACKET, 0);
  bytes.writeUInt16BE(protocol, 2);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt8(hardware.length, 11);
  hardware.copy(bytes, 12);
  return bytes;
}

const EPOLLIN = 1;
const ADD = 1;
const REMOVE = 2;
/** On x86-64 the structure is packed; elsewhere its number stands at a multiple of eight. */
const [EVENT_SIZE, EVENT_DATA] = process.arch === "x64" ? [12, 4] : [16, 8];
const MOST_EVENTS = 256;

/** Waits until one of several descriptors has something to read, without blocking the process. */
export class Readiness {
  readonly #epoll = checked("epoll_create1", calls.epoll_create1(O_CLOEXEC));
  readonly #events = Buffer.alloc(EVENT_SIZE * MOST_EVENTS);
  #closed = false;
  #waiting: Promise<void> = Promise.resolve();

  add(fd: number): void {
    const event = Buffer.alloc(EVENT_SIZE);
    event.writeUInt32LE(EPOLLIN, 0);
    event.writeInt32LE(fd, EVENT_DATA);
    checked("epoll_ctl", calls.epoll_ctl(this.#epoll, ADD, fd, event));
  }

  remove(fd: number): void {
    calls.epoll_ctl(this.#epoll, REMOVE, fd, Buffer.alloc(EVENT_SIZE));
  }

  /** Calls `ready` for each descriptor that has something, again and again until it is closed. */
  run(ready: (fd: number) => void): void {
    this.#waiting = this.#loop(ready);
  }

  async #loop(ready: (fd: number) => void): Promise<void> {
    while (!this.#closed) {
      const found = await this.#wait();
      for (let index = 0; index < found && !this.#closed; index++)
        ready(this.#events.readInt32LE(index * EVENT_SIZE + EVENT_DATA));
    }
  }

  #wait(): Promise<number> {
    return new Promise((resolve, reject) => {
      calls.epoll_wait.async(
        this.#epoll,
        this.#events,
        MOST_EVENTS,
        200,
        (error: Error | null, found: number) => (error ? reject(error) : resolve(Math.max(found, 0))),
      );
    });
  }

  /** Resolves when nothing waits any more; descriptors may be closed then. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#waiting;
    calls.close(this.#epoll);
  }
}
