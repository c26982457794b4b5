/**
 * The file of interconnects: `defaults`, `groups`, and what is wanted of each interconnect by name.
 *
 * Every value keeps the place it was written at, wherever it is laid over another, so that whatever is wrong
 * with it later can be told there.
 */

import { didYouMean } from "../contract/similar.ts";
import { fieldOf, hasForm, OBJECTS, type Value } from "./fields.ts";
import { notWritable } from "./not-writable.ts";
import type { Told } from "./told.ts";
import { isEmpty, kindOf, type Member, type Spot, scalarOf, YamlSource } from "./yaml-source.ts";

export interface Placed {
  readonly value: Value;
  /** `file:line:column`, or the argument it came from. */
  readonly place: string;
}

export type PlacedFields = ReadonlyMap<string, Placed>;

/** What is wanted of one interconnect. */
export interface Wanted {
  /** What the file calls it: its name, before a new one that the file may give. */
  readonly name: string;
  readonly place: string;
  readonly id?: { readonly value: string; readonly place: string };
  readonly fields: PlacedFields;
}

export type Read =
  | { readonly ok: true; readonly wanted: readonly Wanted[] }
  | { readonly ok: false; readonly problems: readonly Told[] };

/** Reads a text, which is YAML or JSON, or tells all that is wrong with it. `name` is what places begin with. */
export function readInterconnects(name: string, text: string): Read {
  const source = new YamlSource(name, text);
  const reading = new Reading(source, name);
  const wanted = source.problems.length === 0 ? reading.read() : [];
  const problems = [...source.problems, ...reading.problems];
  return problems.length === 0 ? { ok: true, wanted } : { ok: false, problems };
}

const SECTIONS = ["defaults", "groups", "interconnects"];
const OF_ENTRY = ["id", "group", "groups"];

class Reading {
  readonly #source: YamlSource;
  readonly #name: string;
  readonly problems: Told[] = [];
  #defaults: PlacedFields = new Map();
  #groups: ReadonlyMap<string, PlacedFields> = new Map();

  constructor(source: YamlSource, name: string) {
    this.#source = source;
    this.#name = name;
  }

