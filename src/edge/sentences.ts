/** How commands of the edge speak to the person who typed them. */

import { CommandFailed } from "./kernel/commands.ts";
import { RemovalFailed } from "./kernel/removal.ts";
import { EdgeRefused } from "./options.ts";
import { EdgeUnavailable } from "./reconciler.ts";

/** What a command needs of its process. */
export interface EdgeProcess {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
  on(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

/** The parts of a process that adding the agent's commands needs. */
export interface EdgeHost extends EdgeProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  exitCode?: NodeJS.Process["exitCode"];
}

const FOR_OPERATORS = [EdgeRefused, EdgeUnavailable, CommandFailed, RemovalFailed];

/** What the operator can mend is told in a sentence. */
export async function guarded({ stderr }: EdgeProcess, act: () => Promise<number>): Promise<number> {
  try {
    return await act();
  } catch (error) {
    if (!FOR_OPERATORS.some((one) => error instanceof one) || !(error instanceof Error)) throw error;
    stderr.write(`Error: ${error.message}\n`);
    return 1;
  }
}
