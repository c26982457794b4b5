/** Which driver of tunnels a packet test uses: the machine that runs it says so. */

import type { DriverName } from "../../src/edge/config.ts";

export const labDriver: DriverName = process.env["PATCHBAY_LAB_DRIVER"] === "kernel" ? "kernel" : "userspace";
