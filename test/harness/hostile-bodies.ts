/** Bodies that nobody in their right mind would send, made from one that everybody would. */

import { AMS, ORD } from "./server.ts";

export type Form = "text" | "object";

/** The header that goes with a form of the target. */
export const formHeader = (form: Form) => ({ "x-magic-new-hc-target": String(form === "object") });

const shared = {
  description: "all fields at once",
  mtu: 1400,
  automatic_return_routing: false,
  created_on: "2017-06-14T00:00:00Z",
  modified_on: "2017-06-14T05:20:00Z",
  bgp: {
    as_no: 65001,
    customer_asn: 65001,
    export_filter_id: "a",
    import_filter_id: "b",
    extra_prefixes: ["192.0.2.0/24", "2001:db8::/32"],
    md5_key: "secret",
  },
};

const target = (form: Form) =>
  form === "object" ? { effective: "192.0.2.1", saved: "203.0.113.7" } : "203.0.113.7";

/** An update of each interconnect that says something of every field the interconnect has. */
export const fullUpdates: Record<string, { id: string; update: (form: Form) => Record<string, unknown> }> = {
  'version "1"': {
    id: ORD,
    update: (form) => ({
      ...shared,
      id: ORD,
      name: "pni_ord_2",
      colo_name: "pni_ord",
      version: "1",
      virtual_port_reservation_id: ORD,
      interface_address: "10.213.0.20/31",
      interface_address6: "2606:54c1:7:0:a9fe:12d2:1:202/127",
      gre: { cloudflare_endpoint: "203.0.113.2" },
      bgp: { ...shared.bgp, cloudflare_endpoint: "10.213.0.20", customer_endpoint: "10.213.0.21" },
      health_check: {
        direction: "unidirectional",
        enabled: false,
        rate: "high",
        target: target(form),
        type: "reply",
      },
    }),
  },
  'version "1.5"': {
    id: AMS,
    update: (form) => ({
      ...shared,
      id: AMS,
      name: "pni_ams_2",
      colo_name: "pni_ams",
      version: "1.5",
      interface_address: "10.213.0.22/31",
      interface_address6: "2606:54c1:7:0:a9fe:12d2:1:204/127",
      health_check: {
        direction: "bidirectional",
        enabled: false,
        rate: "high",
        source: "10.213.255.2",
        target: target(form),
        type: "reply",
      },
    }),
  },
};

export type Path = readonly (string | number)[];

/** Paths of a value and of everything in it. */
export function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const inside = Object.entries(value).flatMap(([key, item]) =>
    pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...inside];
}

/** Paths of the objects in a value. */
export function objectsIn(value: unknown): Path[] {
  return pathsOf(value).filter((path) => {
    const at = valueAt(value, path);
    return typeof at === "object" && at !== null && !Array.isArray(at);
  });
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce((at: unknown, key) => Reflect.get(Object(at), key), value);
}

export function pointer(path: Path): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** JSON of a value in which something else, given as JSON, stands at a path. */
export function withAt(value: unknown, path: Path, json: string): string {
  const [key, ...rest] = path;
  if (key === undefined) return json;
  const member = (name: string, item: unknown) =>
    name === String(key) ? withAt(item, rest, json) : JSON.stringify(item);
  if (Array.isArray(value)) return `[${value.map((item, index) => member(String(index), item)).join(",")}]`;
  const members = Object.entries(Object(value)).map(
    ([name, item]) => `${JSON.stringify(name)}:${member(name, item)}`,
  );
  return `{${members.join(",")}}`;
}

/** JSON of a value in which an object at a path has one more member, given as JSON. */
export function withMember(value: unknown, path: Path, key: string, json: string): string {
  const inner = JSON.stringify(valueAt(value, path)).slice(0, -1);
  const comma = inner === "{" ? "" : ",";
  return withAt(value, path, `${inner}${comma}${JSON.stringify(key)}:${json}}`);
}

/** JSON of a list or object of many items, each made from its number. */
export function many(count: number, item: (index: number) => string, [open, close] = ["[", "]"]): string {
  return `${open}${Array.from({ length: count }, (_, index) => item(index)).join(",")}${close}`;
}

/** `many` members of an object. */
export const members = (count: number, item: (index: number) => string) => many(count, item, ["{", "}"]);
