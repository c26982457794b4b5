import { existsSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { Commands } from "../../src/edge/kernel/commands.ts";
import { LAB_DIRECTORY } from "../../src/edge/lab/lab.ts";
import { BIN } from "../harness/command.ts";
import { noNetworks } from "../harness/namespaces.ts";
import { needs } from "../harness/needs.ts";

const host = new Commands();
const patchbay = (...words: readonly string[]) => host.run(process.execPath, [BIN, ...words]);
// A lab that somebody made by hand is left alone.
const inUse = existsSync(LAB_DIRECTORY) ? `a lab is up: ${LAB_DIRECTORY} exists` : undefined;

/** Runs a command at the lab's server. */
async function atLab(...words: readonly string[]): Promise<string> {
  const { token } = JSON.parse(readFileSync(`${LAB_DIRECTORY}/lab.json`, "utf8"));
  return host.run("env", [
    "CLOUDFLARE_BASE_URL=http://198.18.0.1:8787/client/v4",
    "CLOUDFLARE_ACCOUNT_ID=1ab00000000000000000000000000001",
    `CLOUDFLARE_API_TOKEN=${token}`,
    ...[process.execPath, BIN, ...words],
  ]);
}

async function until(what: () => Promise<boolean>, seconds = 20): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await what())) {
    if (performance.now() > deadline)
      throw new Error(readFileSync(`${LAB_DIRECTORY}/edge.log`, "utf8").slice(-3000));
    await setTimeout(100);
  }
}

const states = async () => {
  const rows = (await atLab("get")).trim().split("\n").slice(1);
  return rows.map((row) => row.split(/\s{2,}/)[1]?.split(" ")[0]);
};

describe("a network on one desk", needs(noNetworks, inUse), () => {
  afterAll(() => patchbay("lab", "down"));

  test("comes up, does what it says one may try, and is gone afterwards", { timeout: 120_000 }, async () => {
    const before = await host.run("ip", ["-j", "link", "show"]);
    const words = await patchbay("lab", "up", "--interconnects", "3");
    expect(words).toContain("patchbay lab cut pni_1");
    await expect(patchbay("lab", "up")).rejects.toThrow("A lab is up already");
    await until(async () => (await states()).every((state) => state === "healthy"));
    const edge = new Commands("pblab-edge");
    const ping = (address: string) => edge.run("ping", ["-c", "1", "-W", "1", "-q", address]);
    for (const site of ["10.20.1.1", "10.20.2.1", "10.20.3.1"]) await ping(site);
    await atLab("set", "pni_1", "mtu=1400", "--yes");
    await until(async () => (await edge.run("ip", ["link", "show"])).includes("mtu 1400"));

    await patchbay("lab", "cut", "pni_1");
    await until(async () => (await states())[0] === "down");
    // The address that both sites have.
    await until(() =>
      ping("10.30.0.1").then(
        () => true,
        () => false,
      ),
    );
    await expect(patchbay("lab", "cut", "pni_9")).rejects.toThrow(
      "The lab has no pni_9: it has pni_1, pni_2, pni_3.",
    );
    await patchbay("lab", "heal", "pni_1");
    await until(async () => (await states())[0] === "degraded");

    const broken = ["gre.cloudflare_endpoint=203.0.113.99", "--confirm-within", "60s", "--revert-on", "down"];
    await atLab("set", "pni_2", ...broken, "--force", "--yes").catch(() => undefined);
    await until(async () => (await atLab("history", "--json")).includes("pni_2 is down at edge lab-edge"));

    await patchbay("lab", "down");
    const names = (json: string) => JSON.parse(json).map(({ ifname }: { ifname: string }) => ifname);
    expect(names(await host.run("ip", ["-j", "link", "show"]))).toEqual(names(before));
    expect(existsSync(LAB_DIRECTORY)).toBe(false);
    expect(await patchbay("lab", "down")).toContain("No lab was up.");
  });
});
