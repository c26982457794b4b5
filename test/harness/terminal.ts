/** `patchbay serve` without a process of its own, for what is refused before there is anything to end. */

import { expect } from "vitest";
import type { ServerOptions } from "../../src/server/config.ts";
import { serve, type Terminal } from "../../src/server/serve.ts";

/** A terminal that remembers what was said to it, and what is to happen at which signal. */
export class FakeTerminal implements Terminal {
  readonly said = { stdout: "", stderr: "" };
  readonly stops = new Map<string, () => void>();
  readonly stdout = { write: (text: string) => this.hear("stdout", text) };
  readonly stderr = { write: (text: string) => this.hear("stderr", text) };

  hear(stream: "stdout" | "stderr", text: string): void {
    this.said[stream] += text;
  }

  once(signal: string, stop: () => void): void {
    this.stops.set(signal, stop);
  }

  off(signal: string): void {
    this.stops.delete(signal);
  }
}

/** The sentence with which the command refuses to start. */
export async function refusalOf(
  options: ServerOptions,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const terminal = new FakeTerminal();
  const code = await serve(options, environment, terminal);
  return onlySentence({ code, ...terminal.said });
}

/** The one sentence that was all that a command said before it ended with 1. */
export function onlySentence(said: { code: number | null; stdout: string; stderr: string }): string {
  const { code, stdout, stderr } = said;
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: expect.any(String) });
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  return stderr.trimEnd();
}
