import { once } from "node:events";
import { readdirSync, readlinkSync, statSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { deleteLinks, killProcesses, linkNames, namespaces } from "../../src/edge/kernel/removal.ts";
import { Network, noNetworks } from "../harness/namespaces.ts";
import { needs } from "../harness/needs.ts";

/** Starts a process that stays every two milliseconds, so that a list of them is out of date when it arrives. */
const MULTIPLYING = "echo ready; while :; do sleep 60 & sleep 0.002; done";

/** The processes of this machine in the namespace with an inode number. */
function processesIn(inode: number): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/net`) === `net:[${inode}]`;
    } catch {
      return false;
    }
  });
}

describe("removal", needs(noNetworks), () => {
  test("of a namespace resolves when no process in it is left", async () => {
    const host = await new Network().host("busy");
    const { ino } = statSync(`/run/netns/${host.name}`);
    const child = host.spawn("sh", ["-c", MULTIPLYING]);
    if (child.stdout) await once(child.stdout, "data");
    expect(processesIn(ino)).not.toEqual([]);
    await host.end();
    expect(processesIn(ino)).toEqual([]);
    expect(await namespaces()).not.toContain(host.name);
  });

  test("of the links of the machine whose other end is in a namespace", async () => {
    await using network = new Network();
    const host = await network.host("far");
    await host.run(`ip link add far type veth peer name pbt-near netns ${process.pid}`);
    expect(await linkNames()).toContain("pbt-near");
    await deleteLinks((name) => name === "pbt-near");
    expect(await linkNames()).not.toContain("pbt-near");
    expect(await linkNames(host.commands)).not.toContain("far");
  });

  test("of a process that cannot be killed ends with a sentence", async () => {
    // Found at each search, and never ended: as one that waits for a disk that does not answer.
    const immortal = async () => [process.pid];
    using killing = vi.spyOn(process, "kill").mockReturnValue(true);
    await expect(killProcesses(immortal, 50)).rejects.toThrow(
      `The processes ${process.pid} did not end within 0.05 s of being killed.`,
    );
    expect(killing).toHaveBeenCalledWith(process.pid, "SIGKILL");
  });
});
