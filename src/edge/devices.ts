/** Names of devices. A name follows from the interconnect's id, so that a new name of the interconnect moves nothing. */

import type { EdgeInterconnect } from "./account.ts";
import type { EdgeConfig } from "./config.ts";

/** Every device that an edge makes is called so; the kernel takes 15 characters. */
export const DEVICE_PREFIX = "pb-";

/** The device of a tunnel. */
export function tunnelDevice(id: string): string {
  return DEVICE_PREFIX + id.slice(0, 12);
}

/** The port below an interconnect, if one is mapped: by its name, its port's name or its slot. */
export function mappedDevice(
  { name, port, slot }: Pick<EdgeInterconnect, "name" | "port" | "slot">,
  { map }: Pick<EdgeConfig, "map">,
): string | undefined {
  return [name, port, slot].map((key) => (key === undefined ? undefined : map.get(key))).find(Boolean);
}

/** The device that carries an interconnect's packets: its tunnel, or the bare port. `undefined` if it has neither. */
export function deviceOf(
  interconnect: EdgeInterconnect,
  config: Pick<EdgeConfig, "map">,
): string | undefined {
  return interconnect.version === "1" ? tunnelDevice(interconnect.id) : mappedDevice(interconnect, config);
}
