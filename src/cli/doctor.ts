/** `patchbay doctor`: what is wrong between here and the server, and what to do about it. */

import { printable } from "../contract/printable.ts";
import { examine } from "./doctor/examine.ts";
import type { Finding } from "./doctor/finding.ts";
import { asJson } from "./printable.ts";
import { findProfile, type Profile } from "./profile.ts";
import { type CommandProcess, type Environment, runCommand, type Session } from "./run.ts";
import type { Colors, Common } from "./terminal.ts";

export function doctor(options: Common, env: Environment, terminal: CommandProcess): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const profile = findProfile(options.profile, env);
    const findings = await examined(session, profile, env);
    const well = findings.every(({ state }) => state !== "wrong");
    if (options.json) {
      const { name, baseUrl: base_url, account } = profile;
      session.print(asJson({ success: well, profile: name, base_url, account, findings }));
    } else {
      session.note(`${printable(profile.name)}: ${profile.baseUrl}, account ${printable(profile.account)}`);
      for (const finding of findings) session.print(tell(finding, session.colors));
    }
    return well ? 0 : 1;
  });
}

async function examined(session: Session, profile: Profile, env: Environment): Promise<readonly Finding[]> {
  using _ = session.during(`Waiting for ${new URL(profile.baseUrl).host}`);
  return await examine(profile, env, Date.now);
}

const marks = { well: "ok", note: "note", wrong: "wrong" } as const;

function tell({ state, about, message, todo }: Finding, colors: Colors): string {
  const paint = { well: colors.green, note: colors.yellow, wrong: colors.red }[state];
  const head = `${paint(marks[state].padEnd(5))}  ${about.padEnd(8)}  ${printable(message)}`;
  return todo === undefined ? head : `${head}\n${" ".repeat(17)}${colors.bold(printable(todo))}`;
}
