/** What an edge follows: an account's interconnects and routes, as much of them as becomes packets. */

export interface EdgeAccount {
  /** Of a Patchbay; of another API, words of our own that change as the objects do. */
  readonly epoch: string;
  readonly revision: number;
  readonly interconnects: readonly EdgeInterconnect[];
  readonly routes: readonly EdgeRoute[];
}

export interface EdgeInterconnect {
  readonly id: string;
  readonly name: string;
  readonly version: "1" | "1.5" | "2";
  /** The provider's own end, with its prefix length. */
  readonly interfaceAddress: string;
  readonly interfaceAddress6: string | undefined;
  /** Bytes. */
  readonly mtu: number;
  readonly returnRouting: boolean;
  /** The provider's end of the GRE tunnel; none where the version carries no GRE. */
  readonly greEndpoint: string | undefined;
  /** Both ends of the link below it, as prefixes: the provider's and the customer's. */
  readonly link: { readonly provider: string; readonly customer: string } | undefined;
  /** The port it came from, and the slot that the port takes. */
  readonly port: string | undefined;
  readonly slot: string | undefined;
  readonly healthCheck: EdgeHealthCheck;
  readonly bgp: EdgeBgp | undefined;
}

export interface EdgeHealthCheck {
  readonly enabled: boolean;
  readonly rate: "low" | "mid" | "high";
  readonly type: "reply" | "request";
  readonly direction: "unidirectional" | "bidirectional";
  /** The effective target. */
  readonly target: string;
  readonly source: string | undefined;
}

export interface EdgeBgp {
  readonly customerAsn: number | undefined;
  readonly extraPrefixes: readonly string[];
  /** Is there a key of TCP MD5? What it is, the account does not tell an edge. */
  readonly hasKey: boolean;
  readonly providerEndpoint: string | undefined;
  readonly customerEndpoint: string | undefined;
}

export interface EdgeRoute {
  readonly id: string;
  readonly prefix: string;
  /** The customer's end of an interconnect's interface subnet. */
  readonly nexthop: string;
  readonly priority: number;
  readonly weight: number | undefined;
  readonly colos: readonly string[];
  readonly regions: readonly string[];
}
