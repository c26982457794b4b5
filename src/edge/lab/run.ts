/** `patchbay lab up | cut | heal | down`. */

import { fileURLToPath } from "node:url";
import { EdgeRefused } from "../options.ts";
import { type EdgeProcess, guarded } from "../sentences.ts";
import { down, setCable, up, whatToTry } from "./lab.ts";
import { MOST } from "./world.ts";

/** This very program, from a checkout or as it was published. */
const PATCHBAY: readonly [string, ...string[]] = [
  process.execPath,
  fileURLToPath(new URL("../../../bin/patchbay.js", import.meta.url)),
];

export function labUp(
  { interconnects = "3" }: { readonly interconnects?: string },
  process: EdgeProcess,
): Promise<number> {
  return guarded(process, async () => {
    const count = Number(interconnects);
    if (!Number.isInteger(count) || count < 1 || count > MOST)
      throw new EdgeRefused(
        `--interconnects is to be a whole number from 1 to ${MOST}, not ${interconnects}.`,
      );
    const lab = await up(count, PATCHBAY, (sentence) => process.stderr.write(`${sentence}\n`));
    process.stdout.write(`${whatToTry(lab)}\n`);
    return 0;
  });
}

export function labCable(name: string, state: "down" | "up", process: EdgeProcess): Promise<number> {
  return guarded(process, async () => {
    await setCable(name, state);
    process.stdout.write(
      state === "down" ? `${name} is cut. patchbay lab heal ${name} mends it.\n` : `${name} is whole.\n`,
    );
    return 0;
  });
}

export function labDown(process: EdgeProcess): Promise<number> {
  return guarded(process, async () => {
    const was = await down((sentence) => process.stderr.write(`${sentence}\n`));
    process.stdout.write(was ? "The lab is down.\n" : "No lab was up.\n");
    return 0;
  });
}
