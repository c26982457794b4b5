/** Programs of the machine that some tests need besides what every edge needs. */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Why tests that need these cannot run here; `undefined` if they can. */
export function missing(...programs: readonly string[]): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const absent = programs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
  return absent.length === 0 ? undefined : `not installed: ${absent.join(", ")}`;
}
