import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Form, type Json, type JsonObject, update } from "../../test/harness/arbitraries.ts";
import { asked, drive } from "../../test/harness/decisions.ts";
import { IDS, POOR, RICH, seededState } from "../../test/harness/model-world.ts";
import { runs as runsOf } from "../../test/harness/runs.ts";
import { Problems } from "../contract/errors.ts";
import type { InterconnectUpdate } from "../contract/interconnect.ts";
import { type InterconnectDoc, interconnectKind, interconnectOf } from "./interconnect.ts";
import { mergeInterconnect } from "./interconnect-merge.ts";
import { interconnectView } from "./interconnect-view.ts";
import { settingsOf } from "./settings.ts";
import type { State } from "./state.ts";

/** An interconnect as some requests have left it, in its account. */
interface Found {
  readonly state: State;
  readonly id: string;
  readonly doc: InterconnectDoc;
}

const found: fc.Arbitrary<Found> = fc
  .tuple(fc.constantFrom(RICH, POOR), fc.array(asked, { maxLength: 5 }), fc.nat(4))
  .map(([account, requests, at]) => {
    const state = drive(account, requests, () => undefined);
    return { state, ...stored(state, at) };
  });

function stored(state: State, at: number): { id: string; doc: InterconnectDoc } {
  const entry = state.get(interconnectKind.name, IDS[at] ?? "");
  if (!entry) throw new Error("The interconnect is gone.");
  return { id: entry.id, doc: interconnectOf(entry) };
}

function merge({ state, id, doc }: Found, body: unknown): { doc: InterconnectDoc; problems: string[] } {
  const problems = new Problems();
  const by = { settings: settingsOf(state), problems, pointer: "" };
  // The arbitraries make what the schema lets pass, and the examples are written so.
  const merged = mergeInterconnect(id, doc, body as InterconnectUpdate, by);
  return { doc: merged, problems: problems.list().map(({ name, pointer }) => `${name} ${pointer}`) };
}

const form = fc.constantFrom<Form>("text", "object");
const anUpdate = form.chain((form) => update(form)).filter((body) => typeOf(body) !== "wrong");

/** The pools hold a few values that no schema lets through. */
function typeOf(body: Json): "wrong" | "right" {
  if (typeof body === "number") return Number.isInteger(body) ? "right" : "wrong";
  if (typeof body !== "object" || body === null) return body === null ? "wrong" : "right";
  const { effective } = body as JsonObject;
  if (effective !== undefined && typeof effective !== "string") return "wrong";
  if (Array.isArray(body)) return body.every((item) => typeof item === "string") ? "right" : "wrong";
  return Object.values(body).some((item) => typeOf(item) === "wrong") ? "wrong" : "right";
}

/** All values by dotted path. */
function leaves(value: unknown, path = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Map([[path, value]]);
  return new Map(
    Object.entries(value).flatMap(([key, item]) => [...leaves(item, path === "" ? key : `${path}.${key}`)]),
  );
}

const runs = { numRuns: runsOf(1000) };

