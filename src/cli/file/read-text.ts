import { readFile } from "node:fs/promises";
import consumers from "node:stream/consumers";
import { CommandFailure } from "../failure.ts";
import type { Session } from "../run.ts";

/** A file's text; `-` is standard input. Throws `CommandFailure`. */
export async function readText(file: string, { terminal }: Session): Promise<string> {
  try {
    return file === "-" ? await consumers.text(terminal.stdin) : await readFile(file, "utf8");
  } catch (error) {
    throw new CommandFailure(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
