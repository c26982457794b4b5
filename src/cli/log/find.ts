/** Which object a person means by a name. */

import type { Shown } from "../../file/shown.ts";
import { type Api, ServerRefusal } from "../api.ts";
import { readList } from "../file/account.ts";
import type { ObjectChange } from "./records.ts";

/** The interconnect with a name or an id, if it is there now and may be read. */
export async function findInterconnect(api: Api, nameOrId: string): Promise<Shown | undefined> {
  try {
    const all = await readList(api);
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
