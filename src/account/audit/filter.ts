/** What an audit query leaves in, and what it leaves out. */

import type { AuditFilterName } from "../../contract/audit.ts";
import type { Audited } from "./entry.ts";

export interface Filter {
  readonly name: AuditFilterName;
  /** In the form in which entries are compared (`comparable`). */
  readonly values: ReadonlySet<string>;
  /** Is what has one of the values left out, rather than what has none? */
  readonly not: boolean;
}

const fold = (text: string | undefined) => text?.toLowerCase();

/** What of an entry each filter looks at. One of many objects has many ids; there are no zones. */
const looked: Readonly<Record<AuditFilterName, (audited: Audited) => readonly (string | undefined)[]>> = {
  account_name: ({ entry }) => [entry.account.name],
  action_result: ({ entry }) => [entry.action.result],
  action_type: ({ entry }) => [entry.action.type],
  actor_context: ({ entry }) => [entry.actor.context],
  actor_email: ({ entry }) => [fold(entry.actor.email)],
  actor_id: ({ entry }) => [entry.actor.id],
  actor_ip_address: ({ entry }) => [entry.actor.ip_address],
  actor_token_id: ({ entry }) => [entry.actor.token_id],
  actor_token_name: ({ entry }) => [entry.actor.token_name],
  actor_type: ({ entry }) => [entry.actor.type],
  audit_log_id: ({ entry }) => [entry.id],
  id: ({ entry }) => [entry.id],
  raw_cf_ray_id: ({ entry }) => [entry.raw.cf_ray_id],
  raw_method: ({ entry }) => [entry.raw.method],
  raw_status_code: ({ entry }) => [entry.raw.status_code?.toString()],
  raw_uri: ({ entry }) => [entry.raw.uri],
  resource_id: ({ ids }) => ids,
  resource_product: ({ entry }) => [entry.resource.product],
  resource_scope: ({ entry }) => [entry.resource.scope],
  resource_type: ({ types }) => types,
  zone_id: () => [],
  zone_name: () => [],
};

/** A value of a filter in the form in which entries are compared: upper and lower case are one in e-mail addresses. */
export function comparable(name: AuditFilterName, value: string): string {
  return name === "actor_email" ? value.toLowerCase() : value;
}

/** Does the entry have what every filter asks for? */
export function passes(audited: Audited, filters: readonly Filter[]): boolean {
  return filters.every(({ name, values, not }) => {
    const has = looked[name](audited).some((value) => value !== undefined && values.has(value));
    return has !== not;
  });
}
