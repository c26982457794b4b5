/** The last account that was made real, on disk: what an edge begins with before any server answers. */

import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { EdgeAccount } from "./account.ts";

/** Of the file. Another form is read by no other version. */
const FORM = 1;

export interface Kept {
  /** The account's identifier. */
  readonly id: string;
  readonly account: EdgeAccount;
}

function fileIn(directory: string): string {
  return join(directory, "account.json");
}

/** What was kept; `undefined` if there is nothing that can be used. */
export async function readKeptAccount(directory: string): Promise<Kept | undefined> {
  try {
    const { form, id, account } = JSON.parse(await readFile(fileIn(directory), "utf8"));
    return form === FORM && typeof id === "string" ? { id, account } : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps it, so that either the file from before or this one is there whatever happens. Throws what the disk says. */
export async function keepAccount(directory: string, kept: Kept): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = fileIn(directory);
  const next = `${file}.next`;
  const handle = await open(next, "w", 0o600);
  try {
    await handle.writeFile(JSON.stringify({ form: FORM, ...kept }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
}
