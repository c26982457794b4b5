/**
 * The interconnects of the double of Cloudflare's API: how an update is laid over what is there, and what is refused,
 * from the vendor's documentation alone. Imports nothing of Patchbay's.
 */

export interface DoubleHealthCheck {
  readonly enabled: boolean;
  readonly target: string;
  readonly type: string;
  readonly rate: string;
  readonly direction: string;
  readonly source?: string;
}

export interface DoubleInterconnect {
  readonly id: string;
  readonly interface_address: string;
  readonly created_on: string;
  readonly modified_on: string;
  readonly name: string;
  readonly version: string;
  readonly mtu: number;
  readonly health_check: DoubleHealthCheck;
  readonly automatic_return_routing: boolean;
  readonly colo_name?: string;
  readonly description?: string;
  readonly interface_address6?: string;
  readonly gre?: { readonly cloudflare_endpoint: string };
  readonly bgp?: Readonly<Record<string, unknown>>;
  readonly virtual_port_reservation_id?: string;
}

/** What the vendor knows of an account and does not tell. */
export interface DoubleSecrets {
  /** `coupler_integration`, without which there is no automatic return routing. */
  readonly returnRouting: boolean;
  /** By interconnect: the customer's endpoint, which is the target of health checks that name none. */
  readonly customerEndpoints: Readonly<Record<string, string>>;
}

/** A refusal as the Magic service makes it: 400 with code 1022 unless it says otherwise. */
export class DoubleRefusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(message: string, status = 400, code = 1022) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Members = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.some((one) => one === value);

/** The fields of the published request, by dotted path. Whatever else is sent is read-only, or nothing. */
const writable: Readonly<Record<string, Check>> = {
  name: (value) => isText(value) && value !== "",
  description: isText,
  mtu: (value) => Number.isInteger(value) && Number(value) >= 576 && Number(value) <= 1500,
  interface_address: (value) => isText(value) && isInterfaceAddress(String(value)),
  interface_address6: (value) => isText(value) && /^[0-9a-f:]+\/127$/.test(String(value)),
  automatic_return_routing: (value) => typeof value === "boolean",
  "gre.cloudflare_endpoint": isText,
  "health_check.enabled": (value) => typeof value === "boolean",
  "health_check.rate": oneOf("low", "mid", "high"),
  "health_check.type": oneOf("reply", "request"),
  "health_check.direction": oneOf("unidirectional", "bidirectional"),
  "health_check.source": isText,
  "health_check.target": isText,
  "bgp.customer_asn": (value) => Number.isInteger(value) && Number(value) >= 0 && value !== 13335,
  "bgp.extra_prefixes": (value) => Array.isArray(value) && value.every(isText),
  "bgp.import_filter_id": isText,
  "bgp.export_filter_id": isText,
  "bgp.md5_key": (value) => isText(value) && /^[ -~]+$/.test(String(value)) && !/["?]/.test(String(value)),
};

/** RFC 1918 or the link-local addresses that the vendor approves; a /30 or a /31. */
function isInterfaceAddress(text: string): boolean {
  return /^(10\.\d+|172\.(1[6-9]|2\d|3[01])|192\.168|169\.254)\.\d+\.\d+\/(30|31)$/.test(text);
}

function membersOf(value: unknown, what: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new DoubleRefusal(
      `Invalid Request: json: cannot unmarshal ${Array.isArray(value) ? "array" : typeof value} into ${what}`,
    );
  return Object.fromEntries(Object.entries(value));
}

/** Throws `DoubleRefusal`. `objectTarget`: the request had `x-magic-new-hc-target: true`. */
export function mergeUpdate(
  stored: DoubleInterconnect,
  update: unknown,
  objectTarget: boolean,
  secrets: DoubleSecrets,
): DoubleInterconnect {
  const sent = membersOf(update, "an interconnect");
  const merged = { ...stored, ...mergeMembers({ ...stored }, sent, "", objectTarget) };
  if (stored.version === "1.5" && sent["gre"] !== undefined)
    throw new DoubleRefusal("Invalid Request: gre is not configurable for this interconnect");
  if (sent["automatic_return_routing"] === true && !secrets.returnRouting)
    throw new DoubleRefusal("Invalid Request: automatic return routing is not enabled for this account");
  const { source, ...check } = merged.health_check;
  if (check.direction === "unidirectional") return { ...merged, health_check: check };
  if (stored.version === "1.5" && !source)
    throw new DoubleRefusal("Invalid Request: source is required for a bidirectional health check");
  return merged;
}

/** Partial at every depth: what is left out stays. */
function mergeMembers(stored: Members, sent: Members, path: string, objectTarget: boolean): Members {
  const merged: Record<string, unknown> = { ...stored };
  for (const [key, value] of Object.entries(sent)) {
    const at = path + key;
    if (value === null)
      throw new DoubleRefusal(
        `Invalid Request: error parsing request body while updating Interconnect: type "${key}" is not permitted to be null`,
      );
    if (at === "health_check.target") merged[key] = targetOf(value, objectTarget);
    else if (["health_check", "gre", "bgp"].includes(at)) {
      const inner = stored[key] === undefined ? {} : membersOf(stored[key], at);
      merged[key] = mergeMembers(inner, membersOf(value, at), `${at}.`, objectTarget);
    } else {
      const check = writable[at];
      if (check === undefined) continue;
      if (!check(value)) throw new DoubleRefusal(`Invalid Request: ${at} is not valid`);
      merged[key] = value;
    }
  }
  return merged;
}

/** The form must be the header's; `effective` is ignored. */
function targetOf(value: unknown, objectTarget: boolean): string {
  const saved = objectTarget ? membersOf(value, "the health check's target")["saved"] : value;
  if (objectTarget && saved === undefined) return "";
  if (typeof saved !== "string")
    throw new DoubleRefusal("Invalid Request: the health check's target has not the form that was asked for");
  return saved;
}

/** As told: in the order of the live service's answers, which is not that of the alphabet. */
export function tell(one: DoubleInterconnect, objectTarget: boolean, secrets: DoubleSecrets): Members {
  const { enabled, target, ...check } = one.health_check;
  const shown = objectTarget ? { effective: effectiveTarget(one, secrets), saved: target } : target;
  return {
    id: one.id,
    interface_address: one.interface_address,
    created_on: one.created_on,
    modified_on: one.modified_on,
    name: one.name,
    description: one.description,
    mtu: one.mtu,
    health_check: { enabled, target: shown, ...check },
    gre: one.version === "1" ? one.gre : undefined,
    colo_name: one.colo_name,
    interface_address6: one.interface_address6,
    automatic_return_routing: one.automatic_return_routing,
    bgp: one.bgp,
    version: one.version,
    virtual_port_reservation_id: one.virtual_port_reservation_id,
  };
}

function effectiveTarget(
  { id, health_check, interface_address }: DoubleInterconnect,
  secrets: DoubleSecrets,
) {
  if (health_check.direction === "bidirectional") return otherHost(interface_address);
  return health_check.target === "" ? (secrets.customerEndpoints[id] ?? "") : health_check.target;
}

/** The other host of a /31, or of a /30 between its network and broadcast addresses. */
function otherHost(prefix: string): string {
  const [address = "", length] = prefix.split("/");
  const bytes = address.split(".").map(Number);
  const last = bytes.pop() ?? 0;
  return [...bytes, length === "31" ? last ^ 1 : last ^ 3].join(".");
}
