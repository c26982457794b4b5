/** What a lab is made of: pure names, addresses and files. */

import { stringify } from "yaml";

/** Where the server answers: a bridge of this machine that leads nowhere else (RFC 2544's range, for tests). */
export const LAB_NETWORK = "198.18.0";
export const SERVER_ADDRESS = `${LAB_NETWORK}.1`;
export const SERVER_PORT = 8787;
export const BRIDGE = "pblab";
export const PROVIDER = "pblab-edge";
/** Where the cables lie. */
export const PANEL = "pblab-panel";
export const ACCOUNT = "1ab00000000000000000000000000001";
/** Customers, each a namespace; without GRE in the kernel also a process. */
export const MOST = 50;
/** What the minutes of health are multiplied by, so that a lab recovers while one watches. */
export const TIME_SCALE = 0.1;

/** An address that the first two customers both have, so that one can stand in for the other. */
export const SHARED = "10.30.0.1";

export interface LabLink {
  readonly number: number;
  /** Of the interconnect. */
  readonly name: string;
  readonly version: "1" | "2";
  readonly id: string;
  /** The customer's namespace, and the device of the link in the provider's. */
  readonly namespace: string;
  readonly providerDevice: string;
  readonly customerDevice: string;
  /** Provider's end, and the customer's. */
  readonly interfaceAddress: string;
  readonly providerEnd: string;
  readonly customerEnd: string;
  readonly link: { readonly p2p_ip: string; readonly cust_ip: string };
  /** In the lab's own network. */
  readonly providerSideAddress: string;
  /** Of the site behind the customer's router. */
  readonly siteAddress: string;
  readonly sitePrefix: string;
}

/** Every third interconnect is a bare port, the others are GRE tunnels. */
export function labLinks(count: number): readonly LabLink[] {
  return Array.from({ length: count }, (_, index): LabLink => {
    const number = index + 1;
    return {
      number,
      name: `pni_${number}`,
      version: number % 3 === 0 ? "2" : "1",
      id: (0x1ab000 + number).toString(16).padEnd(32, "0"),
      namespace: `pblab-c${number}`,
      providerDevice: `c${number}`,
      customerDevice: "wan0",
      interfaceAddress: `10.213.0.${2 * number}/31`,
      providerEnd: `10.213.0.${2 * number}`,
      customerEnd: `10.213.0.${2 * number + 1}`,
      link: { p2p_ip: `192.0.2.${2 * number}/31`, cust_ip: `192.0.2.${2 * number + 1}/31` },
      providerSideAddress: `${LAB_NETWORK}.${10 + number}`,
      siteAddress: `10.20.${number}.1`,
      sitePrefix: `10.20.${number}.0/24`,
    };
  });
}

export interface LabTokens {
  readonly operator: string;
  readonly edge: string;
}

/** The seed of the lab's server. */
export function labSeed(links: readonly LabLink[], tokens: LabTokens): string {
  const interconnects = links.map(({ id, name, version, number, interfaceAddress, link }) => ({
    id,
    name,
    description: `Customer ${number}'s router`,
    version,
    interface_address: interfaceAddress,
    mtu: version === "1" ? 1476 : 1500,
    ...(version === "1" && { gre: { cloudflare_endpoint: "203.0.113.1" } }),
    health_check: { rate: "high", type: number % 2 === 0 ? "reply" : "request", direction: "bidirectional" },
    link,
  }));
  const route = (number: number, prefix: string, nexthop: string, priority: number) => ({
    id: (0x4007e000 + number).toString(16).padEnd(32, "0"),
    prefix,
    nexthop,
    priority,
  });
  const routes = links.map(({ number, sitePrefix, customerEnd }) =>
    route(number, sitePrefix, customerEnd, 100),
  );
  const shared = links
    .slice(0, 2)
    .map(({ number, customerEnd }) => route(100 + number, `${SHARED}/32`, customerEnd, 100 * number));
  const token = (number: number, name: string, value: string, permission_groups: readonly string[]) => ({
    id: (0x10000 + number).toString(16).padStart(32, "0"),
    name,
    value,
    policies: [{ effect: "allow", accounts: [ACCOUNT], permission_groups }],
  });
  return stringify({
    accounts: [{ id: ACCOUNT, name: "Lab", interconnects, routes: [...routes, ...shared] }],
    tokens: [
      token(1, "operator", tokens.operator, ["Magic WAN Write", "Patchbay Admin", "Patchbay Read"]),
      token(2, "edges", tokens.edge, ["Patchbay Edge"]),
    ],
  });
}

interface EdgeFile {
  readonly role: "provider" | "customer";
  readonly name: string;
  readonly site: string;
  readonly driver: string;
  readonly state: string;
  readonly tokenFile: string;
  readonly map: Readonly<Record<string, string>>;
  readonly only?: readonly string[];
}

/** The configuration of one of the lab's edges. */
export function labEdgeFile({ role, name, site, driver, state, tokenFile, map, only }: EdgeFile): string {
  return stringify({
    role,
    name,
    site,
    driver,
    server: `http://${SERVER_ADDRESS}:${SERVER_PORT}`,
    account: ACCOUNT,
    token_file: tokenFile,
    state,
    map,
    manage_sysctls: true,
    health_time_scale: TIME_SCALE,
    ...(only && { interconnects: only }),
  });
}
