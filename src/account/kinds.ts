/** All kinds of objects, by name: the one list that a new kind is added to. */

import { portKind } from "./cni/port.ts";
import { cniSettingsKind } from "./cni/settings.ts";
import { slotKind } from "./cni/slot.ts";
import { directoryKinds } from "./directory.ts";
import { interconnectKind } from "./interconnect.ts";
import { pendingKind } from "./pending.ts";
import { settingsKind } from "./settings.ts";
import type { Kind } from "./state.ts";
import { staticRouteKind } from "./static-route.ts";

export const kinds: ReadonlyMap<string, Kind> = new Map(
  [
    interconnectKind,
    staticRouteKind,
    settingsKind,
    slotKind,
    portKind,
    cniSettingsKind,
    pendingKind,
    ...directoryKinds,
  ].map((kind) => [kind.name, kind]),
);

/** The kind of a stored object. Throws if the store was written by a newer Patchbay. */
export function kindNamed(name: string): Kind {
  const kind = kinds.get(name);
  if (!kind) throw new Error(`This version of Patchbay does not know objects of the kind ${name}.`);
  return kind;
}