describe("an update", () => {
  test("that is sent a second time changes nothing more", () => {
    let changed = 0;
    fc.assert(
      fc.property(found, anUpdate, (found, body) => {
        const first = merge(found, body);
        if (first.problems.length > 0) return;
        const second = merge({ ...found, doc: first.doc }, body);
        // Endpoints that were read are known as such only until the address they are derived from moves.
        const known = second.problems.filter(
          (problem) => !/^read_only_field \/bgp\/c\w+_endpoint$/.test(problem),
        );
        expect(known).toEqual([]);
        expect(second.doc).toEqual(first.doc);
        if (JSON.stringify(first.doc) !== JSON.stringify(found.doc)) changed++;
      }),
      runs,
    );
    expect(changed).toBeGreaterThan(runsOf(150));
  });

  test("leaves what it omits as it was, at every depth", () => {
    fc.assert(
      fc.property(found, anUpdate, (found, body) => {
        const { doc } = merge(found, body);
        const sent = new Set(leaves(body).keys());
        if (sent.has("bgp.as_no")) sent.add("bgp.customer_asn");
        for (const path of sent) if (path.startsWith("health_check.target.")) sent.add("health_check.target");
        if (doc.health_check.direction === "unidirectional") sent.add("health_check.source");
        const after = leaves(doc);
        const before = leaves(found.doc);
        for (const path of new Set([...before.keys(), ...after.keys()])) {
          if (!sent.has(path)) expect([path, after.get(path)]).toEqual([path, before.get(path)]);
        }
      }),
      runs,
    );
  });

  test("in two parts, if both are taken, comes to the same as at once", () => {
    let split = 0;
    fc.assert(
      fc.property(found, anUpdate, fc.func(fc.boolean()), (found, body, isFirst) => {
        const part = (wanted: boolean) =>
          [...leaves(body)]
            // The old name and the new one of the same field are not two parts.
            .filter(([path]) => isFirst(path.replace("as_no", "customer_asn")) === wanted)
            .reduce<JsonObject>((built, [path, value]) => put(built, path.split("."), value as Json), {});
        const whole = merge(found, body);
        const one = merge(found, part(true));
        const two = merge({ ...found, doc: one.doc }, part(false));
        if ([whole, one, two].some(({ problems }) => problems.length > 0)) return;
        expect(two.doc).toEqual(whole.doc);
        split++;
      }),
      runs,
    );
    expect(split).toBeGreaterThan(runsOf(150));
  });

  test("that is refused at one place still counts at the others", () => {
    const { doc, problems } = merge(at(RICH, 0), {
      mtu: 1,
      name: "new",
      health_check: { target: "x", rate: "high" },
    });
    expect(problems).toEqual(["invalid_value /mtu", "invalid_value /health_check/target"]);
    expect(doc).toMatchObject({
      mtu: 1476,
      name: "new",
      health_check: { target: "203.0.113.9", rate: "high" },
    });
  });

  test("leaves the interconnect it is laid over as it was", () => {
    fc.assert(
      fc.property(found, anUpdate, (found, body) => {
        const copies = structuredClone({ doc: found.doc, body });
        merge(found, body);
        expect({ doc: found.doc, body }).toEqual(copies);
      }),
      runs,
    );
  });

  test.each(["text", "object"] as const)(
    "that sends back what was read, targets as %s, changes nothing",
    (form) => {
      fc.assert(
        fc.property(found, (found) => {
          const view = interconnectView(found.id, found.doc, form);
          expect(merge(found, JSON.parse(JSON.stringify(view)))).toEqual({ doc: found.doc, problems: [] });
        }),
        runs,
      );
    },
  );

  test.each(["text", "object"] as const)(
    "that sends back what was read, targets as %s, and more, is that update",
    (form) => {
      fc.assert(
        fc.property(
          found,
          update(form).filter((body) => typeOf(body) === "right"),
          (found, body) => {
            const view: JsonObject = JSON.parse(JSON.stringify(interconnectView(found.id, found.doc, form)));
            const alone = merge(found, body);
            const { as_no, customer_asn } = (body["bgp"] ?? {}) as JsonObject;
            // The old name is heard only where the new one is not sent.
            if (alone.problems.length > 0 || (as_no !== undefined && customer_asn === undefined)) return;
            const whole = [...leaves(body)].reduce(
              (built, [path, value]) => put(built, path.split("."), value as Json),
              view,
            );
            const turns =
              found.doc.health_check.source !== undefined && alone.doc.health_check.source === undefined;
            // A source that was read must go when the check is made unidirectional.
            const expected = turns ? ["source_not_allowed /health_check/source"] : [];
            expect(merge(found, whole)).toEqual({ doc: alone.doc, problems: expected });
          },
        ),
        runs,
      );
    },
  );
});

function put(body: JsonObject, [key = "", ...rest]: string[], value: Json): JsonObject {
  if (rest.length === 0) return { ...body, [key]: value };
  return { ...body, [key]: put((body[key] ?? {}) as JsonObject, rest, value) };
}

/** The interconnects of the seed: 0 and 1 of version "1", 2 and 3 of "1.5", 4 of "2". */
function at(account: string, number: number): Found {
  const state = seededState(account);
  return { state, ...stored(state, number) };
}

