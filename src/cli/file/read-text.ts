import { readFileSync } from "node:fs";
import { CommandFailure } from "../failure.ts";

/** A file's text; `-` is standard input. Throws `CommandFailure`. */
export function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new CommandFailure(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
