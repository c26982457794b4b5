/** The fields of an interconnect as a flat list, in groups that belong together. */

import type { Interconnect } from "../../api/account.ts";

export interface Field {
  readonly path: string;
  readonly value: unknown;
  /** Can somebody have set it? Others follow from something else. */
  readonly isSet: boolean;
  /** What the log calls it. */
  readonly blamed: string;
}

export interface Group {
  readonly title: string;
  readonly fields: readonly Field[];
}

/** The path of a group's members, or how those of an object begin; in the order in which they are shown. */
const groups: readonly (readonly [title: string, members: readonly string[]])[] = [
  ["What it is", ["name", "description", "id", "version", "colo_name", "virtual_port_reservation_id"]],
  [
    "Addresses and packets",
    ["interface_address", "interface_address6", "gre.", "mtu", "automatic_return_routing"],
  ],
  ["Health check", ["health_check."]],
  ["BGP", ["bgp."]],
  ["When", ["created_on", "modified_on"]],
];

/** Told and never set: the server's own times and identifier, and what follows from other fields. */
const told = new Set(["id", "created_on", "modified_on", "bgp.as_no", "health_check.target.effective"]);
const derived = new Set(["bgp.cloudflare_endpoint", "bgp.customer_endpoint"]);

export function groupsOf(interconnect: Interconnect): readonly Group[] {
  const leaves = leavesIn(interconnect, "");
  const fields = leaves.map(([path, value]): Field => {
    const isDerived = interconnect.version === "1.5" && derived.has(path);
    const blamed = path === "health_check.target.saved" ? "health_check.target" : path;
    return { path, value, blamed, isSet: !told.has(path) && !isDerived };
  });
  const grouped = groups.map(([title, members]) => ({
    title,
    fields: members.flatMap((member) =>
      fields.filter(({ path }) => (member.endsWith(".") ? path.startsWith(member) : path === member)),
    ),
  }));
  const known = new Set(grouped.flatMap((group) => group.fields));
  const others = { title: "Others", fields: fields.filter((field) => !known.has(field)) };
  return [...grouped, others].filter((group) => group.fields.length > 0);
}

function leavesIn(value: object, path: string): readonly (readonly [path: string, value: unknown])[] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    const at = path + key;
    if (member === undefined || member === null) return [];
    if (typeof member === "object" && !Array.isArray(member)) return leavesIn(member, `${at}.`);
    return [[at, member] as const];
  });
}
