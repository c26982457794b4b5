/**
 * A small world and the requests to try on it. Values come from small pools, so that collisions,
 * swaps, overlaps and updates that change nothing are frequent.
 */

import fc from "fast-check";
import { IDS, POOR, RICH, spaces6 } from "./model-world.ts";

/** JSON as tests write it. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

export type Form = "text" | "object";

/** Mostly one of the first, now and then one of the second. */
function mostly<T, U>(good: readonly T[], bad: readonly U[]): fc.Arbitrary<T | U> {
  return fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
  );
}

/** Per field, by dotted path: good values, and bad ones (some bad for one version or account only). */
const pools: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  name: mostly(
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "ein Name"],
    ["", "a\nb", "x".repeat(256)],
  ),
  description: mostly(["", "new", "new", "Grüße 😀"], ["x".repeat(1025)]),
  mtu: mostly([576, 1400, 1476, 1476], [575, 1477, 1500, 1501, 0, -1, 1400.5, 1e21]),
  interface_address: mostly(
    [
      ...[
        "10.0.0.0/31",
        "10.0.0.1/31",
        "10.0.0.2/31",
        "10.0.0.3/31",
        "10.0.0.4/31",
        "10.0.0.6/31",
        "10.0.0.7/31",
      ],
      ...[
        "10.0.1.0/31",
        "10.0.1.2/31",
        "10.0.1.4/31",
        "10.0.1.6/31",
        "10.0.1.9/30",
        "10.0.1.14/30",
        "10.0.2.0/31",
      ],
      ...["10.0.0.1/30", "10.0.0.6/30", "10.0.0.9/30", "10.0.0.10/30", "10.0.0.8/31", "10.0.0.10/31"],
      ...[
        "172.16.0.0/31",
        "172.31.255.254/31",
        "192.168.255.255/31",
        "169.254.240.0/31",
        "169.254.255.255/31",
      ],
    ],
    [
      ...[
        "10.0.0.0/30",
        "10.0.0.3/30",
        "10.0.0.0/29",
        "10.0.0.0/32",
        "10.0.0.0",
        "010.0.0.0/31",
        "10.0.0.0/031",
        "",
      ],
      ...[
        "172.32.0.0/31",
        "172.15.255.254/31",
        "169.254.239.254/31",
        "11.0.0.0/31",
        "192.0.2.0/31",
        "::/127",
      ],
      ...["198.51.100.0/31", "198.51.100.254/31", "198.51.101.0/31"],
    ],
  ),
  interface_address6: mostly(
    [
      ...["", `${spaces6}:1:200/127`, `${spaces6}:1:202/127`, `${spaces6.toUpperCase()}:1:202/127`],
      `${spaces6.replace(":0:", "::")}:1:200/127`,
    ],
    [
      ...[
        `${spaces6}:1:201/127`,
        `${spaces6}::/127`,
        `${spaces6}:1:200/126`,
        "2606:54c1:7:0:a9fe:12d3::2/127",
      ],
      ...["fe80::2%eth0/127", "10.0.0.0/31", `${spaces6}:1:200`],
    ],
  ),
  automatic_return_routing: fc.boolean(),
  "gre.cloudflare_endpoint": mostly(
    ["203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:DB8:0::1"],
    ["", "203.0.113", "224.0.0.1", "203.0.113.1/32", "::1"],
  ),
  "health_check.enabled": fc.boolean(),
  "health_check.rate": mostly(["low", "mid", "high"], ["LOW", ""]),
  "health_check.type": mostly(["reply", "request"], ["other"]),
  "health_check.direction": mostly(["unidirectional", "bidirectional"], ["both"]),
  "health_check.source": mostly(
    ["10.9.9.9", "10.9.9.8", "198.41.199.224", "198.41.199.255"],
    ["", "198.41.199.223", "192.0.2.1", "2001:db8::1", "10.9.9"],
  ),
  "bgp.customer_asn": mostly([65010, 65011], [13335, -1, 2 ** 31, 0]),
  "bgp.as_no": mostly([65010, 65011], [13335]),
  "bgp.extra_prefixes": mostly(
    [[], ["192.0.2.0/24"], ["10.0.0.0/8", "2001:DB8::/32"]],
    [["10.0.0.1/8"], ["10.0.0.0/8", "x"], ["10.0.0.0/8", 7], [null]],
  ),
  "bgp.md5_key": mostly(["", "secret", "other secret"], ["wh?t", 'qu"ote', "tab\t", "é"]),
  "bgp.import_filter_id": mostly(["", "in"], ["x".repeat(33)]),
  "bgp.export_filter_id": mostly(["", "out"], ["x".repeat(33)]),
  "bgp.cloudflare_endpoint": mostly(["", "10.0.0.4", "10.0.0.1"], ["10.0.0", "2001:db8::1"]),
  "bgp.customer_endpoint": mostly(["", "10.0.0.5", "10.0.0.2"], ["127.0.0.1"]),
  colo_name: mostly(["one"], ["two"]),
  version: mostly(["1", "1.5"], ["2", "3"]),
  created_on: fc.constant("any"),
  modified_on: fc.constant("any"),
  virtual_port_reservation_id: fc.constantFrom(IDS[4] ?? "", "another"),
};

