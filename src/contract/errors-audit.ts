import type { ErrorEntry } from "./errors.ts";

const mark = "ours";

/** Refusals of queries of the audit log. */
export const auditErrors = {
  missing_query: {
    code: 990090,
    status: 400,
    message: "The query parameter {name} is missing. {hint}",
    when: "A query lacks a parameter that the operation requires.",
    todo: "Send it, as the message says.",
    mark: "documented",
  },
  empty_window: {
    code: 990091,
    status: 400,
    message: "before, {before}, is not after since, {since}. {hint}",
    when: "The time a query ends before is not after the one it begins with.",
    todo: "Send two times in their order. A date means its first moment: for one day, `before` is the day after.",
    mark,
  },
  foreign_cursor: {
    code: 990092,
    status: 400,
    message: "The cursor belongs to a query with other parameters.",
    when: "A cursor came with another window, direction or filter than the query that gave it out.",
    todo: "Send the parameters of that query again with its cursor (`limit` may differ), or leave the cursor out.",
    mark,
  },
  audit_too_wide: {
    code: 990093,
    status: 400,
    message:
      "Of the {count} changes looked at, none is what the query asks for. There are more: go on with {rest}.",
    when: "A query's filters match nothing in a large part of the log, and to look at all of it would keep others waiting.",
    todo: "Send the query again with the parameter in the message, or ask for a narrower window.",
    mark,
  },
  no_product_category: {
    code: 990094,
    status: 400,
    message: "There is no product category {name}: Patchbay has none. Filter by resource_product.",
    when: "`product_category` was given. The vendor refuses categories it does not know; here none is known.",
    todo: "Use `resource_product`, with values such as `magic`.",
    mark: "documented",
  },
} as const satisfies Record<string, ErrorEntry>;