describe("what clears", () => {
  test.each<[string, number, object, string, unknown]>([
    ["a description", 0, { description: "" }, "description", ""],
    ["an IPv6 subnet", 1, { interface_address6: "" }, "interface_address6", undefined],
    ["a target", 0, { health_check: { target: "" } }, "health_check.target", ""],
    [
      "a target in its object form",
      0,
      { health_check: { target: { saved: "" } } },
      "health_check.target",
      "",
    ],
    ["a member of bgp", 4, { bgp: { md5_key: "" } }, "bgp.md5_key", undefined],
    ["bgp, with its last member", 3, { bgp: { extra_prefixes: [] } }, "bgp", undefined],
    [
      "a source, by the direction",
      2,
      { health_check: { direction: "unidirectional" } },
      "health_check.source",
      undefined,
    ],
  ])("%s", (_, number, body, path, value) => {
    const found = at(RICH, number);
    const { doc, problems } = merge(found, body);
    expect(problems).toEqual([]);
    const under = (doc: InterconnectDoc) =>
      [...leaves(doc)].filter(([key]) => `${key}.`.startsWith(`${path}.`));
    expect(under(found.doc)).not.toEqual([]);
    expect(under(doc)).toEqual(value === undefined ? [] : [[path, value]]);
  });

  test.each<[string, number, object, string]>([
    ["a name", 0, { name: "" }, "invalid_value /name"],
    ["an interface subnet", 0, { interface_address: "" }, "invalid_value /interface_address"],
    ["a GRE endpoint", 0, { gre: { cloudflare_endpoint: "" } }, "invalid_value /gre/cloudflare_endpoint"],
    [
      "the source of a bidirectional check",
      2,
      { health_check: { source: "" } },
      "source_required /health_check",
    ],
  ])("is nothing for %s", (_, number, body, problem) => {
    expect(merge(at(RICH, number), body).problems).toEqual([problem]);
  });
});

describe("the AS of the customer, by its two names", () => {
  const asn = (bgp: object, number = 4) => {
    const { doc, problems } = merge(at(RICH, number), { bgp });
    return problems[0] ?? doc.bgp?.customer_asn;
  };

  test.each([
    ["the new name", { customer_asn: 65011 }, 65011],
    ["the old name", { as_no: 65011 }, 65011],
    ["both", { as_no: 65011, customer_asn: 65011 }, 65011],
    ["the new name, the old one as it was read", { as_no: 65010, customer_asn: 65011 }, 65011],
    ["the old name against the new one, which counts", { as_no: 65011, customer_asn: 65010 }, 65010],
    ["two new values", { as_no: 65011, customer_asn: 65012 }, "invalid_value /bgp/as_no"],
    ["the provider's own", { customer_asn: 13335 }, "invalid_value /bgp/customer_asn"],
    ["the provider's own by the old name", { as_no: 13335 }, "invalid_value /bgp/as_no"],
  ])("given by %s", (_, bgp, expected) => {
    expect(asn(bgp)).toBe(expected);
  });
});

describe("read-only fields", () => {
  test.each<[string, number, object, string[]]>([
    ["times are ignored", 0, { created_on: "x", modified_on: "y" }, []],
    ["an effective target is ignored", 0, { health_check: { target: { effective: "x" } } }, []],
    ["its own id", 0, { id: IDS[0] }, []],
    ["another id", 0, { id: IDS[1] }, ["read_only_field /id"]],
    ["its version", 2, { version: "1.5" }, []],
    ["another version", 2, { version: "1" }, ["read_only_field /version"]],
    ["a place that it does not have", 1, { colo_name: "one" }, ["read_only_field /colo_name"]],
    [
      "a reservation that it does not have",
      1,
      { virtual_port_reservation_id: "x" },
      ["read_only_field /virtual_port_reservation_id"],
    ],
    [
      "the endpoints it derives",
      2,
      { bgp: { cloudflare_endpoint: "10.0.0.4", customer_endpoint: "10.0.0.5" } },
      [],
    ],
    [
      "other endpoints",
      2,
      { bgp: { cloudflare_endpoint: "10.0.0.5" } },
      ["read_only_field /bgp/cloudflare_endpoint"],
    ],
    [
      "the endpoints it derived until now",
      2,
      { interface_address: "10.0.1.0/31", bgp: { customer_endpoint: "10.0.0.5" } },
      [],
    ],
    [
      "the endpoints it will derive",
      2,
      { interface_address: "10.0.1.0/31", bgp: { customer_endpoint: "10.0.1.1" } },
      [],
    ],
  ])("%s", (_, number, body, problems) => {
    expect(merge(at(RICH, number), body).problems).toEqual(problems);
  });
});
