/** The log in words: one line a change, one line a field. */

import { printable } from "../../contract/printable.ts";
import { table } from "../printable.ts";
import type { Colors } from "../terminal.ts";
import { type ChangeRecord, type FieldChange, type ObjectChange, PENDING } from "./records.ts";

/** A value as it stands in a line. */
export function tellValue(value: unknown): string {
  if (value === undefined) return "(none)";
  return printable(JSON.stringify(value));
}

/** To the second, in UTC. */
export function tellTime(time: string): string {
  return time.replace("T", " ").replace(/(\.\d+)?Z$/, "Z");
}

export function tellActor({ actor }: ChangeRecord): string {
  return actor.type === "system" ? "Patchbay" : actor.name || actor.id;
}

/** What a change did, in one line. */
export function tellWhat(record: ChangeRecord): string {
  const objects = record.objects.filter(({ kind }) => kind !== PENDING);
  const undid = record.reverts ?? record.restores;
  const { type, id, name } = record.actor;
  if (type === "system" && id === "health")
    return undid === undefined ? `${name}, so confirmed` : `${name}, so undone: ${undid}`;
  switch (record.operation) {
    case "confirmChange":
      return "confirmed";
    case "extendChange":
      return "given more time";
    case "expireChange":
      return `not confirmed in time, so undone${undid === undefined ? "" : `: ${undid}`}`;
    case "seed":
      return `from the start: ${tellObjects(objects)}`;
    default:
  }
  const told = objects.length === 0 ? record.operation : tellObjects(objects);
  if (record.reverts !== undefined) return `undid ${record.reverts}: ${told}`;
  if (record.restores !== undefined) return `back to ${record.restores}: ${told}`;
  return told;
}

function tellObjects(objects: readonly ObjectChange[]): string {
  const [first, ...more] = objects;
  if (!first) return "nothing";
  const name = nameOf(first);
  if (more.length === 0) {
    if (first.action !== "update") return `${first.kind} ${name} ${past(first.action)}`;
    return `${name}: ${tellFields(first.fields)}`;
  }
  const counts = new Map<string, number>();
  const fields = new Set<string>();
  for (const { kind, action, fields: changed } of objects) {
    const what = action === "update" ? kind : `${kind} ${past(action)}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
    if (action === "update") for (const path of Object.keys(changed)) fields.add(path);
  }
  const told = [...counts].map(([what, number]) => tellCount(number, what)).join(", ");
  return fields.size === 0 ? told : `${told}: ${tellSome([...fields])}`;
}

/** `1 interconnect`, `200 interconnects`, `3 routes created`. */
function tellCount(number: number, what: string): string {
  const [noun = "", ...rest] = what.split(" ");
  return [`${number} ${noun.replaceAll("_", " ")}${number === 1 ? "" : "s"}`, ...rest].join(" ");
}

/** The longest values that a line of the history shows, in characters. */
const SHORT = 24;

function tellFields(fields: Readonly<Record<string, FieldChange>>): string {
  const entries = Object.entries(fields);
  const told = entries.map(([path, { before, after }]) => {
    const sides = `${tellValue(before)} → ${tellValue(after)}`;
    return entries.length <= 2 && sides.length <= 2 * SHORT ? `${path} ${sides}` : path;
  });
  return tellSome(told);
}

function tellSome(words: readonly string[]): string {
  return words.length <= 4
    ? words.join(", ")
    : `${words.slice(0, 3).join(", ")} and ${words.length - 3} more`;
}

const past = (action: ObjectChange["action"]) =>
  ({ create: "created", delete: "deleted", update: "updated" })[action];

export const nameOf = ({ name, id }: ObjectChange): string => name ?? id;

const signs = { create: "+", delete: "-", update: "~" } as const;

/** A change of objects, field by field, as a plan shows it. */
export function tellChanges(changes: readonly ObjectChange[], colors: Colors): string {
  const paint = { create: colors.green, delete: colors.red, update: colors.yellow };
  return changes
    .map((change) => {
      const { action, kind, id, fields } = change;
      const sign = paint[action](signs[action]);
      const head = `${sign} ${colors.bold(printable(nameOf(change)))} ${colors.dim(`(${kind} ${id})`)}`;
      const entries = Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
      const width = Math.max(0, ...entries.map(([path]) => path.length));
      const lines = entries.map(([path, { before, after }]) => {
        const values =
          before === undefined
            ? colors.green(tellValue(after))
            : after === undefined
              ? colors.red(`${tellValue(before)} → (none)`)
              : `${colors.red(tellValue(before))} → ${colors.green(tellValue(after))}`;
        return `    ${path.padEnd(width)}  ${values}`;
      });
      return [head, ...lines].join("\n");
    })
    .join("\n");
}

/** Rows under their headings. */
export function tableOf(rows: readonly (readonly string[])[], colors: Colors): string {
  const [headings = "", ...lines] = table(rows);
  return [colors.bold(headings), ...lines].join("\n");
}
