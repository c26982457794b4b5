/**
 * The vendor's audit log, version 2: who did what to an account, and who was refused.
 *
 * `resource.response` is the vendor's to fill as it likes; here it tells what an entry did to which fields,
 * or why it was refused.
 */

import Type, { type Static } from "typebox";
import { ResponseInfo, success } from "./envelope.ts";
import { OneChange } from "./log.ts";
import type { Operation } from "./operation.ts";
import type { Parameter } from "./parameters.ts";
import { accepted } from "./permissions.ts";

const closed = { additionalProperties: false } as const;

const results = ["success", "failure"] as const;
const actions = ["create", "delete", "view", "update"] as const;
const contexts = ["api", "api_key", "api_token", "dash", "oauth", "origin_ca_key"] as const;
const actors = ["account", "cloudflare_admin", "delegated_service", "system", "user"] as const;
const scopes = ["accounts", "user", "zones", "memberships"] as const;

/** What an accepted request did. Of a large one only the first objects are told; the change log has all. */
const Changed = Type.Object(
  {
    /** The change in the log it is drawn from: the account's own, or the directory's. */
    log: Type.Enum(["account", "directory"]),
    revision: Type.Integer({ minimum: 1 }),
    /** How many objects it changed. */
    count: Type.Integer({ minimum: 1 }),
    objects: Type.Array(OneChange),
  },
  closed,
);

/** Why a request was refused; of counted ones, the last. */
const Refused = Type.Object(
  {
    errors: Type.Array(ResponseInfo),
    /** So many more were refused. */
    more: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
);

export const AuditEntry = Type.Object(
  {
    id: Type.String({ pattern: "^[0-9a-f]{32}$", examples: ["7f3e2d1c0b9a89786756453423120100"] }),
    account: Type.Object(
      {
        id: Type.String({ examples: ["023e105f4ecef8ad9ca31a8372d0c353"] }),
        name: Type.Optional(Type.String()),
      },
      closed,
    ),
    action: Type.Object(
      {
        description: Type.String({ examples: ["Update interconnect"] }),
        result: Type.Enum([...results]),
        time: Type.String({ format: "date-time" }),
        type: Type.Enum([...actions], { examples: ["update"] }),
      },
      closed,
    ),
    actor: Type.Object(
      {
        context: Type.Optional(Type.Enum([...contexts])),
        email: Type.Optional(Type.String()),
        id: Type.Optional(Type.String()),
        ip_address: Type.Optional(Type.String()),
        token_id: Type.Optional(Type.String()),
        token_name: Type.Optional(Type.String()),
        type: Type.Enum([...actors], { examples: ["user"] }),
      },
      closed,
    ),
    raw: Type.Object(
      {
        cf_ray_id: Type.Optional(Type.String()),
        method: Type.Optional(Type.String()),
        status_code: Type.Optional(Type.Integer()),
        uri: Type.Optional(Type.String()),
      },
      closed,
    ),
    resource: Type.Object(
      {
        id: Type.Optional(Type.String()),
        product: Type.String({ examples: ["magic"] }),
        response: Type.Optional(Type.Union([Changed, Refused])),
        scope: Type.Enum([...scopes]),
        type: Type.Optional(Type.String()),
      },
      closed,
    ),
  },
  { title: "AuditEntry", ...closed },
);
export type AuditEntry = Static<typeof AuditEntry>;

/** What a filter's values may be. */
export type FilterValues = readonly string[] | "text" | "address" | "status";

/** The vendor's filters. Each may stand many times, and with `.not` after its name leaves out what it names. */
export const auditFilters = {
  account_name: "text",
  action_result: results,
  action_type: actions,
  actor_context: contexts,
  actor_email: "text",
  actor_id: "text",
  actor_ip_address: "address",
  actor_token_id: "text",
  actor_token_name: "text",
  actor_type: actors,
  audit_log_id: "text",
  id: "text",
  raw_cf_ray_id: "text",
  raw_method: "text",
  raw_status_code: "status",
  raw_uri: "text",
  resource_id: "text",
  resource_product: "text",
  resource_scope: scopes,
  resource_type: "text",
  zone_id: "text",
  zone_name: "text",
} as const satisfies Record<string, FilterValues>;

export type AuditFilterName = keyof typeof auditFilters;

const names = Object.keys(auditFilters);
const lists = [...names, ...names.map((name) => `${name}.not`), "product_category"];

/** Entries of a page at most, and unless asked for otherwise. */
export const MOST_ENTRIES = 1_000;
export const USUAL_ENTRIES = 100;

const moment = (description: string, example: string): Parameter => ({
  schema: Type.String({ minLength: 1 }),
  description,
  example,
  required: true,
});

function filter(name: string, values: FilterValues): [string, Parameter][] {
  const schema =
    values === "text" || values === "address"
      ? Type.String({ minLength: 1 })
      : values === "status"
        ? Type.Integer({ minimum: 100, maximum: 599 })
        : Type.Enum([...values]);
  const what = `\`${name.replace("_", ".")}\``;
  return [
    [name, { schema, description: `Only entries whose ${what} is one of these.` }],
    [`${name}.not`, { schema, description: `Only entries whose ${what} is none of these.` }],
  ];
}

/** Where the names mean something else than elsewhere, they are told here. */
const parameters: Readonly<Record<string, Parameter>> = {
  since: moment("The first moment of the window: a date, or a time of RFC 3339.", "2026-01-01"),
  before: moment("The first moment after the window: a date, or a time of RFC 3339.", "2026-01-02"),
  direction: {
    schema: Type.Enum(["asc", "desc"], { default: "desc" }),
    description: "With `asc` the oldest come first.",
  },
  limit: {
    schema: Type.Integer({ minimum: 1, maximum: MOST_ENTRIES, default: USUAL_ENTRIES }),
    description: "How many entries at most are in one answer.",
  },
  ...Object.fromEntries(Object.entries(auditFilters).flatMap(([name, values]) => filter(name, values))),
  product_category: {
    schema: Type.String(),
    description: "The vendor's filter. Patchbay has no categories, and refuses all of them.",
  },
};

/** What may be asked of the audit log. */
export const auditOperations = {
  listAuditLogs: {
    method: "GET",
    path: "/client/v4/accounts/:account_id/logs/audit",
    summary: "Get account audit logs (Version 2)",
    groups: accepted.readAudit,
    query: ["since", "before", "direction", "limit", "cursor", ...lists],
    lists,
    parameters,
    refusals: [
      "missing_query",
      "empty_window",
      "foreign_cursor",
      "audit_too_wide",
      "no_product_category",
      "history_moved",
      "store_unavailable",
      "store_unreadable",
    ],
    answer: success(Type.Array(AuditEntry)),
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
