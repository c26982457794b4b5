import { describe, expect, test } from "vitest";
import type { TunnelDriver } from "../drivers/driver.ts";
import { ipStep, otherStep } from "../plan/step.ts";
import { Commands } from "./commands.ts";
import { KernelView, type Wanted } from "./view.ts";

const KEY = "net/ipv4/conf/pb-a/rp_filter";
const TABLE = "inet patchbay";
const WANTED: Wanted = { settings: [KEY, "net/ipv4/ip_forward"], rules: true, tables: [TABLE] };

/** A kernel of two devices that tells what it is asked. */
class Kernel extends Commands {
  readonly asked: string[] = [];
  readonly devices = new Map([
    ["pb-a", { mtu: 1476, flags: ["UP"], addresses: ["10.0.0.0"] }],
    ["eth0", { mtu: 1500, flags: ["UP"], addresses: ["192.0.2.1"] }],
  ]);
  table = "table";

  constructor() {
    super("elsewhere");
  }

  override run(program: string, args: readonly string[], input = ""): Promise<string> {
    const asked = [program, ...args].join(" ");
    if (asked.startsWith("ip -j -d -force")) {
      const names = input.trim().replaceAll("addr show dev ", "").split("\n");
      this.asked.push(`devices ${names.join(" ")}`);
      return Promise.resolve(names.map((name) => JSON.stringify(this.#rows([name]))).join("\n"));
    }
    this.asked.push(
      asked === "ip -j -d addr show" ? "all devices" : (/route|rule|nft|grep/.exec(asked)?.[0] ?? asked),
    );
    if (program === "nft") return Promise.resolve(this.table);
    if (program === "grep")
      return Promise.resolve(
        args.flatMap((file) => (file.startsWith("/proc") ? [`${file}:0\n`] : [])).join(""),
      );
    return Promise.resolve(
      asked.includes("addr show") ? JSON.stringify(this.#rows([...this.devices.keys()])) : "[]",
    );
  }

  /** What was asked since this was called last, in no order. */
  take(): string[] {
    return this.asked.splice(0).toSorted();
  }

  #rows(names: readonly string[]): object[] {
    return names.flatMap((ifname) => {
      const device = this.devices.get(ifname);
      if (!device) return [];
      const addr_info = device.addresses.map((local) => ({ family: "inet", local, prefixlen: 31 }));
      return [{ ifname, mtu: device.mtu, flags: device.flags, addr_info }];
    });
  }
}

const driver = { carried: () => Promise.resolve(undefined) } as unknown as TunnelDriver;
const EVERYTHING = ["all devices", "grep", "nft", "route", "rule", "rule"];

async function seen() {
  const kernel = new Kernel();
  const view = new KernelView(kernel, driver, { bird: undefined, stateDirectory: "/nowhere" });
  const hearing = performance.now() - 1;
  const look = () => view.look(WANTED, hearing);
  await look();
  expect(kernel.take()).toEqual(EVERYTHING);
  return { kernel, view, look };
}

describe("what is known of the kernel", () => {
  test("is remembered while nothing is heard", async () => {
    const { kernel, look } = await seen();
    expect((await look()).links.get("pb-a")?.mtu).toBe(1476);
    expect(kernel.take()).toEqual([]);
  });

  test("is not remembered where nobody listens, or from before somebody did", async () => {
    const { kernel, view } = await seen();
    await view.look(WANTED, undefined);
    expect(kernel.take()).toEqual(EVERYTHING);
    await view.look(WANTED, performance.now() + 1000);
    expect(kernel.take()).toEqual(EVERYTHING);
  });

  test.each([
    ["an MTU", "[LINK]7: pb-a: <POINTOPOINT,UP,LOWER_UP> mtu 1400 qdisc", ["devices pb-a", "grep"]],
    ["another's MTU", "[LINK]2: eth0@if9: <BROADCAST,UP> mtu 1400 qdisc", ["devices eth0"]],
    ["a device that went down", "[LINK]2: eth0: <BROADCAST> mtu 1500", ["devices eth0", "route"]],
    ["a flag that only has UP in its name", "[LINK]2: eth0: <LOWER_UP> mtu 1500", ["devices eth0", "route"]],
    ["a device that is gone", "[LINK]Deleted 7: pb-a: <UP> mtu 1500", ["devices pb-a", "grep", "route"]],
    ["a new device", "[LINK]9: eth1: <UP> mtu 1500", ["all devices", "grep", "route"]],
    ["an address", "[ADDR]Deleted 2: eth0    inet 192.0.2.9/24 scope global eth0", ["devices eth0"]],
    ["a route of ours", "[ROUTE]10.9.0.0/16 via 10.0.0.1 dev pb-a proto 190", ["route"]],
    ["a route of others", "[ROUTE]10.9.0.0/16 dev pb-a proto kernel scope link", []],
    ["a rule", "[RULE]Deleted 20001:\tfrom all fwmark 0x1/0xffff lookup 20001 proto 190", ["rule", "rule"]],
    ["what nobody understands", "Dump was interrupted", ["all devices", "grep", "route", "rule", "rule"]],
  ])("is read again in part when it is heard of %s", async (_, line, parts) => {
    const { kernel, view, look } = await seen();
    view.heard(line);
    await look();
    expect(kernel.take()).toEqual(parts);
    await look();
    expect(kernel.take()).toEqual([]);
  });

  test("says what it found, and reads routes where addresses went", async () => {
    const { kernel, view, look } = await seen();
    kernel.devices.set("pb-a", { mtu: 1300, flags: ["UP"], addresses: [] });
    view.heard("[LINK]7: pb-a: <UP> mtu 1300");
    const { links, addresses } = await look();
    expect(links.get("pb-a")?.mtu).toBe(1300);
    expect(addresses.get("pb-a")).toEqual(new Set());
    expect(kernel.take()).toContain("route");
  });

  test("forgets a device that is not there any more", async () => {
    const { kernel, view, look } = await seen();
    kernel.devices.delete("pb-a");
    view.heard("[LINK]Deleted 7: pb-a: <> mtu 1300");
    expect((await look()).links.has("pb-a")).toBe(false);
  });

  test.each([
    ["link set dev pb-a mtu 1300", ["devices pb-a", "grep"]],
    ["link set dev pb-a up", ["devices pb-a", "grep", "route"]],
    ["addr del 10.0.0.0/31 dev pb-a", ["devices pb-a", "grep", "route"]],
    ["link del group 190190", ["all devices", "grep", "route"]],
    ["route add 10.9.0.0/16 proto 190 dev pb-a", ["route"]],
    ["-6 rule add fwmark 1/0xffff lookup 20001", ["rule", "rule"]],
  ])("is read again in part after the edge did %s", async (line, parts) => {
    const { kernel, view, look } = await seen();
    view.changes([ipStep("change", [line], { what: "" })]);
    await look();
    expect(kernel.take()).toEqual(parts);
  });

  test("reads a setting again that was set, and one that is new", async () => {
    const { kernel, view } = await seen();
    view.changes([otherStep("settings", { kind: "setting", key: KEY, value: "0" }, [], { what: "" })]);
    const settings = [...WANTED.settings, "net/ipv4/fwmark_reflect"];
    const { sysctls } = await view.look({ ...WANTED, settings }, performance.now() - 60_000);
    expect(kernel.take()).toEqual(["grep"]);
    expect([...sysctls.keys()].toSorted()).toEqual(settings.toSorted());
  });

  test("lists other tables again, of which something may have been heard", async () => {
    const { kernel, view, look } = await seen();
    view.heardOfTables();
    view.believe(new Map([["inet patchbay_return", undefined]]));
    await look();
    expect(kernel.take()).toEqual(["nft"]);
  });

  test("believes that a table is as it was applied until it hears of one", async () => {
    const { kernel, view, look } = await seen();
    view.changes([otherStep("tables", { kind: "table", table: TABLE, text: "" }, [], { what: "" })]);
    view.believe(new Map([[TABLE, "text"]]));
    expect((await look()).tables.get(TABLE)).toBe("");
    expect(view.believed).toEqual([TABLE]);
    expect(kernel.take()).toEqual([]);
    view.heardOfTables();
    expect(view.believed).toEqual([]);
    expect((await look()).tables.get(TABLE)).not.toBe("");
    expect(kernel.take()).toEqual(["nft"]);
  });
});
