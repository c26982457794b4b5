/**
 * Tells whether somebody changed a table of ours, by what the kernel says to everybody who listens (`libnftnl`'s
 * group). Not by `nft monitor`, which reads all rules again with each change of many.
 */

import {
  AF_NETLINK,
  bindSocket,
  closeDescriptor,
  errno,
  inNamespace,
  netlinkAddress,
  Origin,
  openSocket,
  receiveFrom,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
  setOption,
} from "../native/libc.ts";

const NETLINK_NETFILTER = 12;
/** NFNLGRP_NFTABLES, the seventh, as a bit. */
const GROUP = 1 << 6;
/** Bytes that wait in the socket: a table of some ten thousand elements. */
const QUEUE = 8 << 20;
/** A message about a table names it; all of ours begin with it. */
const NAME = "patchbay";
const AGAIN = errno["EAGAIN"] ?? 11;

export class NftablesEvents implements Disposable {
  readonly #socket: number;
  readonly #origin = new Origin();
  readonly #message = Buffer.alloc(64 << 10);

  constructor(namespace: string | undefined) {
    this.#socket = inNamespace(namespace, () => openSocket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
    try {
      setOption(this.#socket, SOL_SOCKET, SO_RCVBUFFORCE, QUEUE);
      bindSocket(this.#socket, netlinkAddress(GROUP));
    } catch (error) {
      closeDescriptor(this.#socket);
      throw error;
    }
  }

  /** Since it was asked last. Also where so much was said that some of it is lost. */
  happened(): boolean {
    let found = false;
    for (;;) {
      const length = receiveFrom(this.#socket, this.#message, this.#origin);
      if (length === -AGAIN) return found;
      found ||= length < 0 || this.#message.subarray(0, length).includes(NAME);
      if (length < 0) return found;
    }
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#socket);
  }
}
