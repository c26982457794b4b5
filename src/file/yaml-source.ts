/** YAML, or JSON which is YAML, with the line and column of everything in it. */

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import type { Told } from "./told.ts";

/** Something in the file. */
export interface Spot {
  readonly node: unknown;
  /** `file:line:column`. */
  readonly place: string;
}

export interface Member extends Spot {
  readonly key: string;
  readonly keyPlace: string;
}

/** More aliases than a file of this kind has a use for; a few hundred bytes of them can mean gigabytes. */
const MOST_ALIASES = 100_000;

export class YamlSource {
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  readonly #targets = new Map<Alias, unknown>();
  #followed = 0;
  /** What is wrong with it as YAML. */
  readonly problems: Told[] = [];

  constructor(name: string, text: string) {
    this.#name = name;
    // Unique keys are looked for below: the parser compares each key with all others of its map.
    const options = { lineCounter: this.#lines, uniqueKeys: false, prettyErrors: false };
    this.#document = parseDocument(text, options);
    for (const { message, pos } of [...this.#document.errors, ...this.#document.warnings]) {
      this.problems.push({ message, place: this.#placeAt(pos[0]) });
    }
    this.#walk();
  }

  get root(): Spot {
    return this.#spot(this.#document.contents, `${this.#name}:1:1`);
  }

  /**
   * One pass for what would take many asked one by one: what each alias means, which is what its anchor last stood at
   * before it, and keys that stand twice.
   */
  #walk(): void {
    const anchors = new Map<string, unknown>();
    visit(this.#document, {
      Node: (_, node) => {
        if (isMap(node)) this.#refuseRepeated(node);
        if (isAlias(node)) {
          if (anchors.has(node.source)) this.#targets.set(node, anchors.get(node.source));
          else if (this.problems.length === 0) {
            this.#complain(node, `There is no anchor &${node.source} before this`);
          }
        } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  #refuseRepeated({ items }: YAMLMap): void {
    const seen = new Set<string>();
    for (const { key } of items) {
      const text = keyText(key);
      if (seen.has(text)) this.#complain(key, `${text} stands here twice`);
      seen.add(text);
    }
  }

  #complain(node: unknown, message: string): void {
    this.problems.push({ message, place: this.#placeOf(node) ?? this.#name });
  }

  #placeAt(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#name}:${line}:${col}`;
  }

  #placeOf(node: unknown): string | undefined {
    return isNode(node) && node.range ? this.#placeAt(node.range[0]) : undefined;
  }

  /** The place is that of the alias, if it is one: there it was used. */
  #spot(node: unknown, otherwise: string): Spot {
    const place = this.#placeOf(node) ?? otherwise;
    if (!isAlias(node)) return { node, place };
    if (++this.#followed > MOST_ALIASES) {
      if (this.#followed === MOST_ALIASES + 1) {
        this.#complain(node, `The file follows more than ${MOST_ALIASES.toLocaleString("en")} aliases`);
      }
      return { node: null, place };
    }
    return { node: this.#targets.get(node), place };
  }

  /** The members of a map, or `undefined` if it is none. */
  members({ node, place }: Spot): Member[] | undefined {
    if (!isMap(node)) return undefined;
    return node.items.map(({ key, value }) => {
      const keyPlace = this.#placeOf(key) ?? place;
      return { key: keyText(key), keyPlace, ...this.#spot(value, keyPlace) };
    });
  }

  items({ node, place }: Spot): Spot[] | undefined {
    return isSeq(node) ? node.items.map((item) => this.#spot(item, place)) : undefined;
  }
}

/** A key as it is written: `1e3` and `yes` are names as any other. */
function keyText(key: unknown): string {
  if (!isScalar(key)) return "?";
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
}

/** The plain value of a text, number or the like; `undefined` for a map or a list. */
export function scalarOf({ node }: Spot): string | number | boolean | null | undefined {
  if (node === null) return null;
  if (!isScalar(node)) return undefined;
  const { value } = node;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return null;
}

export function isEmpty(spot: Spot): boolean {
  return scalarOf(spot) === null;
}

/** What it is, with its article. */
export function kindOf(spot: Spot): string {
  if (isMap(spot.node)) return "a map";
  if (isSeq(spot.node)) return "a list";
  const value = scalarOf(spot);
  if (value === null || value === undefined) return "empty";
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}
