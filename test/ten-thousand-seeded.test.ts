import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { quietly, type Running, serve } from "./harness/command.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { ask, LIST, one } from "./harness/server.ts";
import { temporaryDirectory } from "./harness/temporary.ts";
import { idOf } from "./harness/worlds.ts";

describe("ten thousand interconnects", () => {
  const COUNT = 10_000;

  test("are seeded in seconds, and are there again within one of a restart, in little memory", async () => {
    const directory = temporaryDirectory();
    const file = join(directory, "world.yaml");
    writeFileSync(file, makeSeed(COUNT));
    const args = quietly(join(directory, "data"), file);

    const seeding = await timed(() => serve(args));
    const { body } = await ask(seeding.result.url, "GET", LIST, { token: OWN_TOKEN });
    expect(body.result.interconnects).toHaveLength(COUNT);
    await ask(seeding.result.url, "PUT", one(idOf(COUNT - 1)), { token: OWN_TOKEN, body: { mtu: 1400 } });
    await seeding.result.end("SIGKILL");

    const restart = await timed(() => serve(args));
    const last = await ask(restart.result.url, "GET", one(idOf(COUNT - 1)), { token: OWN_TOKEN });
    expect(last.body.result.interconnect.mtu).toBe(1400);
    const memory = residentMegabytes(restart.result);
    console.log(
      `${COUNT} interconnects: seeded in ${seeding.seconds} s, ready after a restart in ${restart.seconds} s, ${memory ?? "?"} MB resident`,
    );
    // A machine that has nothing else to do needs a third of it; the bench holds it to that.
    expect(seeding.seconds).toBeLessThan(20);
    expect(restart.seconds).toBeLessThan(6);
    if (memory !== undefined) expect(memory).toBeLessThan(200);
  });

  async function timed<T>(action: () => Promise<T>): Promise<{ result: T; seconds: number }> {
    const start = performance.now();
    const result = await action();
    return { result, seconds: Math.round(performance.now() - start) / 1000 };
  }

  /** Linux tells it; elsewhere there is nothing to compare. */
  function residentMegabytes({ process: { pid } }: Running): number | undefined {
    if (process.platform !== "linux") return undefined;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
  }
});
