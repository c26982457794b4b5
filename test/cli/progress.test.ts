/** Who waits longer than a second is told what for. */

import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { lint } from "../../src/cli/lint.ts";
import { Progress } from "../../src/cli/progress.ts";
import type { CommandProcess } from "../../src/cli/run.ts";
import { fileOf, noTerminal } from "../harness/cli.ts";
import { needs } from "../harness/needs.ts";
import { Operator } from "../harness/operator.ts";

/** Keeps every request until it is told to answer. */
const held: (() => void)[] = [];
let isHolding = true;
const server = createServer((_, response) => {
  const release = () => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ success: true, errors: [], messages: [], result: { interconnects: [] } }));
  };
  if (isHolding) held.push(release);
  else release();
});
beforeEach(() => {
  isHolding = true;
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => server.close());

const operator = () =>
  new Operator({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "any" });
/** Answers what was asked, and whatever the command asks besides. */
const answer = async () => {
  isHolding = false;
  for (const release of held.splice(0)) release();
  return "";
};

/** With a bar wherever the line is begun anew. */
const lines = (screen: string) => screen.replaceAll("\r\u001b[K", "|");

const many = Array.from(
  { length: 6_000 },
  (_, index) => `  one_${index}:\n    description: number ${index}\n    mtu: 1400\n`,
);
const large = () => fileOf(`interconnects:\n${many.join("")}`);

describe("at a terminal", () => {
  test("a server that takes its time is named, with the seconds, until it has answered", async () => {
    const { code, screen } = await operator().draw(["get"], [[/… \d+ s .*… \d+ s /s, answer]]);
    expect(code).toBe(0);
    // A second may be missing where the machine computes something else.
    expect(lines(screen)).toMatch(/^\|(Waiting for 127\.0\.0\.1:\d+ … \d+ s \|){2,}No interconnects\.\n$/);
  });

  test("what is interrupted leaves no half line", needs(noTerminal), async () => {
    const { code, screen } = await operator().drawProcess(["get"], [[/… \d+ s /, "\u0003"]]);
    expect(code).toBe(130);
    expect(lines(screen)).toMatch(/ … \d+ s \^C\|\nInterrupted\. Nothing was changed\.\n$/);
  });

  test("a large file is told before it is read", async () => {
    const file = large();
    const { code, screen } = await new Operator().draw(["lint", "-f", file]);
    expect(code).toBe(0);
    expect(lines(screen).startsWith(`|Reading ${file} … |`)).toBe(true);
    expect(screen).toContain("6,000 interconnects, nothing wrong.\n");
  });

  test("not with --quiet", async () => {
    const { screen } = await new Operator().draw(["lint", "--quiet", "-f", large()]);
    expect(screen).not.toContain("Reading");
  });
});

test("the first second is told, also where the timer fires a fraction of a millisecond early", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const now = vi.spyOn(performance, "now").mockReturnValue(5_000);
  const stream = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: true });
  using _wait = new Progress(stream as unknown as NodeJS.WriteStream, true).during("Waiting for a server");
  now.mockReturnValue(5_999.6);
  vi.advanceTimersByTime(1_000);
  expect(stream.read()).toBe(null);
  now.mockReturnValue(6_000.6);
  vi.advanceTimersByTime(1);
  expect(lines(stream.read())).toBe("|Waiting for a server … 1 s ");
  now.mockRestore();
});

test("not without a terminal", async () => {
  const { code, stderr } = await new Operator().run(["lint", "-f", large()]);
  expect(code).toBe(0);
  expect(stderr).not.toContain("Reading");
});

test("ctrl-c ends a command that waits for its input", async () => {
  const terminal = new EventEmitter();
  const said = new PassThrough({ encoding: "utf8" });
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: said };
  const exited = new Promise<number>((exit) => Object.assign(terminal, streams, { exit }));
  const linting = lint({ file: "-" }, {}, terminal as unknown as CommandProcess);
  terminal.emit("SIGINT");
  expect(await exited).toBe(130);
  expect(said.read()).toBe("\nInterrupted. Nothing was changed.\n");
  streams.stdin.end("interconnects: {}\n");
  expect(await linting).toBe(0);
});
