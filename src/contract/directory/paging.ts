/** Lists in numbered pages, as the vendor has them for accounts and tokens. */

import Type, { type TSchema } from "typebox";
import { success } from "../envelope.ts";

/** Objects a page has, unless `per_page` says otherwise; and what it may say. */
export const PAGE = { usual: 20, least: 5, most: 50 } as const;

/** The query parameters of such a list. */
export const pageQuery = ["page", "per_page", "direction"] as const;

/** One page of objects, with where it stands among all. */
export function page<Item extends TSchema>(item: Item) {
  const count = (description: string) => Type.Integer({ minimum: 0, description, examples: [1] });
  const info = Type.Object(
    {
      page: Type.Integer({ minimum: 1, description: "Which page this is.", examples: [1] }),
      per_page: Type.Integer({
        minimum: PAGE.least,
        maximum: PAGE.most,
        description: "How many a page has at most.",
        examples: [PAGE.usual],
      }),
      total_pages: count("How many pages there are."),
      count: count("How many are on this page."),
      total_count: count("How many there are on all pages."),
    },
    { additionalProperties: false },
  );
  return Type.Object(
    { ...success(Type.Array(item)).properties, result_info: info },
    { additionalProperties: false },
  );
}
