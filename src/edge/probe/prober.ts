/**
 * Sends probes and takes their answers, below the routing code: one packet socket sends whole IP packets out of a
 * device, another sees what any device receives before firewalls, connection tracking and routing do. So it is the
 * same for tunnels of either driver and for bare ports, and a reply-style probe, which is addressed to this machine,
 * leaves it at all.
 */

import { randomBytes } from "node:crypto";
import { parseAddress4 } from "../../contract/addresses.ts";
import { type Clock, usualClock } from "../clock.ts";
import type { Commands } from "../kernel/commands.ts";
import {
  AF_PACKET,
  attachFilter,
  bindSocket,
  closeDescriptor,
  ETH_P_IP,
  errno,
  linkAddress,
  Origin,
  openSocket,
  Readiness,
  receiveFrom,
  SO_RCVBUFFORCE,
  SOCK_DGRAM,
  SOL_SOCKET,
  sendTo,
  setOption,
} from "../native/libc.ts";
import { Lateness } from "./lateness.ts";
import { Outstanding } from "./outstanding.ts";
import {
  Answer,
  answerFilter,
  PACKET_LENGTH,
  type ProberIdentity,
  readAnswer,
  stamp,
  sumOfTemplate,
  template,
} from "./packets.ts";
import { RoundTrips } from "./round-trips.ts";
import { Schedule } from "./schedule.ts";
import type { ProbeTarget } from "./targets.ts";
import { isEthernet, obstacleText, problemText, type Way, Ways } from "./way.ts";

/**
 * What became of a probe: when it was sent and when that became known, by the monotonic clock. No round trip means lost;
 * `why` says more where nothing could be sent.
 */
export type Outcome = (
  interconnect: string,
  sent: number,
  time: number,
  roundTrip: number | undefined,
  why: string | undefined,
) => void;

export interface ProberFigures {
  readonly sent: number;
  readonly answered: number;
  /** Without an answer in time, or that could not be sent. */
  readonly lost: number;
  /** Of which nothing is known, since the process stood still or the target changed. */
  readonly forgotten: number;
  readonly outstanding: number;
  /** Milliseconds that the latest probes were sent later than planned. */
  readonly lateness: ReturnType<Lateness["summary"]>;
}

/** Part of the interval by which a probe may be later than its turn: at equal beats one would only ever see the same moment. */
const JITTER = 0.02;
/** Milliseconds. So far away at most is the first probe of a new target. */
const FIRST_WITHIN = 1_000;
/** Milliseconds that the process was late, after which nobody knows what became of the probes on their way. */
const STOOD_STILL = 2_000;
/** Milliseconds between two looks at a hardware address that is being looked for. */
const LOOK_AGAIN = 20;
/** Milliseconds for which it may be looked for before that counts as no answer. */
const LOOK_FOR = 1_000;
/** Milliseconds between extra probes where nothing could be sent: a device that is made anew is back by then. */
const SPACED = 200;
/** Packets taken in before others of the process get their turn. */
const AT_ONCE = 512;
/** Bytes, beyond what the kernel gives to anybody: answers wait there while the process is busy. */
const RECEIVE_BUFFER = 4 << 20;

class Probed {
  target: ProbeTarget;
  readonly packet: Buffer;
  readonly sum: number;
  readonly roundTrips = new RoundTrips();
  readonly way: Way;
  /** Was what became known last a failure, or is nothing known? */
  failing = false;
  /** Could the last one not even be sent? */
  blocked = false;
  gone = false;

  constructor(target: ProbeTarget, way: Way, identity: ProberIdentity) {
    this.target = target;
    this.way = way;
    const [source, destination] = [parseAddress4(target.source), parseAddress4(target.destination)];
    if (source === undefined || destination === undefined)
      throw new TypeError(`not IPv4: ${target.source} or ${target.destination}`);
    this.packet = template({ source, destination, type: target.type }, identity);
    this.sum = sumOfTemplate(this.packet);
  }
}

/** A probe that is to be sent. */
interface Planned {
  at: number;
  readonly probed: Probed;
  /** The turn of the interval that it is, without jitter; of an extra probe none. */
  turn: number | undefined;
  /** Since when it waits for a hardware address. */
  waitingSince: number | undefined;
}

