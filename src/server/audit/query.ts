/** What an audit query asks for. All that is wrong with it is told at once. */

import { comparable, type Filter } from "../../account/audit/filter.ts";
import { formatHost, parseHost } from "../../contract/addresses.ts";
import {
  type AuditFilterName,
  auditFilters,
  type FilterValues,
  MOST_ENTRIES,
  USUAL_ENTRIES,
} from "../../contract/audit.ts";
import { Problems } from "../../contract/errors.ts";
import { parseTime } from "../../contract/time.ts";
import { Refusal } from "../refusal.ts";
import { nameOf } from "./cursor.ts";
import type { Direction } from "./merge.ts";

export interface AuditQuery {
  /** The first moment of the window, and the first after it. */
  readonly since: string;
  readonly before: string;
  readonly direction: Direction;
  readonly limit: number;
  readonly filters: readonly Filter[];
  readonly cursor: string | undefined;
  /** What a cursor of this query may be used with. */
  readonly name: string;
}

/** Parameters by name, each with all of its values. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>;

export function readAuditQuery(parameters: Parameters): AuditQuery {
  const problems = new Problems();
  const window = readWindow(parameters, problems);
  const direction = one(parameters, "direction") ?? "desc";
  if (direction !== "asc" && direction !== "desc")
    refuseValue(problems, "direction", direction, "asc or desc");
  const limit = readLimit(one(parameters, "limit"), problems);
  const filters = readFilters(parameters, problems);
  for (const name of all(parameters, "product_category")) problems.add("no_product_category", { name });
  if (problems.found || !window) throw new Refusal(problems.list());
  const asked = filters.map(({ name, values, not }) => [name, not, [...values].sort()]);
  return {
    ...window,
    direction: direction === "asc" ? "asc" : "desc",
    limit,
    filters,
    cursor: one(parameters, "cursor"),
    name: nameOf([window, direction, asked]),
  };
}

function all(parameters: Parameters, name: string): readonly string[] {
  const value = parameters[name] ?? [];
  return typeof value === "string" ? [value] : value;
}

function one(parameters: Parameters, name: string): string | undefined {
  return all(parameters, name)[0];
}

function refuseValue(problems: Problems, name: string, given: string, expected: string): void {
  problems.add("invalid_query", { name, given: JSON.stringify(given), expected });
}

const TIME =
  "a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z or 2026-01-31T12:00:00%2B01:00";

function readWindow(parameters: Parameters, problems: Problems) {
  const [since, before] = ["since", "before"].map((name) => {
    const text = one(parameters, name);
    if (text === undefined) {
      problems.add("missing_query", { name, hint: `It is ${TIME}.` });
      return undefined;
    }
    const time = parseTime(text);
    // A plus that is not encoded means a space in a query.
    const plus = /T[\d:.]+ \d{2}:\d{2}$/i.test(text) ? "; the + of an offset is %2B in a query" : "";
    if (time === undefined) refuseValue(problems, name, text, TIME + plus);
    return time;
  });
  if (since === undefined || before === undefined) return undefined;
  if (since < before) return { since, before };
  const day = one(parameters, "since") === one(parameters, "before");
  const hint = day ? "For one day, before is the day after." : "";
  problems.add("empty_window", { since, before, hint });
  return undefined;
}

function readLimit(text: string | undefined, problems: Problems): number {
  if (text === undefined) return USUAL_ENTRIES;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MOST_ENTRIES) return limit;
  refuseValue(problems, "limit", text, `a whole number from 1 to ${MOST_ENTRIES}`);
  return USUAL_ENTRIES;
}

function readFilters(parameters: Parameters, problems: Problems): Filter[] {
  const filters: Filter[] = [];
  const names = Object.keys(auditFilters).sort() as AuditFilterName[];
  for (const name of names) {
    for (const not of [false, true]) {
      const parameter = not ? `${name}.not` : name;
      const given = all(parameters, parameter);
      if (given.length === 0) continue;
      const values = given.flatMap((text) => {
        const value = readValue(auditFilters[name], text);
        if (value === undefined) refuseValue(problems, parameter, text, expected(auditFilters[name]));
        return value === undefined ? [] : [comparable(name, value)];
      });
      filters.push({ name, values: new Set(values), not });
    }
  }
  return filters;
}

/** A filter's value as entries have it; `undefined` if no entry could. */
function readValue(values: FilterValues, text: string): string | undefined {
  if (typeof values !== "string") return values.includes(text) ? text : undefined;
  switch (values) {
    case "text":
      return text === "" ? undefined : text;
    case "status":
      return /^[1-5]\d\d$/.test(text) ? text : undefined;
    case "address": {
      const host = parseHost(text);
      return host && formatHost(host);
    }
  }
}

function expected(values: FilterValues): string {
  if (typeof values !== "string") return values.join(", ").replace(/, (\w+)$/, " or $1");
  const words = { text: "not empty", status: "an HTTP status, such as 403", address: "an IP address" };
  return words[values];
}
