/** The world of the model: two accounts of five interconnects each, of all versions. */

import { seedWorld } from "../../src/account/seed.ts";
import type { State } from "../../src/account/state.ts";
import type { Seed } from "../../src/contract/seed.ts";
import { demo } from "../../src/server/demo.ts";
import { stateOf } from "./worlds.ts";

/** An account that may do everything, and one that may do nothing special. */
export const RICH = "a".repeat(32);
export const POOR = "b".repeat(32);

/** Identifiers of the five interconnects, the same in both accounts. */
export const IDS = [1, 2, 3, 4, 5].map((n) => `c0000000000000000000000000000${n}0${n}`) as [
  string,
  ...string[],
];

/** The /96 of the rich account's `virtual_subnet6`. */
export const spaces6 = "2606:54c1:7:0:a9fe:12d2";

const created_on = "2024-02-29T00:00:00.000000Z";

type SeedAccount = Seed["accounts"][number];

function account(
  id: string,
  settings: Partial<SeedAccount>,
  fourth: string,
  six: { interface_address6?: string }[],
): SeedAccount {
  const [one, two = "", three = "", four = "", five = ""] = IDS;
  return {
    id,
    name: id,
    ...settings,
    interconnects: [
      {
        id: one,
        name: "one",
        colo_name: "one",
        description: "The first",
        version: "1",
        created_on,
        interface_address: "10.0.0.0/31",
        gre: { cloudflare_endpoint: "203.0.113.1" },
        health_check: { rate: "low", type: "request", target: "203.0.113.9" },
        link: { p2p_ip: "192.0.2.0/31", cust_ip: "192.0.2.1/31" },
      },
      { id: two, name: "two", version: "1", created_on, interface_address: "10.0.0.2/31", ...six[0] },
      {
        id: three,
        name: "three",
        version: "1.5",
        created_on,
        interface_address: "10.0.0.4/31",
        health_check: { direction: "bidirectional", source: "10.9.9.9" },
        bgp: { customer_asn: 65010 },
        link: { p2p_ip: "192.0.2.2/31", cust_ip: "192.0.2.3/31" },
      },
      {
        id: four,
        name: "four",
        version: "1.5",
        created_on,
        interface_address: fourth,
        bgp: { extra_prefixes: ["192.0.2.0/24"] },
      },
      {
        id: five,
        name: "five",
        version: "2",
        created_on,
        interface_address: "10.0.0.9/30",
        ...six[1],
        bgp: { customer_asn: 65010, md5_key: "secret" },
        virtual_port_reservation_id: five,
      },
    ],
  };
}

export const TOKEN_ID = "d".repeat(32);
export const TOKEN_NAME = "tester";

export const world: Seed = {
  accounts: [
    account(
      RICH,
      {
        flags: ["coupler_integration"],
        authorized_prefixes: ["198.51.100.0/24"],
        virtual_subnet6: "2606:54c1:7:0:a9fe:12d2::/127",
      },
      "198.51.100.0/31",
      ["200", "300"].map((last) => ({ interface_address6: `${spaces6}:1:${last}/127` })),
    ),
    account(POOR, {}, "10.0.0.6/31", []),
  ],
  tokens: [
    {
      id: TOKEN_ID,
      name: TOKEN_NAME,
      value: demo.token,
      policies: [
        { effect: "allow", accounts: ["*"], permission_groups: ["Magic WAN Write", "Patchbay Admin"] },
      ],
    },
  ],
};

/** The state of one of the two accounts, as the seed makes it. */
export function seededState(account: string): State {
  const made = seedWorld(world, { time: created_on, hash: (secret) => secret, epoch: () => "epoch" });
  if (!made.ok) throw new Error(made.problems.map(({ message }) => message).join("\n"));
  const seeded = made.states.find(({ id }) => id === account);
  if (!seeded) throw new Error(`The world has no account ${account}.`);
  return stateOf(seeded);
}
