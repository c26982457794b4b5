/** Reads the command line of a benchmark. An unknown option ends the process with a sentence, before anything is measured. */

import { parseArgs } from "node:util";

/** Options by name: `true` for a flag, or the default of an option that has a value. */
type Declared = Readonly<Record<string, true | string>>;

type Options<D extends Declared> = { readonly [Name in keyof D]: D[Name] extends true ? boolean : string };

export class UnknownOption extends Error {}

/** Throws `UnknownOption` for everything that is not declared. */
export function parseOptions<const D extends Declared>(declared: D, args: readonly string[]): Options<D> {
  const options = Object.fromEntries(
    Object.entries(declared).map(([name, value]) =>
      value === true
        ? ([name, { type: "boolean", default: false }] as const)
        : ([name, { type: "string", default: value }] as const),
    ),
  );
  try {
    return parseArgs({ options, args: [...args], strict: true }).values as Options<D>;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const known = Object.entries(declared).map(([name, value]) =>
      value === true ? `--${name}` : `--${name} <value> (default: ${value || "none"})`,
    );
    throw new UnknownOption(
      `${error.message.split(". ")[0]?.replace(/\.$/, "")}. The options are ${known.join(", ")}.`,
    );
  }
}

/** The options of this process. */
export function readOptions<const D extends Declared>(declared: D): Options<D> {
  try {
    return parseOptions(declared, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UnknownOption)) throw error;
    refuse(error.message);
  }
}

/** Ends the process with a sentence. */
export function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
