/** What remains of many changes: the difference between two revisions. */

/** Stands in the log where a value is kept but not shown. */
export const MASK = "(masked)";

/** The kind of the object that says which change awaits confirmation: the log's own business, no setting of a network. */
export const PENDING = "pending_change";

export interface ToldField {
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A change of one object, whichever release told it. */
export interface ToldObject {
  readonly kind: string;
  readonly id: string;
  readonly name?: string;
  readonly action: "create" | "update" | "delete";
  /** By dotted path. */
  readonly fields: Readonly<Record<string, ToldField>>;
}

interface Folded {
  readonly kind: string;
  readonly id: string;
  name: string | undefined;
  /** Was it there at the earlier revision, and is it at the later? */
  readonly was: boolean;
  is: boolean;
  readonly fields: Map<string, { readonly before: ToldField; after: ToldField }>;
}

/** Changes, told oldest first, as one. What was changed and changed back is not in it. */
export class Net {
  readonly #objects = new Map<string, Folded>();

  take({ objects }: { readonly objects: readonly ToldObject[] }): void {
    for (const change of objects) if (change.kind !== PENDING) this.#fold(change);
  }

  #fold({ kind, id, name, action, fields }: ToldObject): void {
    const key = `${kind} ${id}`;
    const folded: Folded = this.#objects.get(key) ?? {
      kind,
      id,
      name,
      was: action !== "create",
      is: true,
      fields: new Map(),
    };
    this.#objects.set(key, folded);
    folded.is = action !== "delete";
    folded.name = name ?? folded.name;
    for (const [path, change] of Object.entries(fields)) {
      const known = folded.fields.get(path);
      if (known) known.after = change;
      else folded.fields.set(path, { before: change, after: change });
    }
  }

  /** One object at two revisions, as one change would tell it. */
  changes(): readonly ToldObject[] {
    return [...this.#objects.values()].flatMap((folded) => {
      if (!folded.was && !folded.is) return [];
      const fields: Record<string, ToldField> = {};
      for (const [path, { before, after }] of folded.fields) {
        const change = sides(before.before, after.after);
        if (differs(change)) fields[path] = change;
      }
      if (folded.was && folded.is && Object.keys(fields).length === 0) return [];
      const action = folded.was ? (folded.is ? "update" : "delete") : "create";
      const { kind, id, name } = folded;
      return [{ kind, id, ...(name === undefined ? {} : { name }), action, fields } as const];
    });
  }
}

function sides(before: unknown, after: unknown): ToldField {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/** Of two masked values nobody can say that they are the same. */
function differs({ before, after }: ToldField): boolean {
  return before === MASK || JSON.stringify(before) !== JSON.stringify(after);
}

/** The same seen from the later revision. */
export function inReverse(changes: readonly ToldObject[]): readonly ToldObject[] {
  const actions = { create: "delete", delete: "create", update: "update" } as const;
  return changes.map((change) => ({
    ...change,
    action: actions[change.action],
    fields: Object.fromEntries(
      Object.entries(change.fields).map(([path, { before, after }]) => [path, sides(after, before)]),
    ),
  }));
}
