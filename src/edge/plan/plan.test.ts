import { describe, expect, test } from "vitest";
import { account, deviceOfNumber, edgeConfig, interconnect, route } from "../../../test/harness/edge-lab.ts";
import type { EdgeAccount } from "../account.ts";
import { desire } from "../desired/desire.ts";
import { numbersFor } from "../desired/numbers.ts";
import { tables } from "../desired/tables.ts";
import type { Link } from "../drivers/driver.ts";
import { KernelDriver } from "../drivers/kernel.ts";
import { Commands } from "../kernel/commands.ts";
import type { Actual } from "./actual.ts";
import { type Made, NOTHING_MADE } from "./made.ts";
import { plan } from "./plan.ts";
import { digest } from "./tables.ts";

const config = edgeConfig("provider", "/nowhere", {});
const forms = new KernelDriver(new Commands());
const NOTHING: Actual = {
  links: new Map(),
  addresses: new Map(),
  routes: [],
  rules: [],
  tables: new Map(),
  sysctls: new Map(),
  carried: new Map(),
  bird: undefined,
};

function desired(settings: EdgeAccount, made: Made) {
  const numbers = numbersFor(settings, config, made.numbers);
  return {
    numbers,
    desired: desire({ account: settings, config, states: new Map(), numbers, without: new Map() }),
  };
}

function planned(settings: EdgeAccount, actual: Actual = NOTHING, made: Made = NOTHING_MADE) {
  return plan({ ...desired(settings, made), actual, made }, config, forms);
}

/** The kernel as it is after settings were made real, and the list of it. */
function madeReal(settings: EdgeAccount): { readonly actual: Actual; readonly made: Made } {
  const { desired: wanted } = desired(settings, NOTHING_MADE);
  const listed = new Map(
    [...tables(wanted.interconnects.values(), "provider")].map(([name]) => [name, "as made"]),
  );
  const { after } = planned(settings);
  const made = {
    ...after,
    tables: Object.fromEntries(
      [...tables(wanted.interconnects.values(), "provider")].map(([name, text]) => [
        name,
        { text: digest(text), listing: "as made" },
      ]),
    ),
  };
  const links = [...wanted.tunnels.values()].map(
    ({ device, mtu, alias, local, remote, ttl }): [string, Link] => [
      device,
      { name: device, mtu, up: true, alias, group: "default", kind: "gre", tunnel: { local, remote, ttl } },
    ],
  );
  const addresses = Map.groupBy(wanted.addresses, ({ device }) => device);
  return {
    made,
    actual: {
      links: new Map(links),
      addresses: new Map(
        [...addresses].map(([device, all]) => [device, new Set(all.map(({ address }) => address))]),
      ),
      routes: wanted.routes.map((one) => ({ ...one, dead: false })),
      rules: wanted.rules,
      tables: listed,
      sysctls: new Map(wanted.sysctls.map(({ key, value }) => [key, value])),
      carried: new Map(),
      bird: undefined,
    },
  };
}

const one = interconnect(1, { returnRouting: true });
const settings = account([one, interconnect(2)], [route("10.9.0.0/16", 1, 100)]);

function from(before: EdgeAccount, after: EdgeAccount, change: Partial<Actual> = {}) {
  const { actual, made } = madeReal(before);
  return planned(after, { ...actual, ...change }, made);
}

test("where everything is as it should be, nothing is to be done", () => {
  expect(from(settings, settings).steps).toEqual([]);
});

describe("what can be changed in place interrupts nobody", () => {
  test.each([
    ["an MTU", { mtu: 1400 }, "link set dev pb-000000000001 mtu 1400"],
    ["a name", { name: "new" }, 'link set dev pb-000000000001 alias "new"'],
    ["an address", { interfaceAddress: "10.200.8.0/31" }, "addr add 10.200.8.0/31 dev pb-000000000001"],
  ])("%s", (_, change, line) => {
    const { steps } = from(settings, account([{ ...one, ...change }, interconnect(2)], settings.routes));
    expect(steps.flatMap(({ interrupts }) => interrupts)).toEqual([]);
    expect(steps[0]?.commands).toEqual([`ip ${line}`]);
  });
});