export class Prober implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #outcome: Outcome;
  readonly #identity: ProberIdentity;
  readonly #ways: Ways;
  readonly #sender: number;
  readonly #receiver: number;
  readonly #readiness = new Readiness();
  readonly #targets = new Map<string, Probed>();
  readonly #schedule = new Schedule<Planned>();
  readonly #outstanding = new Outstanding<Probed>();
  readonly #lateness = new Lateness();
  readonly #answer = new Answer();
  readonly #origin = new Origin();
  readonly #received = Buffer.alloc(256);
  #timer: NodeJS.Timeout | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #sent = 0;
  #answered = 0;
  #lost = 0;
  #forgotten = 0;
  #closed = false;

  /** Throws `SystemError` unless the process may open packet sockets. */
  constructor({
    commands,
    outcome,
    clock = usualClock,
  }: { commands: Commands; outcome: Outcome; clock?: Clock }) {
    this.#clock = clock;
    this.#outcome = outcome;
    const random = randomBytes(6);
    this.#identity = { id: random.readUInt16BE(0), word: random.readUInt32BE(2) };
    this.#ways = new Ways(commands);
    this.#sender = openSocket(AF_PACKET, SOCK_DGRAM, 0);
    // Without a protocol it receives nothing, until the filter is there.
    this.#receiver = openSocket(AF_PACKET, SOCK_DGRAM, 0);
    attachFilter(this.#receiver, answerFilter(this.#identity));
    setOption(this.#receiver, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
    bindSocket(this.#receiver, linkAddress(ETH_P_IP, 0));
    this.#readiness.add(this.#receiver);
    this.#readiness.run(() => this.#receive());
  }

  /** From now on, these are probed. One that is as before is not disturbed; probes to others' old addresses are forgotten. */
  set(targets: readonly ProbeTarget[]): void {
    const now = this.#clock.monotonic();
    const named = new Set(targets.map(({ interconnect }) => interconnect));
    let left = false;
    for (const [id, probed] of this.#targets) {
      if (named.has(id)) continue;
      probed.gone = true;
      left = true;
      this.#targets.delete(id);
    }
    for (const target of targets) {
      const before = this.#targets.get(target.interconnect);
      if (before !== undefined && isSame(before.target, target)) continue;
      if (before !== undefined) {
        before.gone = true;
        left = true;
      }
      const probed = new Probed(target, this.#ways.of(target.device, target.neighbour), this.#identity);
      this.#targets.set(target.interconnect, probed);
      this.#plan(probed, now);
    }
    if (left) {
      this.#forgotten += this.#outstanding.forget(({ gone }) => gone);
      this.#ways.keep(new Set([...this.#targets.values()].map(({ way }) => way)));
    }
    this.#rearm();
  }

  /** Sends so many probes of an interconnect at once, beside those of its interval. */
  probeNow(interconnect: string, count: number): void {
    const probed = this.#targets.get(interconnect);
    if (probed === undefined) return;
    const now = this.#clock.monotonic();
    for (let each = 1; each <= count; each++) {
      const at = probed.blocked ? now + each * SPACED : now;
      this.#schedule.add({ at, probed, turn: undefined, waitingSince: undefined });
    }
    this.#rearm();
  }

  /** The latest round trip of an interconnect in milliseconds. */
  latest(interconnect: string): number | undefined {
    return this.#targets.get(interconnect)?.roundTrips.last;
  }

  get figures(): ProberFigures {
    return {
      sent: this.#sent,
      answered: this.#answered,
      lost: this.#lost,
      forgotten: this.#forgotten,
      outstanding: this.#outstanding.count,
      lateness: this.#lateness.summary(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#readiness.close();
    closeDescriptor(this.#receiver);
    closeDescriptor(this.#sender);
    this.#ways[Symbol.dispose]();
  }

  /** The first probe soon, all others at turns that are spread over the interval by the interconnect's id. */
  #plan(probed: Probed, now: number): void {
    const { interconnect, interval } = probed.target;
    const share = shareOf(interconnect);
    const at = now + share * Math.min(interval, FIRST_WITHIN);
    const turn = now + share * interval;
    const first = turn > at ? turn - interval : turn;
    this.#schedule.add({ at, probed, turn: first, waitingSince: undefined });
  }

  /** Everything that is due: answers first, so that none is taken for lost while it lies in the socket. */
  #run(): void {
    const late = this.#clock.monotonic() - this.#wakeAt;
    this.#wakeAt = Number.POSITIVE_INFINITY;
    const all = this.#receive();
    if (late > STOOD_STILL) this.#forgotten += this.#outstanding.forget(() => true);
    else if (all) this.#expire();
    const now = this.#clock.monotonic();
    for (let planned = this.#schedule.take(now); planned !== undefined; planned = this.#schedule.take(now)) {
      if (!planned.probed.gone) this.#turnOf(planned);
    }
    this.#rearm();
  }

  #rearm(): void {
    if (this.#closed) return;
    const at = Math.min(this.#schedule.next, this.#outstanding.nextDeadline());
    if (at >= this.#wakeAt) return;
    clearTimeout(this.#timer);
    this.#wakeAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    const wait = Math.min(Math.max(Math.ceil(at - this.#clock.monotonic()), 1), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#run(), wait);
  }

  #turnOf(planned: Planned): void {
    const now = this.#clock.monotonic();
    const { probed } = planned;
    if (!this.#isOpen(planned, now)) {
      planned.at = now + LOOK_AGAIN;
      this.#schedule.add(planned);
      return;
    }
    if (planned.waitingSince === undefined) this.#lateness.add(now - planned.at);
    this.#send(probed, now, planned.turn === undefined);
    if (planned.turn === undefined) return;
    const { interval } = probed.target;
    // Turns that were missed are not made up for.
    const next = planned.turn + interval * Math.max(1, Math.ceil((now - planned.turn) / interval));
    planned.turn = next;
    planned.at = next + Math.random() * JITTER * interval;
    planned.waitingSince = undefined;
    this.#schedule.add(planned);
  }

  /** Can it be sent, or is it known that it can't be? A hardware address is waited for, unless the interconnect fails anyway. */
  #isOpen(planned: Planned, now: number): boolean {
    const { probed } = planned;
    this.#ways.refresh(probed.way, now, probed.way.obstacle !== undefined);
    if (probed.way.obstacle !== "no hardware address" || probed.failing) return true;
    planned.waitingSince ??= now;
    return now - planned.waitingSince >= LOOK_FOR;
  }

  #send(probed: Probed, now: number, extra: boolean): void {
    const { way, packet } = probed;
    this.#sent++;
    if (way.address === undefined) {
      this.#failAtOnce(probed, now, obstacleText(way));
      return;
    }
    const slot = this.#outstanding.open(probed, now, now + probed.roundTrips.patience(extra));
    stamp(packet, probed.sum, slot, this.#outstanding.cookieOf(slot));
    let problem = sendTo(this.#sender, packet, PACKET_LENGTH, way.address);
    if (problem === errno["ENXIO"] || problem === errno["ENODEV"]) {
      this.#ways.refresh(way, now, true);
      problem =
        way.address === undefined ? problem : sendTo(this.#sender, packet, PACKET_LENGTH, way.address);
    }
    if (problem === 0) {
      probed.blocked = false;
      return;
    }
    this.#outstanding.close(slot);
    this.#failAtOnce(probed, now, problemText(way, problem));
  }

  #failAtOnce(probed: Probed, now: number, why: string): void {
    this.#lost++;
    probed.failing = true;
    probed.blocked = true;
    this.#outcome(probed.target.interconnect, now, now, undefined, why);
  }

  /** Takes answers in. Returns whether those were all. */
  #receive(): boolean {
    for (let count = 0; count < AT_ONCE; count++) {
      const received = receiveFrom(this.#receiver, this.#received, this.#origin);
      if (received === -(errno["EAGAIN"] ?? 0)) return true;
      // A device that went down says so once, and others still have something to say.
      if (received > 0) this.#take(received);
    }
    return false;
  }

  #take(received: number): void {
    const answer = this.#answer;
    if (!readAnswer(this.#received, received, this.#identity, answer)) return;
    const probed = this.#outstanding.find(answer.slot, answer.cookie);
    if (probed === undefined || !answers(answer, probed.packet)) return;
    const now = this.#clock.monotonic();
    const sent = this.#outstanding.sentAt(answer.slot);
    const roundTrip = now - sent;
    this.#outstanding.close(answer.slot);
    this.#answered++;
    probed.failing = false;
    probed.roundTrips.add(roundTrip);
    this.#outcome(probed.target.interconnect, sent, now, roundTrip, undefined);
  }

  #expire(): void {
    const now = this.#clock.monotonic();
    for (const { owner, sentAt, deadline } of this.#outstanding.expire(now)) {
      if (owner.gone) continue;
      this.#lost++;
      owner.failing = true;
      const { address } = owner.way;
      // Perhaps there is another machine at the other end by now.
      if (address !== undefined && isEthernet(address)) this.#ways.lookFor(owner.way, now);
      this.#outcome(owner.target.interconnect, sentAt, deadline, undefined, undefined);
    }
  }
}

/** An answer has the addresses of the probe: as they were in reply style, the other way round in request style. */
function answers({ source, destination }: Answer, packet: Buffer): boolean {
  const [from, to] = [packet.readUInt32BE(12), packet.readUInt32BE(16)];
  return packet[20] === 0 ? source === from && destination === to : source === to && destination === from;
}

function isSame(one: ProbeTarget, other: ProbeTarget): boolean {
  return (
    one.device === other.device &&
    one.source === other.source &&
    one.destination === other.destination &&
    one.neighbour === other.neighbour &&
    one.type === other.type &&
    one.interval === other.interval
  );
}

/** A place in the interval from 0 to below 1 that follows from the interconnect's id (FNV-1a). */
function shareOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}