const targets = ["", "203.0.113.9", "203.0.113.10", "2001:db8::9", "2001:DB8::0:9"];
const badTargets = ["0.0.0.0", "203.0.113.9/32", "host.example"];

function targetOf(form: Form): fc.Arbitrary<Json> {
  const text = mostly(targets, badTargets);
  const object = fc.record(
    { saved: text, effective: mostly(["anything", "203.0.113.1"], [5]) },
    { requiredKeys: [] },
  );
  const [right, other] = form === "text" ? [text, object] : [object, text];
  return fc.oneof({ weight: 20, arbitrary: right as fc.Arbitrary<Json> }, { weight: 1, arbitrary: other });
}

/** What stands where it cannot: every JSON type, a field of no name, a whole object as something else. */
const junk = fc.tuple(
  fc.constantFrom(
    ...Object.keys(pools),
    "health_check",
    "health_check.target",
    "bgp",
    "gre",
    "nam",
    "gre.x",
    "a/b~c",
  ),
  fc.constantFrom<Json>(null, 7, true, [], {}, "?", ["?"], { x: 1 }),
);

/** How often each field is in an update; the others 6 times. */
const frequency: Readonly<Record<string, number>> = {
  name: 20,
  interface_address: 25,
  interface_address6: 10,
  "gre.cloudflare_endpoint": 3,
  "health_check.source": 3,
  automatic_return_routing: 4,
  colo_name: 1,
  version: 1,
  virtual_port_reservation_id: 1,
};

/** One field of an update and its value. */
function fieldOf(form: Form, hostile: boolean): fc.Arbitrary<[string, Json]> {
  const known = Object.entries({ ...pools, "health_check.target": targetOf(form) }).map(([path, value]) => ({
    weight: frequency[path] ?? 6,
    arbitrary: fc.tuple(fc.constant(path), value),
  }));
  return hostile ? fc.oneof(...known, { weight: 12, arbitrary: junk }) : fc.oneof(...known);
}

/** An update as a request's body would have it. With `hostile`, some values have the wrong type. */
export function update(form: Form, hostile = false): fc.Arbitrary<JsonObject> {
  return fc
    .uniqueArray(fieldOf(form, hostile), { maxLength: 4, selector: ([path]) => path })
    .map((fields) => fields.reduce((body, [path, value]) => setAt(body, path.split("."), value), {}));
}

function setAt(body: JsonObject, [key = "", ...rest]: string[], value: Json): JsonObject {
  const inner = body[key];
  if (rest.length === 0) return { ...body, [key]: value };
  const object = typeof inner === "object" && inner !== null && !Array.isArray(inner) ? inner : {};
  return { ...body, [key]: setAt(object, rest, value) };
}

