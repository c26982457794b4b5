/** The vendor's audit log: what was changed, and who was refused. */

import type { Surroundings } from "../../account/audit/entry.ts";
import { passes } from "../../account/audit/filter.ts";
import { surroundingsOf } from "../../account/audit/surroundings.ts";
import { parseTime } from "../../contract/time.ts";
import { isSliceSpent, nextSlice } from "../../store/time-slice.ts";
import { readCursor, writeCursor } from "../audit/cursor.ts";
import { Merged } from "../audit/merge.ts";
import { type AuditQuery, type Parameters, readAuditQuery } from "../audit/query.ts";
import { type Found, sourcesOf } from "../audit/sources.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { assemble } from "../encode.ts";
import { refuse } from "../refusal.ts";

/** Changes of objects that one request looks at before it finds what it asks for, at most: a second or two. */
const MOST_LOOKED_AT = 200_000;
/** UTF-16 units of the entries of one answer, past the last of them. */
const MOST_TEXT = 4 * 1024 * 1024;

export function addAuditRoute(routes: Routes, { accounts, store, logReads, refusals }: AppContext): void {
  routes.account("listAuditLogs", async ({ request, account }) => {
    const query = readAuditQuery(request.query as Parameters);
    const { state } = account;
    const directory = accounts.directory.state;
    const epochs = [state.epoch, directory.epoch];
    const positions = readCursor(query.cursor, query.name, epochs, state.durable);
    // What was refused before this request, and is told one by one, is in its answer.
    await refusals.flush();
    return logReads.runLarge(async () => {
      const sources = await sourcesOf(store, state, directory, query);
      const merged = new Merged(sources, query.direction, positions);
      const entries = await collect(merged, query, surroundingsOf(state.id, directory));
      const more = await merged.peek();
      const cursor = more && writeCursor(query.name, { epochs, positions: merged.positions });
      return {
        status: 200,
        body: await assemble('{"result":[', entries, `],${tail(entries.length, cursor)}`),
      };
    });
  });
}

/** The newer client looks for the cursor in `cursors`, older ones beside the count. */
function tail(count: number, cursor: string | undefined): string {
  const info = { count, ...(cursor !== undefined && { cursor, cursors: { after: cursor } }) };
  return `"success":true,"errors":[],"messages":[],"result_info":${JSON.stringify(info)}}`;
}

/**
 * The next entries that pass, as JSON. A page may be short, but not empty while there is more to look at:
 * clients take an empty page for the last.
 */
async function collect(
  merged: Merged<Found>,
  { limit, filters, direction }: AuditQuery,
  around: Surroundings,
): Promise<readonly string[]> {
  const entries: string[] = [];
  let text = 0;
  let looked = 0;
  while (entries.length < limit && text < MOST_TEXT) {
    const found = await merged.next();
    if (!found) break;
    if (isSliceSpent()) await nextSlice();
    looked += found.weight;
    if (isSliceSpent()) await nextSlice();
    const audited = found.audit(around);
    if (audited && passes(audited, filters)) {
      const entry = JSON.stringify(audited.entry);
      entries.push(entry);
      text += entry.length;
    }
    if (looked < MOST_LOOKED_AT) continue;
    if (entries.length > 0) break;
    const next = await merged.peek();
    if (next) throw refuse("audit_too_wide", { count: looked, rest: restFrom(next.time, direction) });
  }
  return entries;
}

/** The parameter that makes a query go on with what has this time. */
function restFrom(time: string, direction: AuditQuery["direction"]): string {
  // What comes before a moment is asked for by the microsecond after it.
  return direction === "asc" ? `since=${time}` : `before=${parseTime(`${time.slice(0, -1)}001Z`)}`;
}
