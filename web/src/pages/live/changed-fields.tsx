import type { ChangeRecord } from "../../../../src/contract/log.ts";
import { fieldOf, type Value } from "../../../../src/file/fields.ts";
import { DifferenceTable } from "../change/difference-table.tsx";
import { fullLabel } from "../change/labels.ts";
import { tellValue } from "../change/words.ts";

/** Interconnects and other objects that are told. */
const MOST = 50;

/** Field by field, before and after, as the log has it. */
export function ChangedFields({ objects }: Pick<ChangeRecord, "objects">) {
  const told = objects.filter(({ kind }) => kind !== "pending_change");
  return (
    <>
      <DifferenceTable
        objects={told.slice(0, MOST).map(({ kind, id, name, fields }) => ({
          key: `${kind} ${id}`,
          name: name ?? id,
          tag: kind === "interconnect" ? undefined : kind,
          fields: Object.entries(fields).map(([path, { before, after }]) => ({
            key: path,
            label: kind === "interconnect" ? fullLabel(path) : path,
            before: tell(path, before),
            after: tell(path, after),
          })),
        }))}
      />
      {told.length > MOST && <p className="muted">And {told.length - MOST} more: history tells them all.</p>}
    </>
  );
}

function tell(path: string, value: unknown): string {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return JSON.stringify(value);
  return tellValue(fieldOf(path), value as Value | undefined);
}
