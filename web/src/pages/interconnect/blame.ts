/** Who set which field last: the account's log from the interconnect's last change backwards, as far as it takes. */

import { type InfiniteData, type QueryKey, useInfiniteQuery } from "@tanstack/react-query";
import { Blame } from "../../../../src/account/log/blame.ts";
import { leavesOf } from "../../../../src/account/log/leaves.ts";
import type { LastChange } from "../../../../src/contract/last-changes.ts";
import type { ChangeRecord } from "../../../../src/contract/log.ts";
import { type Interconnect, ownPath } from "../../api/account.ts";
import { ApiFailure, ask } from "../../api/client.ts";
import { may, type SessionAccount } from "../../api/session.ts";

/** How many changes are asked for at once: few to begin with, as one may touch ten thousand objects. */
const STRETCH = { first: 4, longest: 100 };
/** Milliseconds: an answer that takes longer is followed by a shorter stretch. */
const QUICK = 400;
/** How many answers are read before a person is asked whether to go on. */
const MOST_AT_ONCE = 25;

/** The change that set a field, without what else it did. */
export type Setter = Pick<
  ChangeRecord,
  "revision" | "time" | "actor" | "operation" | "reason" | "reverts" | "restores"
>;

interface Stretch {
  readonly setters: readonly (readonly [field: string, setter: Setter])[];
  /** Fields that a change said something of, also that they are gone. */
  readonly known: readonly string[];
  /** Where to go on, if there is more to find. */
  readonly next: number | undefined;
  /** The oldest revision that was looked at. */
  readonly reached: number;
}

interface Place {
  /** Changes before that revision; none: begin with the last one. */
  readonly before: number | undefined;
  readonly known: readonly string[];
}

export interface BlameOf {
  readonly setters: ReadonlyMap<string, Setter>;
  readonly reached: number | undefined;
  readonly isReading: boolean;
  readonly error: unknown;
  /** Looks further back, if there is more to find. */
  readonly further: (() => void) | undefined;
}

/** `epoch` names the history that the interconnect is of. */
export function useBlame(account: SessionAccount, epoch: string, interconnect: Interconnect): BlameOf {
  const { id, created_on, modified_on } = interconnect;
  const start: Place = { before: undefined, known: [] };
  const query = useInfiniteQuery<Stretch, Error, InfiniteData<Stretch>, QueryKey, Place>({
    // Not below the account's key: nothing but a change of this interconnect makes another of it.
    queryKey: ["blame", account.id, epoch, id, created_on, modified_on],
    enabled: may(account, "readLog"),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before, query) => (query?.queryKey[3] === id ? before : undefined),
    initialPageParam: start,
    queryFn: ({ pageParam, signal }) => lookBack(account.id, interconnect, pageParam, signal),
    getNextPageParam: (last, all): Place | undefined =>
      last.next === undefined ? undefined : { before: last.next, known: all.flatMap(({ known }) => known) },
  });
  const pages = query.data?.pages ?? [];
  // The newer a change, the later in this list, so that it counts.
  const setters = new Map(pages.toReversed().flatMap((page) => page.setters));
  return {
    setters,
    reached: pages.at(-1)?.reached,
    isReading: query.isFetching,
    error: query.error,
    further: query.hasNextPage ? () => void query.fetchNextPage() : undefined,
  };
}

async function lookBack(
  account: string,
  interconnect: Interconnect,
  { before: begin, known }: Place,
  signal: AbortSignal,
): Promise<Stretch> {
  const { id } = interconnect;
  const blame = new Blame<ChangeRecord>(id);
  const isSettled = settled(interconnect, known, blame);
  let before = begin ?? (await lastRevision(account, id, signal)) + 1;
  let width = STRETCH.first;
  for (let answers = 0; answers < MOST_AT_ONCE && before > 1 && !isSettled(); answers++) {
    const after = Math.max(0, before - 1 - width);
    const began = performance.now();
    const records = await readStretch(account, after, before - 1 - after, signal);
    if (!records) {
      // The log begins later than that.
      if (width === 1) return stretchOf(blame, known, before, undefined);
      width = Math.floor(width / 2);
      continue;
    }
    for (const record of records.toReversed()) blame.look(record);
    before = after + 1;
    width = performance.now() - began < QUICK ? Math.min(STRETCH.longest, width * 2) : Math.ceil(width / 2);
  }
  return stretchOf(blame, known, before, before > 1 && !isSettled() ? before : undefined);
}

/** Tells whether there is nothing left to find. */
function settled(interconnect: Interconnect, known: readonly string[], blame: Blame<ChangeRecord>) {
  const before = new Set(known);
  const wanted = leavesOf(interconnect).map(([path]) => path);
  return () => blame.complete || wanted.every((path) => before.has(path) || blame.knows(path));
}

function stretchOf(
  blame: Blame<ChangeRecord>,
  known: readonly string[],
  reached: number,
  next: number | undefined,
): Stretch {
  const before = new Set(known);
  const setters = blame
    .settings()
    .filter(([field]) => !before.has(field))
    .map(([field, { record }]) => {
      const { objects: _, request_id: _r, address: _a, ...setter } = record;
      return [field, setter] as const;
    });
  return { setters, known: blame.fields(), reached, next };
}

async function lastRevision(account: string, id: string, signal: AbortSignal): Promise<number> {
  const path = `${ownPath(account)}/last-changes?interconnect=${encodeURIComponent(id)}`;
  const { result } = await ask<readonly LastChange[]>(path, { signal });
  return result[0]?.revision ?? 0;
}

/** The changes after a revision; nothing if the log begins later. */
async function readStretch(
  account: string,
  after: number,
  limit: number,
  signal: AbortSignal,
): Promise<readonly ChangeRecord[] | undefined> {
  try {
    const path = `${ownPath(account)}/changes?after=${after}&limit=${limit}`;
    return (await ask<readonly ChangeRecord[]>(path, { signal })).result;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 410) return undefined;
    throw error;
  }
}
