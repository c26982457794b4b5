/** The ports of this machine that slots are mapped to, and whether each carries a signal. */

import { readFileSync } from "node:fs";
import type { HealthReport } from "../contract/health.ts";
import type { EdgeInterconnect } from "./account.ts";
import type { EdgeConfig } from "./config.ts";
import { mappedDevice } from "./devices.ts";

const SLOT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function portsOf(
  interconnects: readonly EdgeInterconnect[],
  config: Pick<EdgeConfig, "map">,
): HealthReport["ports"] {
  const devices = new Map([...config.map].filter(([key]) => SLOT.test(key)));
  for (const interconnect of interconnects) {
    const device = mappedDevice(interconnect, config);
    if (interconnect.slot !== undefined && device !== undefined) devices.set(interconnect.slot, device);
  }
  return [...devices].map(([slot, device]) => ({ slot, device, up: hasSignal(device) }));
}

/** One that is not there, or is switched off, carries none. */
function hasSignal(device: string): boolean {
  try {
    return readFileSync(`/sys/class/net/${device}/carrier`, "utf8").trim() === "1";
  } catch {
    return false;
  }
}