test("other ends interrupt the interconnect, in place all the same", () => {
  const { steps } = from(
    settings,
    account([{ ...one, greEndpoint: "203.0.113.9" }, interconnect(2)], settings.routes),
  );
  expect(steps).toMatchObject([
    {
      interrupts: ["ic-1"],
      commands: [
        "ip link change dev pb-000000000001 type gre local 203.0.113.9 remote 198.18.1.1 ttl 64 pmtudisc",
      ],
    },
  ]);
});

test("a new address is added before the old one goes", () => {
  const moved = { ...one, interfaceAddress: "10.200.8.0/31" };
  const { steps } = from(account([one]), account([moved]));
  const lines = steps.flatMap(({ commands }) => commands).filter((line) => line.includes("addr"));
  expect(lines).toEqual([
    "ip addr add 10.200.8.0/31 dev pb-000000000001",
    "ip addr del 10.200.1.0/31 dev pb-000000000001",
  ]);
});

test("an address that moves to another device goes there first of all", () => {
  const [first, second] = [interconnect(1), interconnect(2)];
  const swapped = account([
    { ...first, interfaceAddress: second.interfaceAddress },
    { ...second, interfaceAddress: first.interfaceAddress },
  ]);
  const verbs = from(account([first, second]), swapped)
    .steps.flatMap(({ commands }) => commands)
    .map((line) => line.split(" ").slice(1, 3).join(" "));
  expect(verbs).toEqual(["addr del", "addr del", "addr add", "addr add"]);
});

test("many devices go together, in a group that nobody has", () => {
  const many = account(Array.from({ length: 5 }, (_, index) => interconnect(index + 1)));
  const { actual } = madeReal(many);
  const links = new Map(actual.links);
  const other: Link = {
    name: "x",
    mtu: 1500,
    up: true,
    alias: "",
    group: "190190",
    kind: "",
    tunnel: undefined,
  };
  links.set("x", other);
  const [step] = from(many, account([]), { links }).steps;
  expect(step?.commands).toHaveLength(6);
  expect(step?.commands.at(-1)).toBe("ip link del group 190191");
  expect(step?.interrupts).toEqual(["ic-1", "ic-2", "ic-3", "ic-4", "ic-5"]);
});

test("devices, addresses, routes and rules that are not on the list and not wanted are left alone", () => {
  const { actual } = madeReal(settings);
  const strange = planned(account([]), { ...actual, routes: [], rules: [] }, NOTHING_MADE);
  expect(strange.steps).toEqual([]);
});

test("a route whose next hop died is replaced, one that is gone is added", () => {
  const { actual } = madeReal(settings);
  const dead = actual.routes.map((one) => (one.hops.length > 0 ? { ...one, hops: [], dead: true } : one));
  const verbs = (change: Partial<Actual>) =>
    from(settings, settings, change).steps.flatMap(({ commands }) =>
      commands.map((line) => line.split(" ")[2]),
    );
  expect(new Set(verbs({ routes: dead }))).toEqual(new Set(["replace"]));
  expect(new Set(verbs({ routes: [] }))).toEqual(new Set(["add"]));
});

test("what is about to be made is on the list before, what goes only until it is gone", () => {
  const { actual, made } = madeReal(account([interconnect(1)]));
  const { before, after } = planned(account([interconnect(2)]), actual, made);
  expect(Object.keys(before.devices)).toEqual([deviceOfNumber(1), deviceOfNumber(2)]);
  expect(Object.keys(after.devices)).toEqual([deviceOfNumber(2)]);
});

test("without leave to set what is the machine's, it is a problem and not a step", () => {
  const { actual, made } = madeReal(settings);
  const sysctls = new Map([...actual.sysctls, ["net/ipv4/ip_forward", "0"]]);
  const known = { ...desired(settings, made), actual: { ...actual, sysctls }, made };
  const { steps, problems } = plan(known, { ...config, manageSysctls: false }, forms);
  expect(steps).toEqual([]);
  expect(problems).toEqual([{ reason: expect.stringMatching(/net\.ipv4\.ip_forward is 0 and should be 1/) }]);
  expect(plan(known, config, forms).steps).toMatchObject([{ commands: ["sysctl -w net/ipv4/ip_forward=1"] }]);
});
