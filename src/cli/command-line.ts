import type { Common } from "./terminal.ts";

/** What to type into a shell next, to speak to the server that this command speaks to. */
export function commandLine({ profile }: Pick<Common, "profile">, ...words: readonly string[]): string {
  const all = ["patchbay", ...words, ...(profile === undefined ? [] : ["--profile", profile])];
  return all.map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
