/** What fields are called. */

export const labels: Readonly<Record<string, string>> = {
  name: "Name",
  description: "Description",
  mtu: "MTU",
  interface_address: "Interface address",
  interface_address6: "Interface address, IPv6",
  "gre.cloudflare_endpoint": "GRE endpoint of the provider",
  automatic_return_routing: "Automatic return routing",
  "health_check.enabled": "Probes",
  "health_check.rate": "Rate",
  "health_check.type": "Type",
  "health_check.direction": "Direction",
  "health_check.source": "Source",
  "health_check.target": "Target",
  "bgp.customer_asn": "Customer ASN",
  "bgp.extra_prefixes": "Extra prefixes",
  "bgp.import_filter_id": "Import filter",
  "bgp.export_filter_id": "Export filter",
  "bgp.md5_key": "MD5 key",
  "bgp.cloudflare_endpoint": "Endpoint of the provider",
  "bgp.customer_endpoint": "Endpoint of the customer",
};

/** With the object that it stands in, where the label alone would not tell. */
export function fullLabel(path: string): string {
  const label = labels[path] ?? path;
  if (path.startsWith("health_check.")) return `Health check: ${label.toLowerCase()}`;
  return path.startsWith("bgp.") ? `BGP: ${label.replace(/^E/, "e").replace(/^I/, "i")}` : label;
}
