/** The file that BIRD's configuration includes, and whether BIRD has been told of it. */

import { chmod, chown, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { EdgeConfig } from "../config.ts";
import { birdCommand } from "../plan/tables.ts";
import { CommandFailed, type Commands } from "./commands.ts";

type Where = Pick<EdgeConfig, "bird" | "stateDirectory">;

/** There from before the file changes until BIRD has taken it: an agent may end in between, and BIRD may not run. */
function untold(stateDirectory: string): string {
  return join(stateDirectory, "bird-untold");
}

/** What the file says that BIRD goes by; `undefined` if there is none, or if BIRD is still to be told of it. */
export async function readBird({ bird, stateDirectory }: Where): Promise<string | undefined> {
  if (!bird) return undefined;
  const isUntold = bird.reload && (await stat(untold(stateDirectory)).catch(() => undefined));
  return isUntold ? undefined : readFile(bird.include, "utf8").catch(() => undefined);
}

/**
 * Replaced as a whole; the reader stays who it was, since a key may be in it. Throws `CommandFailed` if BIRD does not
 * take it, and what the file system throws.
 */
export async function writeBird(
  text: string,
  commands: Commands,
  { bird, stateDirectory }: Where,
): Promise<void> {
  if (!bird) return;
  const { include, control, reload } = bird;
  const next = `${include}.new`;
  const before = await stat(include).catch(() => undefined);
  const owner = before ?? (await stat(dirname(include)));
  if (reload) await writeFile(untold(stateDirectory), "", { mode: 0o600 });
  await writeFile(next, text, { mode: 0o600 });
  await chown(next, before?.uid ?? 0, owner.gid);
  await chmod(next, before ? before.mode & 0o777 : 0o640);
  await rename(next, include);
  if (!reload) return;
  await tellBird(commands, control);
  await rm(untold(stateDirectory), { force: true });
}

/** Takes it away. A BIRD that does not run has nothing to forget. Throws as `writeBird` does. */
export async function removeBird(
  include: string,
  commands: Commands,
  { bird, stateDirectory }: Where,
): Promise<void> {
  if (bird?.reload) {
    // A file that is included and not there would keep BIRD from reading any configuration.
    await truncate(include).catch(() => undefined);
    await tellBird(commands, bird.control).catch((error: unknown) => {
      if (!(error instanceof CommandFailed) || !NOT_RUNNING.test(error.message)) throw error;
    });
  }
  await rm(include, { force: true });
  await rm(untold(stateDirectory), { force: true });
}

const NOT_RUNNING = /Unable to connect to server control socket|ENOENT/;

async function tellBird(commands: Commands, control: string | undefined): Promise<void> {
  const [program = "", ...args] = birdCommand(control);
  await commands.run(program, args);
}
