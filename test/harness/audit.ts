/** The audit log as tests ask for it. */

import { ACCOUNT, type Ask, type Reply, type TestServer } from "./server.ts";

export const AUDIT = `/client/v4/accounts/${ACCOUNT}/logs/audit`;

/** A window that holds whatever a test does. */
export const ALWAYS = { since: "2000-01-01", before: "2999-01-01" };

/** Parameters of a query; a list stands as often as it has items. */
export type Query = Readonly<Record<string, string | number | readonly (string | number)[]>>;

export function urlOf(query: Query, path = AUDIT): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const item of typeof value === "object" ? value : [value]) parameters.append(name, String(item));
  }
  return `${path}?${parameters}`;
}

export function audit(server: TestServer, query: Query = {}, asked: Ask = {}): Promise<Reply> {
  return server.ask("GET", urlOf({ ...ALWAYS, ...query }), asked);
}

/** An entry, as tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into entries of every form
export type Entry = any;

/** All entries that a query has, page by page. */
export async function allOf(server: TestServer, query: Query = {}): Promise<Entry[]> {
  const entries: Entry[] = [];
  let cursor: Record<string, string> = {};
  for (;;) {
    const { body } = await audit(server, { ...query, ...cursor });
    entries.push(...body.result);
    const after = body.result_info.cursors?.after;
    if (after === undefined) return entries;
    cursor = { cursor: after };
  }
}
