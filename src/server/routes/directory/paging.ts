/** Lists in numbered pages. */

import { PAGE } from "../../../contract/directory/paging.ts";
import { type Answer, succeed } from "../../envelope.ts";
import { readNumber } from "../../read-request.ts";
import { refuse } from "../../refusal.ts";

type Query = Readonly<Record<string, string>>;

/** The page of the items that the query asks for, in their order or (`direction=desc`) the reverse. */
export function answerPage<Item>(
  query: Query,
  items: readonly Item[],
  view: (item: Item) => unknown,
): Answer {
  const page = readNumber(query, "page", 1, Number.MAX_SAFE_INTEGER) ?? 1;
  const size = readNumber(query, "per_page", PAGE.least, PAGE.most) ?? PAGE.usual;
  const ordered = isDescending(query) ? items.toReversed() : items;
  const shown = ordered.slice((page - 1) * size, page * size);
  const info = {
    page,
    per_page: size,
    total_pages: Math.ceil(items.length / size),
    count: shown.length,
    total_count: items.length,
  };
  return { status: 200, body: succeed(shown.map(view), info) };
}

function isDescending(query: Query): boolean {
  const text = query["direction"];
  if (text === undefined || text === "asc") return false;
  if (text === "desc") return true;
  throw refuse("invalid_query", { name: "direction", given: JSON.stringify(text), expected: "asc or desc" });
}