/** What a conditional header says, told by what it means at that moment. */
export type Tag = "current" | "stale" | "weak" | "both" | "any" | "malformed";

export interface Element {
  /** An index into `IDS`, or what stands in the id's place. */
  readonly id: number | { readonly given: Json } | "missing";
  /** Starts from the interconnect as it was read. */
  readonly echo: boolean;
  readonly update: JsonObject;
}

export interface Request {
  readonly account: string;
  /** The value of `x-magic-new-hc-target`. */
  readonly header: string | undefined;
  readonly validateOnly: string | undefined;
  readonly ifMatch: Tag | undefined;
  readonly ifNoneMatch: Tag | undefined;
  readonly what:
    | { readonly one: Element }
    | { readonly many: readonly Element[]; readonly as: "wrapped" | "list" | "bare" }
    /** Each takes the field's value of the next, the last that of the first. */
    | { readonly rotate: readonly number[]; readonly field: RotatedField }
    | { readonly body: Json; readonly to: "one" | "many" };
}

export type RotatedField = "name" | "interface_address" | "interface_address6";

const id = fc.oneof(
  { weight: 60, arbitrary: fc.nat(4) },
  { weight: 1, arbitrary: fc.constant("missing" as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      given: fc.constantFrom<Json>("0".repeat(32), "one", "", 7, null, "x".repeat(33)),
    }),
  },
);

function element(form: Form): fc.Arbitrary<Element> {
  return fc.record({
    id,
    echo: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    update: fc.oneof({ weight: 8, arbitrary: update(form) }, { weight: 1, arbitrary: update(form, true) }),
  });
}

/** Bodies that are no update at all. */
const otherBody = fc.constantFrom<Json>(
  ...[null, 7, "text", true, {}, [], [[]], [null, 7, "x"]],
  ...[{ interconnects: null }, { interconnects: 7 }, { interconnects: {} }, { interconnects: [] }],
  ...[{ interconnects: [], name: "x" }, { interconnect: [], "a/b": 1 }, { interconnects: ["x"] }],
  Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`x${n}`, n])),
);

function what(form: Form): fc.Arbitrary<Request["what"]> {
  const many = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.uniqueArray(element(form), { maxLength: 5, selector: ({ id }) => JSON.stringify(id) }),
    },
    { weight: 1, arbitrary: fc.array(element(form), { maxLength: 4 }) },
  );
  const rotate = fc.uniqueArray(fc.nat(4), { minLength: 2, maxLength: 5 });
  const shape = fc.constantFrom("wrapped", "wrapped", "list", "bare");
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ one: element(form) }) },
    { weight: 16, arbitrary: fc.record({ many, as: shape }) },
    {
      weight: 3,
      arbitrary: fc.record({
        rotate,
        field: fc.constantFrom<RotatedField>("name", "interface_address", "interface_address6"),
      }),
    },
    { weight: 1, arbitrary: fc.record({ body: otherBody, to: fc.constantFrom("one", "many") }) },
  );
}

function seldom<T>(value: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 20 - weight, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value });
}

function requestIn(form: Form): fc.Arbitrary<Request> {
  const header =
    form === "object"
      ? mostly(["true", "true", "true"], ["TRUE", "1"])
      : mostly([undefined, undefined, "false"], ["", "False"]);
  const tag = fc.constantFrom<Tag>(
    "current",
    "current",
    "current",
    "both",
    "any",
    "stale",
    "weak",
    "malformed",
  );
  return fc.record({
    account: fc.constantFrom(RICH, RICH, POOR),
    header,
    validateOnly: seldom(mostly(["true", "1", "false", "0"], ["yes", "", "True"]), 4),
    ifMatch: seldom(tag, 3),
    ifNoneMatch: seldom(tag, 1),
    what: what(form),
  });
}

/** One update of one or many interconnects, in either form of the target. */
export const request: fc.Arbitrary<Request> = fc.oneof(requestIn("text"), requestIn("object"));
