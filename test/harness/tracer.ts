/** The tracer of system calls, where there is one. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A tracer that works here, or why there is none. */
export function findTracer(): { readonly strace: string } | { readonly missing: string } {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, "strace")).find((file) => existsSync(file));
  const strace = process.env["PATCHBAY_STRACE"] ?? found;
  if (strace === undefined) return { missing: "strace is not installed, and cannot be on this system" };
  const tried = spawnSync(strace, ["-D", "-f", "-o", "/dev/null", process.execPath, "--version"]);
  if (tried.status === 0) return { strace };
  return { missing: `${strace} may not trace here: ${String(tried.stderr).trim()}` };
}
