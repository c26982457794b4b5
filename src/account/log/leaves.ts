/** An interconnect as the vendor tells it, as a flat list of what was set. */

/** Told, but never set: the server's own times and names, and fields by an older name. */
const TOLD_ONLY = new Set(["id", "created_on", "modified_on", "bgp.as_no"]);

/** Of version "1.5" these follow from the interface's address. */
const DERIVED = new Set(["bgp.cloudflare_endpoint", "bgp.customer_endpoint"]);

export type Shown = Readonly<Record<string, unknown>>;

/**
 * By dotted path, in the order of the names. The target is the one that was asked for (`saved`), whichever form it
 * was told in.
 */
export function leavesOf(shown: Shown): readonly (readonly [path: string, value: unknown])[] {
  const leaves: (readonly [string, unknown])[] = [];
  collect(shown, "", leaves);
  const derived = shown["version"] === "1.5" ? DERIVED : new Set<string>();
  return leaves
    .filter(([path]) => !TOLD_ONLY.has(path) && !derived.has(path))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

function collect(value: Shown, path: string, leaves: (readonly [string, unknown])[]): void {
  for (const [key, member] of Object.entries(value)) {
    const at = path + key;
    if (member === undefined || member === null) continue;
    if (typeof member !== "object" || Array.isArray(member)) leaves.push([at, member]);
    else if (at === "health_check.target") leaves.push([at, Object(member).saved ?? ""]);
    else collect({ ...member }, `${at}.`, leaves);
  }
}
