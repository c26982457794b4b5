/** The dashboard's files, built where they are not as their sources are. */

import { setUp } from "../../bin/bootstrap.js";
import { ensureWeb } from "../../bin/web.js";

/** Once a process: its sources do not change while tests run. */
let built: Promise<void> | undefined;

export function buildDashboard(): Promise<void> {
  built ??= setUp({ dev: true }).then(ensureWeb);
  return built;
}
