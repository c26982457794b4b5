/** `apply --confirm-within` at a terminal, at the double of Cloudflare's API: this process keeps the time. */

import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { type At, fileOf, type RunningHere } from "./cli.ts";
import {
  type CloudflareDouble,
  type Meddling,
  type SeenRequest,
  startCloudflareDouble,
} from "./cloudflare-double.ts";
import { ORD } from "./server.ts";
import { temporaryDirectory } from "./temporary.ts";

/** The change: `pni_ord` has an MTU of 1476 before. */
export const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n";

/** The call that changes, as against those that look. */
export const changes = ({ method, query }: SeenRequest) => method === "PUT" && !query.has("validate_only");

export interface Timed<Running> {
  readonly running: Running;
  readonly undo: string;
}

/** Starts a command at a terminal, in this process or as one. */
export type Opening<Running> = (at: At, args: readonly string[]) => Running;

/** A double for each test, and the command at it. */
export class ClientTimer {
  /** What becomes of requests; reset before each test. */
  meddle: (request: SeenRequest) => Meddling | Promise<Meddling> = () => undefined;
  #double: CloudflareDouble | undefined;

  constructor() {
    beforeEach(async () => {
      this.meddle = () => undefined;
      this.#double = await startCloudflareDouble({ meddle: (request) => this.meddle(request) });
    });
    afterEach(() => this.#double?.close());
  }

  get double(): CloudflareDouble {
    if (!this.#double) throw new Error("It is there once a test runs.");
    return this.#double;
  }

  readonly mtu = () => this.double.interconnects().find(({ id }) => id === ORD)?.mtu;

  /** The command has asked, and waits for an answer. */
  async asked<Running extends RunningHere>(open: Opening<Running>, within = "5m"): Promise<Timed<Running>> {
    const undo = join(temporaryDirectory(), "undo.plan");
    const args = ["apply", "-f", fileOf(EDIT), "--confirm-within", within, "--undo", undo];
    const running = open(this.double, args);
    await running.hears(/Only "yes" is taken: /);
    return { running, undo };
  }

  /** The change is made, and the command counts down. */
  async counting<Running extends RunningHere>(
    open: Opening<Running>,
    within?: string,
  ): Promise<Timed<Running>> {
    const timed = await this.asked(open, within);
    timed.running.type("yes\r");
    await timed.running.hears(/Undone in /);
    expect(this.mtu()).toBe(1400);
    return timed;
  }
}
