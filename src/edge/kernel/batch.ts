/** Many lines of `ip` in one process, of which one that fails keeps no other from being done. */

import { CommandFailed, type Commands } from "./commands.ts";

/** Lines of IPv6 alone begin with it: a batch is of one family. */
const SIX = "-6 ";

/** Resolves with what went wrong, by the line's place. */
export async function runBatch(
  commands: Commands,
  lines: readonly string[],
): Promise<ReadonlyMap<number, string>> {
  const failed = new Map<number, string>();
  let start = 0;
  while (start < lines.length) {
    const six = lines[start]?.startsWith(SIX) ?? false;
    let end = start + 1;
    while (end < lines.length && (lines[end]?.startsWith(SIX) ?? false) === six) end++;
    const input = lines.slice(start, end).map((line) => `${six ? line.slice(SIX.length) : line}\n`);
    try {
      await commands.run("ip", [...(six ? ["-6"] : []), "-force", "-batch", "-"], input.join(""));
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      const found = failures(error.stderr);
      if (found.size === 0) throw error;
      for (const [line, reason] of found) failed.set(start + line - 1, reason);
    }
    start = end;
  }
  return failed;
}

/** By line, counted from 1: what was printed before `Command failed -:LINE`. */
export function failures(stderr: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  let said: string[] = [];
  for (const line of stderr.split("\n")) {
    const place = /^Command failed -:(\d+)$/.exec(line);
    if (!place) {
      if (line.trim() !== "") said.push(line.trim());
      continue;
    }
    found.set(Number(place[1]), said.join(" ").replace(/^(RTNETLINK answers|Error): /, "") || "refused");
    said = [];
  }
  return found;
}

/** Is it said of a thing that is gone already? */
export function isGone(reason: string): boolean {
  return /Cannot assign requested address|No such (process|file|device)|Cannot find device|Device ".*" does not exist/.test(
    reason,
  );
}
