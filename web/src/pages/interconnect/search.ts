/** What the page's address says: for how long back health is shown. */

export const ranges = { "1h": 1, "6h": 6, "24h": 24, "7d": 168 } as const;
export type Range = keyof typeof ranges;

export const rangeNames: Readonly<Record<Range, string>> = {
  "1h": "1 h",
  "6h": "6 h",
  "24h": "24 h",
  "7d": "7 d",
};

export interface InterconnectSearch {
  /** An hour unless said. */
  readonly range?: Exclude<Range, "1h">;
}

export function readInterconnectSearch(search: Readonly<Record<string, unknown>>): InterconnectSearch {
  const { range } = search;
  return range === "6h" || range === "24h" || range === "7d" ? { range } : {};
}
