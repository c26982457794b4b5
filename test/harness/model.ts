/**
 * The model: what the updates of interconnects are meant to do, written a second time and as plainly
 * as possible. It shares no code with `src/account`: arrays, loops, copies of everything, addresses
 * as texts. A server and the model that disagree are a defect of one of them.
 */

import type { Form, Json, JsonObject } from "./arbitraries.ts";
import { endsOf, membersOf } from "./model-addresses.ts";
import { isObject, readUpdate, type Say } from "./model-check.ts";
import { type Doc, type HealthCheck, type ModelSettings, merge, type Update } from "./model-merge.ts";

interface Item {
  readonly id: string;
  doc: Doc;
  revision: number;
}

/** What a seed says of an interconnect. */
export type SeedItem = Partial<Omit<Doc, "health_check">> &
  Pick<Doc, "name" | "version" | "interface_address" | "created_on"> & {
    id: string;
    health_check?: Partial<HealthCheck>;
  };

export interface ModelRequest {
  /** The interconnect of the path; none for the update of many. */
  readonly id: string | undefined;
  readonly body: Json;
  readonly header: string | undefined;
  readonly validateOnly: string | undefined;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly time: string;
}

/** `problems` are `code pointer`, in order. */
export type ModelAnswer =
  | { readonly status: 200; readonly body: JsonObject; readonly etag: string | undefined }
  | { readonly status: number; readonly problems: readonly string[] };

export interface ModelRecord {
  readonly revision: number;
  readonly time: string;
  readonly operation: string;
  readonly objects: readonly JsonObject[];
}

class Refused extends Error {
  readonly status: number;
  readonly problems: readonly string[];
  constructor(status: number, ...problems: string[]) {
    super();
    this.status = status;
    this.problems = problems;
  }
}

/** A wanted interconnect and the place in the request that asks for it. */
interface Wanted {
  readonly item: Item;
  readonly doc: Doc;
  readonly pointer: string;
}

export class Model {
  readonly #account: string;
  readonly #epoch: string;
  readonly #settings: ModelSettings;
  readonly #items: Item[];
  readonly log: ModelRecord[] = [];
  /** The seed was the first. */
  revision = 1;

