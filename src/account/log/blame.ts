/** Who set what is there now, of one interconnect: folded from the log of changes, newest first. */

/** What of a change is looked at, whichever release told it. */
export interface Told {
  readonly objects: readonly {
    readonly kind: string;
    readonly id: string;
    readonly action: "create" | "update" | "delete";
    /** By dotted path. */
    readonly fields: Readonly<Record<string, { readonly after?: unknown }>>;
  }[];
}

/** The change that last set a field of an object. */
export interface Setting<Change extends Told> {
  readonly value: unknown;
  readonly record: Change;
}

export class Blame<Change extends Told> {
  readonly #id: string;
  readonly #settings = new Map<string, Setting<Change> | undefined>();
  /** Is everything known, back to the object's beginning? */
  complete = false;

  constructor(id: string) {
    this.#id = id;
  }

  look(record: Change): void {
    for (const { kind, id, action, fields } of record.objects) {
      if (kind !== "interconnect" || id !== this.#id || this.complete) continue;
      for (const [path, { after }] of Object.entries(fields)) {
        if (this.#settings.has(path)) continue;
        this.#settings.set(path, after === undefined ? undefined : { value: after, record });
      }
      if (action === "create") this.complete = true;
    }
  }

  /** Does a change that was looked at say anything of this field? */
  knows(path: string): boolean {
    return this.#settings.has(path);
  }

  /** The fields that it knows of, also that they have no value any more. */
  fields(): readonly string[] {
    return [...this.#settings.keys()];
  }

  /** By field, in the order of their names; without those that have no value any more. */
  settings(): readonly (readonly [path: string, setting: Setting<Change>])[] {
    return [...this.#settings]
      .flatMap(([path, setting]) => (setting ? [[path, setting] as const] : []))
      .sort(([one], [other]) => (one < other ? -1 : 1));
  }
}
