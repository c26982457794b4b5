/** The file of interconnects, read from disk or standard input. */

import { readInterconnects as read, type Wanted } from "../../file/reading.ts";
import { CommandFailure } from "../failure.ts";
import type { Session } from "../run.ts";
import { readText } from "./read-text.ts";

/** Characters that are read before anybody asks what takes so long. */
const SOON_READ = 300_000;

/** Throws `CommandFailure` with all that is wrong with the file. `-` is standard input. */
export async function readInterconnectsFile(file: string, session: Session): Promise<readonly Wanted[]> {
  const name = file === "-" ? "<stdin>" : file;
  const text = await readText(file, session);
  using _ = session.during(`Reading ${name}`, text.length > SOON_READ);
  return readInterconnects(name, text);
}

export function readInterconnects(name: string, text: string): readonly Wanted[] {
  const result = read(name, text);
  if (result.ok) return result.wanted;
  throw new CommandFailure(`${name} is not a file of interconnects as it should be.`, {
    problems: result.problems,
    advice: "Correct it there. patchbay export shows what such a file looks like.",
  });
}
