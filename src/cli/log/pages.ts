/** Reading an account's log, forwards and backwards, as many pages as it takes. */

import { type Api, type Reply, ServerRefusal } from "../api.ts";
import { CommandFailure } from "../failure.ts";
import { type ChangeRecord, readRecords } from "./records.ts";

/** The most changes that the server tells at once. */
const PAGE = 100;

/** Throws unless the server keeps a log. `nearest` is what comes nearest to it elsewhere. */
export async function requirePatchbay(api: Api, what: string, nearest: string): Promise<void> {
  if (await api.isPatchbay()) return;
  throw new CommandFailure(
    `${what} needs a Patchbay, which keeps every change. ${new URL(api.profile.baseUrl).origin} is none.`,
    { advice: nearest },
  );
}

/** The newest revision of the account. */
export async function newestRevision(api: Api): Promise<number> {
  return revisionOf(await api.own("GET", "/changes?limit=1"));
}

function revisionOf({ info }: Reply): number {
  const { revision } = Object(info);
  if (typeof revision === "number") return revision;
  throw new CommandFailure("The server does not tell the revision of the account.");
}

/** The changes of an account, newest first; only those before a revision, if one is given. */
export async function* changesBackwards(
  api: Api,
  before = Number.POSITIVE_INFINITY,
  most = PAGE,
): AsyncGenerator<ChangeRecord> {
  if (Number.isFinite(before)) {
    // Revisions have no gaps, so that a page in the middle can be asked for.
    const after = Math.max(0, before - 1 - PAGE);
    const page = await pageAfter(api, after);
    if (page) {
      const records = page.filter(({ revision }) => revision < before);
      yield* records.toReversed();
      if (after > 0) yield* changesBackwards(api, records[0]?.revision ?? after);
      return;
    }
  }
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(most, PAGE)) });
    if (cursor !== undefined) query.set("cursor", cursor);
    const { result, info } = await api.own("GET", `/changes?${query}`);
    for (const record of readRecords(result)) if (record.revision < before) yield record;
    const { cursor: next } = Object(info);
    cursor = typeof next === "string" ? next : undefined;
  } while (cursor !== undefined);
}

/** What follows a revision; `undefined` if the log begins later. */
async function pageAfter(api: Api, after: number): Promise<readonly ChangeRecord[] | undefined> {
  try {
    return readRecords((await api.own("GET", `/changes?after=${after}&limit=${PAGE}`)).result);
  } catch (error) {
    if (error instanceof ServerRefusal && error.status === 410) return undefined;
    throw error;
  }
}

/** The changes that led from one revision to a later one, oldest first. */
export async function changesBetween(
  api: Api,
  from: number,
  to: number,
  progress: (read: number) => void = () => undefined,
): Promise<readonly ChangeRecord[]> {
  const records: ChangeRecord[] = [];
  for (let after = from; after < to; ) {
    const page = readRecords((await api.own("GET", `/changes?after=${after}&limit=${PAGE}`)).result);
    const last = page.at(-1);
    if (!last) break;
    records.push(...page.filter(({ revision }) => revision <= to));
    after = last.revision;
    progress(records.length);
  }
  return records;
}
