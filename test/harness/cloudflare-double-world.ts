/** What the double of Cloudflare's API knows unless a test says otherwise. Imports nothing of Patchbay's. */

import type { DoubleInterconnect, DoubleSecrets } from "./cloudflare-double-interconnects.ts";

const made = "2017-06-14T00:00:00.000000Z";

/** Three interconnects, one of each version. */
export const doubleWorld: readonly DoubleInterconnect[] = [
  {
    id: "c4a7362d577a6c3019a474fd6f485821",
    name: "pni_ord",
    colo_name: "pni_ord",
    description: "Tunnel for Interconnect to ORD",
    version: "1",
    created_on: made,
    modified_on: "2017-06-14T05:20:00.000000Z",
    interface_address: "10.213.0.8/31",
    interface_address6: "2606:54c1:7:0:a9fe:12d2:1:200/127",
    mtu: 1476,
    automatic_return_routing: true,
    gre: { cloudflare_endpoint: "203.0.113.1" },
    health_check: {
      enabled: true,
      rate: "low",
      type: "request",
      target: "203.0.113.1",
      direction: "unidirectional",
    },
    virtual_port_reservation_id: "c4a7362d577a6c3019a474fd6f485821",
  },
  {
    id: "023e105f4ecef8ad9ca31a8372d0c353",
    name: "pni_ams",
    colo_name: "pni_ams",
    description: "Tunnel for Interconnect to AMS",
    version: "1.5",
    created_on: made,
    modified_on: made,
    interface_address: "10.213.0.10/31",
    mtu: 1476,
    automatic_return_routing: false,
    health_check: {
      enabled: true,
      rate: "mid",
      type: "request",
      target: "",
      direction: "bidirectional",
      source: "10.213.255.1",
    },
  },
  {
    id: "5d41402abc4b2a76b9719d911017c592",
    name: "pni_sin",
    colo_name: "pni_sin",
    description: "Port without GRE in SIN",
    version: "2",
    created_on: made,
    modified_on: made,
    interface_address: "10.213.0.13/30",
    mtu: 1500,
    automatic_return_routing: false,
    health_check: { enabled: true, rate: "mid", type: "reply", target: "", direction: "unidirectional" },
    bgp: { customer_asn: 65010, extra_prefixes: ["192.0.2.0/24"] },
    virtual_port_reservation_id: "c1d7e5a24b984f068c312e5f7a9b0d14",
  },
];

export const doubleSecrets: DoubleSecrets = {
  returnRouting: true,
  customerEndpoints: {
    c4a7362d577a6c3019a474fd6f485821: "192.0.2.1",
    "023e105f4ecef8ad9ca31a8372d0c353": "192.0.2.3",
    "5d41402abc4b2a76b9719d911017c592": "192.0.2.5",
  },
};

export const doubleRoutes = [
  {
    id: "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    created_on: made,
    modified_on: made,
    prefix: "172.16.10.0/24",
    nexthop: "10.213.0.9",
    priority: 100,
    description: "Branch office behind ORD",
  },
];
