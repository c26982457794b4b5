/** What was on a wire, read by somebody else: captured by tcpdump, decoded field by field by tshark. */

import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Commands } from "../../src/edge/kernel/commands.ts";
import type { Host } from "./namespaces.ts";
import { missing } from "./programs.ts";

/** Why packets cannot be captured and decoded here; `undefined` if they can. */
export const noDissection = process.platform === "linux" ? missing("tcpdump", "tshark") : "it takes Linux";
/** Debian's Python, which is the one that sees its packages. */
export const PYTHON = "/usr/bin/python3";
export const noScapy =
  existsSync("/usr/lib/python3/dist-packages/scapy") && existsSync(PYTHON)
    ? undefined
    : "not installed: python3-scapy";

/** A field that occurs in several headers (outer and inner) has a value of each, the outer one first. */
export type Fields<Name extends string> = Readonly<Record<Name, readonly string[]>>;

export class Capture implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "patchbay-capture-"));
  readonly #child: ReturnType<Host["spawn"]>;

  private constructor(host: Host, device: string, filter: string) {
    const options = ["-i", device, "-U", "-n", "-s", "0", "--immediate-mode", "-Z", "root", "-w", this.#file];
    this.#child = host.spawn("tcpdump", [...options, filter]);
  }

  get #file(): string {
    return join(this.#folder, "packets.pcap");
  }

  /** Captures from now on. */
  static async start(host: Host, device: string, filter: string): Promise<Capture> {
    const capture = new Capture(host, device, filter);
    // "listening on …"
    if (capture.#child.stderr !== null) await once(capture.#child.stderr, "data");
    return capture;
  }

  /** Ends it, and decodes the packets. */
  async decode<Name extends string>(names: readonly Name[]): Promise<Fields<Name>[]> {
    const closed = once(this.#child, "close");
    this.#child.kill("SIGINT");
    await closed;
    const options = [
      "-o",
      "ip.check_checksum:TRUE",
      "-T",
      "fields",
      "-E",
      "separator=;",
      "-E",
      "occurrence=a",
    ];
    const fields = names.flatMap((name) => ["-e", name]);
    const out = await new Commands().run("tshark", ["-n", "-r", this.#file, ...options, ...fields]);
    return out
      .trimEnd()
      .split("\n")
      .map((line) => {
        const values = line.split(";").map((value) => (value === "" ? [] : value.split(",")));
        const row: Partial<Record<Name, readonly string[]>> = {};
        names.forEach((name, at) => {
          row[name] = values[at] ?? [];
        });
        return row as Fields<Name>;
      });
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
