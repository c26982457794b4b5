import { expect, test } from "vitest";
import { ConfigError } from "../../src/server/config.ts";
import { makeWorld } from "../../src/store/seed-file.ts";
import { ACCOUNT } from "../harness/server.ts";

const SLOT = "00000000-0000-4000-8000-000000000001";
const RESERVATION = "00000000-0000-4000-8000-000000000002";

/** What is wrong with a seed of one account, without the place in the file. */
function complaints(account: object): string[] {
  const text = JSON.stringify({ accounts: [{ id: ACCOUNT, name: "Mine", ...account }] }, undefined, 1);
  try {
    makeWorld({ name: "seed.yaml", text }, "2026-03-04T05:06:07.000000Z");
  } catch (error) {
    if (error instanceof ConfigError)
      return error.message.split("\n").map((line) => line.replace(/^\S+ /, ""));
    throw error;
  }
  return [];
}

const slot = { id: SLOT, site: "ORD", speed: "10G", facility: { name: "A building", address: ["1 Street"] } };
const port = { id: "ord-1", type: "direct", slot_id: SLOT, virtual_port_reservation_id: RESERVATION };
const link = { p2p_ip: "198.51.100.0/31", cust_ip: "198.51.100.1/31" };
const interconnect = {
  id: "1".repeat(32),
  name: "pni",
  version: "2",
  interface_address: "10.0.0.0/31",
  link,
  cni: { port: "ord-1" },
};
const whole = { slots: [slot], ports: [port], interconnects: [interconnect] };

test("a seed may say slots, ports, and which interconnects came from CNIs", () => {
  expect(complaints(whole)).toEqual([]);
});

test.each<[string, object, string[]]>([
  [
    "a slot that two ports have",
    { ports: [port, { ...port, id: "ord-2", virtual_port_reservation_id: SLOT }] },
    [`The slot ${SLOT} is taken by port ord-1, in this request at /accounts/0/ports/0.`],
  ],
  ["a slot that there is not", { slots: [] }, [`There is no slot ${SLOT} in this account.`]],
  ["a port that there is not", { ports: [] }, ["There is no CNI interconnect ord-1 in this account."]],
  ["two slots of one id", { slots: [slot, slot] }, [`There are two slots with the id ${SLOT}.`]],
  ["two ports of one name", { ports: [port, port] }, ["There are two ports with the id ord-1."]],
  [
    "a CNI without a link",
    { interconnects: [{ ...interconnect, link: undefined }] },
    ["link is missing. A CNI has one."],
  ],
  [
    "a CNI that belongs to another port",
    { interconnects: [{ ...interconnect, virtual_port_reservation_id: "f".repeat(32) }] },
    [
      `virtual_port_reservation_id is read-only and is ${RESERVATION.replaceAll("-", "")}, which is that of ord-1.`,
    ],
  ],
  [
    "two interconnects on one link",
    {
      interconnects: [
        interconnect,
        { ...interconnect, id: "2".repeat(32), name: "b", interface_address: "10.0.0.2/31" },
      ],
    },
    [
      `198.51.100.0/31 overlaps with the subnet of interconnect ${"1".repeat(32)} (pni), in this request at /accounts/0/interconnects/0.`,
    ],
  ],
  [
    "a port that has what its type has not, and lacks what it has",
    { ports: [port, { ...port, id: "x", type: "gcp_partner", virtual_port_reservation_id: SLOT }] },
    [
      "pairing_key is missing. A port of the type gcp_partner has one.",
      "bandwidth is missing. A port of the type gcp_partner has one.",
      'There is no field "slot_id" here. A port of the type gcp_partner has none.',
    ],
  ],
  [
    "texts that are none of what they are for",
    {
      slots: [{ ...slot, id: "x", speed: "fast" }],
      ports: [{ ...port, id: "A b", pairing_key: "my secret" }],
      interconnects: [],
    },
    [
      'id is "x", but must be a UUID.',
      'speed is "fast", but must be a speed such as 10G.',
      'id is "A b", but must be the name of a port, of lower-case letters, digits, _ and -.',
      "pairing_key is not shown, but must be as Google Cloud shows it, UUID/REGION/ZONE.",
    ],
  ],
  [
    "a pool that cannot be one",
    { pools: { interface: ["203.0.113.0/24"] } },
    [
      "203.0.113.0/24 is outside of the ranges that may be used: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.240.0/20.",
    ],
  ],
])("refused is %s", (_, more, told) => {
  expect(complaints({ ...whole, ...more }).toSorted()).toEqual(told.toSorted());
});