  constructor(account: string, epoch: string, settings: ModelSettings, seed: readonly SeedItem[]) {
    this.#account = account;
    this.#epoch = epoch;
    this.#settings = settings;
    this.#items = seed.map(({ id, ...given }) => {
      const health_check = {
        enabled: true,
        rate: "mid",
        type: "reply",
        direction: "unidirectional",
        target: "",
      };
      const doc = {
        mtu: given.version === "2" ? 1500 : 1476,
        automatic_return_routing: false,
        modified_on: given.created_on,
        ...given,
        health_check: { ...health_check, ...given.health_check },
      };
      return { id, doc: structuredClone(doc), revision: 1 };
    });
  }

  /** The answer of `/state`. */
  state(): JsonObject {
    return json({
      account_id: this.#account,
      epoch: this.#epoch,
      revision: this.revision,
      // No seed of the model has any of these, and no request of its own makes one.
      pending_change: null,
      settings: { ...this.#settings, pools: { link: [], interface: [] } },
      cni_settings: { default_asn: 0 },
      slots: [],
      ports: [],
      cnis: [],
      links: this.#items.flatMap(({ id, doc: { link } }) =>
        link ? [{ interconnect: id, provider: link.p2p_ip, customer: link.cust_ip }] : [],
      ),
      interconnects: this.#items.map(({ id, doc }) => show(id, doc, "object", "(masked)")),
      routes: [],
    });
  }

  /** The answer of the list. */
  list(form: Form): Json[] {
    return this.#items.map(({ id, doc }) => show(id, doc, form));
  }

  /** The entity tag of one interconnect, or of all. */
  tag(id: string | undefined, ago = 0): string {
    const revision =
      id === undefined ? this.revision : (this.#items.find((item) => item.id === id)?.revision ?? 0);
    return `"${this.#epoch}-${revision - ago}"`;
  }

  update(request: ModelRequest): ModelAnswer {
    try {
      return this.#update(request);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      const { status, problems } = refused;
      return { status, problems: problems.length <= 100 ? problems : [...problems.slice(0, 100), "990019"] };
    }
  }

  #update({ id, body, header, validateOnly, ifMatch, ifNoneMatch, time }: ModelRequest): ModelAnswer {
    if (header !== undefined && header !== "true" && header !== "false") throw new Refused(400, "990013");
    const form = header === "true" ? "object" : "text";
    if (![undefined, "true", "1", "false", "0"].includes(validateOnly)) throw new Refused(400, "990011");
    const dry = validateOnly === "true" || validateOnly === "1";
    for (const tags of [ifMatch, ifNoneMatch]) {
      if (tags !== undefined && !/^(\*|(W\/)?"[^"]*"(, (W\/)?"[^"]*")*)$/.test(tags))
        throw new Refused(400, "990013");
    }
    const elements = id === undefined ? elementsOf(body) : [{ element: body, pointer: "" }];
    if (id !== undefined && !this.#items.some((item) => item.id === id)) throw new Refused(404, "990024");
    const tag = this.tag(id);
    if (ifMatch !== undefined && ifMatch !== "*" && !ifMatch.split(", ").includes(tag))
      throw new Refused(412, "990014");
    if (ifNoneMatch !== undefined) {
      const tags = ifNoneMatch.split(", ").map((one) => one.replace("W/", ""));
      if (ifNoneMatch === "*" || tags.includes(tag)) throw new Refused(412, "990014");
    }
    const problems: string[] = [];
    const wanted = this.#want(id, elements, form, (code, pointer) => problems.push(`${code} ${pointer}`));
    if (problems.length > 0) throw new Refused(400, ...problems);
    return this.#grant(id, wanted, form, dry, time);
  }

  #want(id: string | undefined, elements: readonly Element[], form: Form, say: Say): Wanted[] {
    const wanted: Wanted[] = [];
    for (const { element, pointer } of elements) {
      const read = readUpdate(element, form, pointer, say);
      if (!read) continue;
      const update = read as Update;
      const named = id ?? update.id;
      if (named === undefined) {
        if (isObject(element) && !("id" in element)) say(990022, pointer);
        continue;
      }
      const item = this.#items.find((one) => one.id === named);
      if (!item) say(990025, `${pointer}/id`);
      else if (wanted.some((other) => other.item === item)) say(990026, `${pointer}/id`);
      else
        wanted.push({ item, doc: merge(item.id, item.doc, update, this.#settings, pointer, say), pointer });
    }
    for (const [n, one] of wanted.entries()) this.#judgeTogether(one, wanted.slice(0, n), wanted, say);
    return wanted;
  }

  /** No two may have the same name or share an address once all is done. */
  #judgeTogether(
    { item, doc, pointer }: Wanted,
    earlier: readonly Wanted[],
    all: readonly Wanted[],
    say: Say,
  ): void {
    for (const field of ["name", "interface_address", "interface_address6"] as const) {
      const moved = (one: Wanted) => one.doc[field] !== one.item.doc[field];
      if (doc[field] === item.doc[field]) continue;
      const staying = this.#items.filter((other) => !all.some((one) => one.item === other && moved(one)));
      const rivals = [...staying.map((other) => other.doc), ...earlier.filter(moved).map((one) => one.doc)];
      if (rivals.some((other) => collide(field, doc[field], other[field]))) {
        say(field === "name" ? 990027 : 990028, `${pointer}/${field}`);
      }
    }
  }

  #grant(
    id: string | undefined,
    wanted: readonly Wanted[],
    form: Form,
    dry: boolean,
    time: string,
  ): ModelAnswer {
    const moved = wanted.filter(
      ({ item, doc }) => JSON.stringify(flat(doc)) !== JSON.stringify(flat(item.doc)),
    );
    const results = wanted.map((one) => {
      const doc = moved.includes(one) ? { ...one.doc, modified_on: time } : one.item.doc;
      return show(one.item.id, doc, form);
    });
    if (moved.length > 0 && !dry) {
      this.revision++;
      const operation = id === undefined ? "updateInterconnects" : "updateInterconnect";
      this.log.push({ revision: this.revision, time, operation, objects: moved.map(told) });
      for (const { item, doc } of moved) {
        item.doc = { ...doc, modified_on: time };
        item.revision = this.revision;
      }
    }
    const messages = dry
      ? [{ code: 990900, message: "validate_only: the request is valid; nothing was changed" }]
      : [];
    const result =
      id === undefined
        ? { modified: wanted.length > 0, modified_interconnects: results }
        : { modified: true, modified_interconnect: results[0] };
    const tagged = id === undefined ? moved.length > 0 && !dry : moved.length === 0 || !dry;
    const body = json({ result, success: true, errors: [], messages });
    return { status: 200, body, etag: tagged ? this.tag(id) : undefined };
  }
}

