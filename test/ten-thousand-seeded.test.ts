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

  test("are seeded, and are there again after a restart, with little computing and little memory", async () => {
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
      `${COUNT} interconnects: seeded in ${seeding.seconds ?? "?"} s of CPU time, ready after a restart in ${restart.seconds ?? "?"} s, ${memory ?? "?"} MB resident`,
    );
    // The bench holds it to a third of it.
    if (seeding.seconds !== undefined) expect(seeding.seconds).toBeLessThan(20);
    if (restart.seconds !== undefined) expect(restart.seconds).toBeLessThan(6);
    if (memory !== undefined) expect(memory).toBeLessThan(200);
  });

  /** `seconds`: of CPU time of the server, as far as it has come; `undefined` where the system does not tell. */
  async function timed(action: () => Promise<Running>) {
    const result = await action();
    return { result, seconds: cpuSeconds(result) };
  }

  function cpuSeconds({ process: { pid } }: Running): number | undefined {
    if (process.platform !== "linux") return undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // proc(5): user and system time are fields 14 and 15, in hundredths of a second; the second field may have spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Linux tells it; elsewhere there is nothing to compare. */
  function residentMegabytes({ process: { pid } }: Running): number | undefined {
    if (process.platform !== "linux") return undefined;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
  }
});
