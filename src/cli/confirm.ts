/** `patchbay confirm` and `patchbay extend`: what becomes of a change that waits for either. */

import type { Api } from "./api.ts";
import { commandLine } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import { readSeconds } from "./file/confirm-within.ts";
import { readRevision } from "./log/numbers.ts";
import { requirePatchbay } from "./log/pages.ts";
import { PENDING, readRecord } from "./log/records.ts";
import { asJson } from "./printable.ts";
import { reasonHeader } from "./reason.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";
import type { Common } from "./terminal.ts";

export interface ConfirmOptions extends Common {
  readonly reason?: string;
}

export interface ExtendOptions extends ConfirmOptions {
  /** The change; the one that waits, unless given. */
  readonly revision?: string;
}

const CLOUDFLARE_WAY =
  "At Cloudflare patchbay apply --confirm-within keeps the time itself: confirm at the terminal it runs at.";

export function confirm(
  revision: string | undefined,
  options: ConfirmOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const { api } = session;
    await requirePatchbay(api, "patchbay confirm", CLOUDFLARE_WAY);
    const which = await waiting(api, revision);
    session.ifInterrupted(
      `Interrupted: whether change ${which} was confirmed is not known here. ${commandLine(options, "history", "--limit", "3")} tells.`,
    );
    const headers = reasonHeader(options.reason);
    const { result } = await api.own("POST", `/changes/${which}/confirm`, { headers, timeout: 60_000 });
    const record = readRecord(result);
    if (options.json) session.print(asJson({ success: true, confirmed: which, change: result }));
    else session.note(`Change ${which} is confirmed, by change ${record.revision}. It stays.`);
    return 0;
  });
}

export function extend(
  time: string,
  options: ExtendOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const seconds = readSeconds("The time to confirm in", time);
    const { api } = session;
    await requirePatchbay(api, "patchbay extend", CLOUDFLARE_WAY);
    const which = await waiting(api, options.revision);
    const asked = { headers: reasonHeader(options.reason), body: { confirm_within: seconds } };
    const { result } = await api.own("POST", `/changes/${which}/extend`, asked);
    const by = confirmByOf(result);
    if (options.json)
      session.print(asJson({ success: true, extended: which, confirm_by: by, change: result }));
    else
      session.note(
        `Change ${which} is to be confirmed by ${by}: ${commandLine(options, "confirm", String(which))}`,
      );
    return 0;
  });
}

/** The change that was named, or the one that waits. */
async function waiting(api: Api, named: string | undefined): Promise<number> {
  if (named !== undefined) return readRevision(named);
  const { pending_change: pending } = Object((await api.own("GET", "/state")).result);
  const { revision } = Object(pending);
  if (typeof revision === "number") return revision;
  throw new CommandFailure("No change waits to be confirmed.", {
    advice: "patchbay history --limit 3 tells what became of the last ones.",
  });
}

function confirmByOf(result: unknown): string {
  const pending = readRecord(result).objects.find(({ kind }) => kind === PENDING);
  return String(pending?.fields["confirm_by"]?.after ?? "the new time");
}