interface Element {
  readonly element: Json;
  readonly pointer: string;
}

/** The elements of the body: wrapped, a bare list, or a bare object with an id. */
function elementsOf(body: Json): Element[] {
  if (Array.isArray(body)) return body.map((element, n) => ({ element, pointer: `/${n}` }));
  if (!isObject(body)) throw new Refused(400, "1022 ");
  if ("id" in body) return [{ element: body, pointer: "" }];
  const unknown = Object.keys(body).filter((field) => field !== "interconnects");
  const pointers = unknown.map((field) => `990020 /${field.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  if (pointers.length > 0) throw new Refused(400, ...pointers);
  const list = body["interconnects"] === undefined ? [] : body["interconnects"];
  if (!Array.isArray(list)) throw new Refused(400, "1022 /interconnects");
  return list.map((element, n) => ({ element, pointer: `/interconnects/${n}` }));
}

function collide(field: string, one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  if (field !== "interface_address") return one === other;
  return membersOf(one).some((address) => membersOf(other).includes(address));
}

/** An interconnect as the vendor shows it. */
function show(id: string, doc: Doc, form: Form, mask?: string): JsonObject {
  const { link, bgp, health_check, ...plain } = doc;
  const { own, other } = endsOf(doc.interface_address);
  const unsaved = link ? link.cust_ip.replace(/\/.*/, "") : other;
  const effective = health_check.direction === "bidirectional" ? other : health_check.target || unsaved;
  const target = form === "text" ? health_check.target : { effective, saved: health_check.target };
  const shown: JsonObject = json({ id, ...plain, health_check: { ...health_check, target } });
  if (bgp) {
    shown["bgp"] = json({
      ...bgp,
      ...(bgp.customer_asn === undefined ? {} : { as_no: bgp.customer_asn }),
      ...(doc.version === "1.5" ? { cloudflare_endpoint: own, customer_endpoint: other } : {}),
      ...(mask && bgp.md5_key !== undefined ? { md5_key: mask } : {}),
    });
  }
  return shown;
}

/** All fields by dotted path, in order of the paths. */
function flat(doc: Doc): [string, Json][] {
  const walk = (value: Json, path: string): [string, Json][] =>
    isObject(value)
      ? Object.entries(value).flatMap(([key, item]) => walk(item, `${path}.${key}`))
      : [[path.slice(1), value]];
  return walk(json(doc), "").sort(([one], [other]) => (one < other ? -1 : 1));
}

/** One object's part of a record of the log. */
function told({ item, doc }: Wanted): JsonObject {
  const [before, after] = [Object.fromEntries(flat(item.doc)), Object.fromEntries(flat(doc))];
  const fields: JsonObject = {};
  for (const path of Object.keys({ ...before, ...after })) {
    if (JSON.stringify(before[path]) === JSON.stringify(after[path])) continue;
    const hide = (value: Json | undefined) =>
      path === "bgp.md5_key" && value !== undefined ? "(masked)" : value;
    fields[path] = json({ before: hide(before[path]), after: hide(after[path]) });
  }
  return { kind: "interconnect", id: item.id, name: doc.name, action: "update", fields };
}

/** A copy as it would come over the wire: without what is undefined. */
function json(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value));
}
