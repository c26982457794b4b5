/** What remains of many changes: the difference between two revisions. */

import { type ChangeRecord, type FieldChange, MASK, type ObjectChange, PENDING } from "./records.ts";

/** One object at two revisions, as one change would tell it. */
export type NetChange = ObjectChange;

type Fields = Record<string, FieldChange>;

interface Folded {
  readonly kind: string;
  readonly id: string;
  name: string | undefined;
  /** Was it there at the earlier revision, and is it at the later? */
  readonly was: boolean;
  is: boolean;
  readonly fields: Map<string, { readonly before: FieldChange; after: FieldChange }>;
}

/** The changes, oldest first, as one. What was changed and changed back is not in it. */
export function netChanges(records: readonly ChangeRecord[]): readonly NetChange[] {
  const objects = new Map<string, Folded>();
  for (const record of records) {
    for (const change of record.objects) if (change.kind !== PENDING) fold(objects, change);
  }
  return [...objects.values()].flatMap((folded) => {
    if (!folded.was && !folded.is) return [];
    const fields: Fields = {};
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

function fold(objects: Map<string, Folded>, { kind, id, name, action, fields }: ObjectChange): void {
  const key = `${kind} ${id}`;
  const folded: Folded = objects.get(key) ?? {
    kind,
    id,
    name,
    was: action !== "create",
    is: true,
    fields: new Map(),
  };
  objects.set(key, folded);
  folded.is = action !== "delete";
  folded.name = name ?? folded.name;
  for (const [path, change] of Object.entries(fields)) {
    const known = folded.fields.get(path);
    if (known) known.after = change;
    else folded.fields.set(path, { before: change, after: change });
  }
}

function sides(before: unknown, after: unknown): FieldChange {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/** Of two masked values nobody can say that they are the same. */
function differs({ before, after }: FieldChange): boolean {
  return before === MASK || JSON.stringify(before) !== JSON.stringify(after);
}

/** The same seen from the later revision. */
export function inReverse(changes: readonly NetChange[]): readonly NetChange[] {
  const actions = { create: "delete", delete: "create", update: "update" } as const;
  return changes.map((change) => ({
    ...change,
    action: actions[change.action],
    fields: Object.fromEntries(
      Object.entries(change.fields).map(([path, { before, after }]) => [path, sides(after, before)]),
    ),
  }));
}