  read(): Wanted[] {
    const sections = this.#source.members(this.#source.root);
    if (!sections) {
      this.#complain(
        `${this.#name}:1:1`,
        `A map with interconnects is wanted here, not ${kindOf(this.#source.root)}`,
      );
      return [];
    }
    const named = new Map(sections.map((section) => [section.key, section]));
    for (const { key, keyPlace } of sections) {
      if (!SECTIONS.includes(key))
        this.#complain(keyPlace, `${key} is no part of such a file.${didYouMean(key, SECTIONS)}`);
    }
    const defaults = named.get("defaults");
    if (defaults && !isEmpty(defaults)) this.#defaults = this.#readShared(defaults, "defaults");
    this.#groups = new Map(
      this.#mapOf(named.get("groups"), "groups").map((group) => [
        group.key,
        isEmpty(group) ? new Map() : this.#readShared(group, `group ${group.key}`),
      ]),
    );
    const entries = named.get("interconnects");
    if (!entries) this.#complain(`${this.#name}:1:1`, "interconnects is missing: a map of them by name");
    const wanted = this.#mapOf(entries, "interconnects").map((entry) => this.#readEntry(entry));
    this.#refuseAmbiguous(wanted);
    return wanted;
  }

  #mapOf(spot: Member | undefined, what: string): Member[] {
    if (!spot || isEmpty(spot)) return [];
    const members = this.#source.members(spot);
    if (!members) this.#complain(spot.place, `${what} must be a map by name, not ${kindOf(spot)}`);
    return members ?? [];
  }

  /** Fields for several interconnects. */
  #readShared(spot: Spot, what: string): PlacedFields {
    const { fields, rest } = this.#readFields(spot, what, []);
    for (const { key, keyPlace } of rest)
      this.#complain(keyPlace, `${key} stands with an interconnect, not in ${what}`);
    for (const [path, { place }] of fields) {
      if (fieldOf(path)?.unique)
        this.#complain(place, `${path} is one interconnect's alone, so it cannot stand in ${what}`);
    }
    return fields;
  }

  #readEntry(entry: Member): Wanted {
    const { key: name, keyPlace: place } = entry;
    const { fields, rest } = isEmpty(entry)
      ? { fields: new Map(), rest: [] }
      : this.#readFields(entry, name, OF_ENTRY);
    const merged = new Map(this.#defaults);
    for (const group of this.#groupsOf(rest)) {
      for (const [path, placed] of group) merged.set(path, placed);
    }
    for (const [path, placed] of fields) merged.set(path, placed);
    const id = rest.find(({ key }) => key === "id");
    const value = id && scalarOf(id);
    if (id && typeof value !== "string") this.#complain(id.place, `id must be a text, not ${kindOf(id)}`);
    return {
      name,
      place,
      ...(id && typeof value === "string" ? { id: { value, place: id.place } } : {}),
      fields: merged,
    };
  }

  /** The groups that an interconnect names, in the order in which they are laid over each other. */
  #groupsOf(rest: readonly Member[]): PlacedFields[] {
    const [one, many] = ["group", "groups"].map((name) => rest.find(({ key }) => key === name));
    if (one && many)
      this.#complain(many.keyPlace, "group and groups cannot both stand here: name all in groups");
    const named = many ? this.#source.items(many) : one && [one];
    if (many && !named) this.#complain(many.place, `groups must be a list of names, not ${kindOf(many)}`);
    return (named ?? []).flatMap((spot) => {
      const name = scalarOf(spot);
      const group =
        typeof name === "string" || typeof name === "number" ? this.#groups.get(String(name)) : undefined;
      if (!group) {
        const hint = typeof name === "string" ? didYouMean(name, [...this.#groups.keys()]) : "";
        this.#complain(spot.place, `There is no group ${String(name ?? "without a name")}.${hint}`);
      }
      return group ? [group] : [];
    });
  }

  /** The fields of a map, and the members that are none but are allowed beside them. */
  #readFields(spot: Spot, what: string, beside: readonly string[]) {
    const fields = new Map<string, Placed>();
    const rest: Member[] = [];
    const members = this.#source.members(spot);
    if (!members) this.#complain(spot.place, `${what} must be a map of fields, not ${kindOf(spot)}`);
    for (const member of members ?? []) {
      if (OF_ENTRY.includes(member.key)) rest.push(member);
      else if (OBJECTS.has(member.key)) this.#readObject(member, fields);
      else this.#readField(member, member.key, fields, beside);
    }
    return { fields, rest };
  }

  #readObject(spot: Member, fields: Map<string, Placed>): void {
    const members = this.#source.members(spot);
    if (!members) this.#complain(spot.place, `${spot.key} must be a map of fields, not ${kindOf(spot)}`);
    for (const member of members ?? []) this.#readField(member, `${spot.key}.${member.key}`, fields, []);
  }

  #readField(spot: Member, path: string, fields: Map<string, Placed>, beside: readonly string[]): void {
    const field = fieldOf(path);
    if (!field) {
      this.#complain(spot.keyPlace, notWritable(path, beside));
      return;
    }
    if (isEmpty(spot)) {
      const clear = field.form === "text" ? ' Write "" to clear it.' : "";
      this.#complain(spot.keyPlace, `${path} is empty: leave it out to leave it as it is.${clear}`);
      return;
    }
    const items = this.#source.items(spot);
    const value = items ? items.map(scalarOf) : scalarOf(spot);
    if (hasForm(field.form, value)) fields.set(path, { value, place: spot.place });
    else this.#complain(spot.place, wrongForm(path, field.form, spot));
  }

  /**
   * After `a: {name: b}` was applied, the file finds it as b, unless b is what the file calls another: then only an
   * id tells which of the two is meant.
   */
  #refuseAmbiguous(wanted: readonly Wanted[]): void {
    const byName = new Map(wanted.map((one) => [one.name, one]));
    for (const one of wanted) {
      const name = one.fields.get("name");
      const other = name && typeof name.value === "string" ? byName.get(name.value) : undefined;
      if (!name || !other || other === one) continue;
      for (const { id, place, name: called } of [one, other]) {
        const sentence = `Once ${one.name} is ${other.name}, nobody can tell which interconnect ${called} means here: say its id beside its name`;
        if (!id) this.#complain(place, sentence);
      }
    }
  }

  #complain(place: string, message: string): void {
    this.problems.push({ place, message });
  }
}

function wrongForm(path: string, form: string, spot: Spot): string {
  const quote = form === "text" && /number|boolean/.test(kindOf(spot)) ? ": put it in quotes" : "";
  const target =
    path === "health_check.target" && kindOf(spot) === "a map" ? ": write the saved address alone" : "";
  const article = form === "true or false" ? "" : "a ";
  return `${path} must be ${article}${form}, not ${kindOf(spot)}${quote}${target}`;
}
