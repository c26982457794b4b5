/** Who set what is there now. */

import type { ChangeRecord } from "./records.ts";

/** The change that last set a field of an object. */
export interface Setting {
  readonly value: unknown;
  readonly record: ChangeRecord;
}

/** Who set what is there now, of one object; told its changes newest first. */
export class Blame {
  readonly #id: string;
  readonly #settings = new Map<string, Setting | undefined>();
  /** Is everything known, back to the object's beginning? */
  complete = false;

  constructor(id: string) {
    this.#id = id;
  }

  look(record: ChangeRecord): void {
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

  /** By field, in the order of their names; without those that have no value any more. */
  settings(): readonly (readonly [path: string, setting: Setting])[] {
    return [...this.#settings]
      .flatMap(([path, setting]) => (setting ? [[path, setting] as const] : []))
      .sort(([one], [other]) => (one < other ? -1 : 1));
  }
}
