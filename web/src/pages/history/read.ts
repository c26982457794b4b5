/** A page of the log: read whole, judged by the filter, and kept only as lines. */

import type { Actor, ChangeRecord } from "../../../../src/contract/log.ts";
import { ownPath } from "../../api/account.ts";
import { ask } from "../../api/client.ts";
import { type Mark, markOf } from "../../changes/outcome.ts";
import { settingsIn, tellActor, tellCounts, tellOperation, tellWhat } from "../../changes/words.ts";

/** Changes in one answer: the most that the server tells. */
const PAGE = 100;

export interface Filter {
  readonly object: string | undefined;
  readonly by: string | undefined;
  readonly q: string | undefined;
}

export const isFiltered = ({ object, by, q }: Filter): boolean => Boolean(object || by || q);

/** A change as a line of the timeline. */
export interface Entry {
  readonly revision: number;
  readonly time: string;
  readonly actor: Actor;
  readonly operation: string;
  readonly reason: string | undefined;
  readonly what: string;
  /** Kinds and numbers; empty if it changed no object. */
  readonly counts: string;
}

export interface Page {
  readonly epoch: string;
  /** The account's newest revision. */
  readonly revision: number;
  /** The first and last revision that were looked at; none in an empty log. */
  readonly newest: number;
  readonly oldest: number;
  readonly entries: readonly Entry[];
  readonly marks: readonly Mark[];
  /** Of all changes that were looked at. */
  readonly people: readonly string[];
  /** The name of the object that is filtered by. */
  readonly objectName: string | undefined;
  readonly cursor: string | undefined;
  /** How far the server's clock is ahead of this one, in milliseconds. */
  readonly ahead: number;
}

export async function readPage(
  account: string,
  filter: Filter,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Page> {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (cursor !== undefined) query.set("cursor", cursor);
  const path = `${ownPath(account)}/changes?${query}`;
  const { result, info, headers } = await ask<readonly ChangeRecord[]>(path, { signal });
  const { epoch, revision, cursor: next } = info;
  const fits = fitting(filter);
  const shown = result.filter(fits);
  const object = shown
    .flatMap(({ objects }) => objects)
    .find(({ id, name }) => id === filter.object && name !== undefined);
  return {
    epoch: String(epoch),
    revision: Number(revision),
    newest: result[0]?.revision ?? 0,
    oldest: result.at(-1)?.revision ?? 0,
    entries: shown.map(entryOf),
    marks: result.flatMap((record) => markOf(record) ?? []),
    people: [...new Set(result.map(({ actor }) => tellActor(actor)))],
    objectName: object?.name,
    cursor: typeof next === "string" ? next : undefined,
    ahead: aheadBy(headers.get("date")),
  };
}

/** The header tells whole seconds, so that less than two mean nothing. */
function aheadBy(date: string | null): number {
  const ahead = date === null ? 0 : Date.parse(date) - Date.now();
  return Math.abs(ahead) < 2_000 ? 0 : ahead;
}

function entryOf(record: ChangeRecord): Entry {
  const { revision, time, actor, operation, reason, objects } = record;
  const counts = tellCounts(settingsIn(objects));
  return { revision, time, actor, operation, reason, what: tellWhat(record), counts };
}

function fitting({ object, by, q }: Filter): (record: ChangeRecord) => boolean {
  const words = (q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return (record) => {
    if (by && tellActor(record.actor) !== by) return false;
    if (object && !record.objects.some((one) => isOf(one, object))) return false;
    if (words.length === 0) return true;
    const text = textOf(record);
    return words.every((word) => text.includes(word));
  };
}

function isOf({ id, name, fields }: ChangeRecord["objects"][number], object: string): boolean {
  return id === object || name === object || fields["name"]?.before === object;
}

/** All that is searched: what stands in the line, and each object's names, fields and values. */
function textOf(record: ChangeRecord): string {
  const { revision, time, actor, operation, reason = "", objects } = record;
  const head = [revision, time, tellActor(actor), actor.name, operation, tellOperation(operation), reason];
  const rest = settingsIn(objects).map(({ kind, id, name = "", fields }) =>
    [kind, id, name, JSON.stringify(fields)].join(" "),
  );
  return [...head, tellWhat(record), ...rest].join(" ").toLowerCase();
}
