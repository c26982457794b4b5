/** Which object a person means by a name. */

import { type Api, ServerRefusal } from "../api.ts";
import type { ObjectChange } from "./records.ts";

export interface NamedInterconnect {
  readonly id: string;
  readonly name: string;
  /** As told, with the health check's target as an object. */
  readonly shown: Readonly<Record<string, unknown>>;
}

/** All interconnects of the account, as told. */
export async function listInterconnects(api: Api): Promise<readonly NamedInterconnect[]> {
  const headers = { "x-magic-new-hc-target": "true" };
  const { result } = await api.call("GET", `${api.account}/magic/cf_interconnects`, { headers });
  const { interconnects } = Object(result);
  if (!Array.isArray(interconnects)) return [];
  return interconnects.map((shown) => ({
    id: String(shown?.id),
    name: String(shown?.name),
    shown: Object(shown),
  }));
}

/** The interconnect with a name or an id, if it is there now and may be read. */
export async function findInterconnect(api: Api, nameOrId: string): Promise<NamedInterconnect | undefined> {
  try {
    const all = await listInterconnects(api);
    return all.find(({ name }) => name === nameOrId) ?? all.find(({ id }) => id === nameOrId);
  } catch (error) {
    // A token may read the log and not the interconnects.
    if (error instanceof ServerRefusal && error.status === 403) return undefined;
    throw error;
  }
}

/** Is it a change of that object? By its id if that is known, else by what it is or was called. */
export function isChangeOf(change: ObjectChange, nameOrId: string, id: string | undefined): boolean {
  if (id !== undefined) return change.id === id;
  return change.id === nameOrId || change.name === nameOrId || change.fields["name"]?.before === nameOrId;
}
