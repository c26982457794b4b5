/** The CNIs of the demonstration, and one request of each of their operations. */

import { ACCOUNT, type Ask, CNI, OWN, type Reply, type TestServer } from "./server.ts";

/** Slots of the demonstration: free ones of version "2" and "1.5", and the one that is taken. */
export const slots = {
  ord: "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
  ams: "3f7c1d52-9b0e-4c1a-8d27-5e6a9c40b1f3",
  fast: "6a2e8f04-71d3-4b95-b3c8-0f1e2d3c4b5a",
  taken: "9d4b6c1e-2f83-4a70-9e15-c7b8a6d5e4f3",
} as const;

/** Ports of the demonstration: that of `pni_sin`, and a partner's. */
export const ports = { sin: "sin-c1d7e5a24b98", gcp: "gcp-us-central1-6b0c2f4e8d17" } as const;

/** The CNI of `pni_sin`, as the vendor shows it. */
export const sinCni = {
  id: "5d41402a-bc4b-2a76-b971-9d911017c592",
  account: ACCOUNT,
  bgp: { customer_asn: 65010, extra_prefixes: ["192.0.2.0/24"] },
  cust_ip: "192.0.2.5/31",
  interconnect: ports.sin,
  magic: { conduit_name: "pni_sin", description: "Port without GRE in SIN", mtu: 1500 },
  p2p_ip: "192.0.2.4/31",
} as const;

export const SLOTS = `${CNI}/slots`;
export const PORTS = `${CNI}/interconnects`;
export const CNIS = `${CNI}/cnis`;
export const SETTINGS = `${CNI}/settings`;

export const direct = (slot_id: string) => ({ type: "direct", account: ACCOUNT, slot_id });
export const partner = (number: number) => ({
  type: "gcp_partner",
  account: ACCOUNT,
  bandwidth: "1G",
  pairing_key: `0e51371e-72a3-40b5-b844-${String(number).padStart(12, "0")}/europe-west4/any`,
});
export const cni = (interconnect: string, conduit_name: string, more: object = {}) => ({
  account: ACCOUNT,
  interconnect,
  magic: { conduit_name, description: "", mtu: 1500 },
  ...more,
});

/** The demonstration's one CNI, by its path. */
export const SIN_CNI = `${CNIS}/${sinCni.id}`;

/** An id of Magic's: the digits of a CNI's. */
export const magicId = (uuid: string) => uuid.replaceAll("-", "");

/** Drives every operation on CNIs, and on what administrators make for them, and leaves nothing behind. */
export async function driveCnis(server: TestServer, asked: Ask, secret: string): Promise<Reply[]> {
  const send = (method: string, path: string, body?: unknown) =>
    server.ask(method, path, body === undefined ? asked : { ...asked, body });
  const facility = { name: "A building", address: ["1 Street"] };
  const slot = await send("POST", `${OWN}/slots`, { site: "FRA", speed: "10G", facility });
  const id: string = slot.body.result.id;
  const port = await send("POST", PORTS, direct(id));
  const icon = `${PORTS}/${port.body.name}`;
  const bgp = { customer_asn: 65001, extra_prefixes: [], md5_key: secret };
  const made = await send("POST", CNIS, cni(port.body.name, "driven", { bgp }));
  const old = { name: "old", version: "1", interface_address: "10.9.0.0/31", bgp: { md5_key: secret } };
  const interconnect = await send("POST", `${OWN}/interconnects`, old);
  const key = { ...partner(1), pairing_key: partner(1).pairing_key };
  const gcp = await send("POST", PORTS, key);
  return [
    slot,
    port,
    made,
    interconnect,
    gcp,
    await send("POST", PORTS, { ...key, pairing_key: `${key.pairing_key}-${secret}` }),
    await send("GET", SLOTS),
    await send("GET", `${SLOTS}/${id}`),
    await send("GET", `${OWN}/slots`),
    await send("GET", `${OWN}/slots/${id}`),
    await send("PUT", `${OWN}/slots/${id}`, { speed: "100G" }),
    await send("GET", PORTS),
    await send("GET", icon),
    await send("GET", `${icon}/status`),
    await send("GET", `${icon}/loa`),
    await send("GET", `${icon}/loa/default`),
    await send("GET", CNIS),
    await send("GET", `${CNIS}/${made.body.id}`),
    await send("PUT", `${CNIS}/${made.body.id}`, { ...made.body, bgp: { ...bgp, md5_key: `${secret}"?` } }),
    await send("PUT", `${CNIS}/${made.body.id}`, { ...made.body, bgp_mode: "advertise_only" }),
    await send("DELETE", `${CNIS}/${made.body.id}`),
    await send("DELETE", icon),
    await send("DELETE", `${PORTS}/${gcp.body.name}`),
    await send("DELETE", `${OWN}/slots/${id}`),
    await send("DELETE", `${OWN}/interconnects/${interconnect.body.result.id}`),
    await send("GET", SETTINGS),
    await send("PUT", SETTINGS, { default_asn: 65001 }),
    await send("GET", `${OWN}/settings`),
    await send("PUT", `${OWN}/settings`, { flags: ["coupler_integration"] }),
  ];
}
