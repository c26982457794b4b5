/** Reads a world from YAML. Problems name the line and column of the file. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isNode, LineCounter, parseDocument } from "yaml";
import { type SeededState, seedInSteps } from "../account/seed.ts";
import { parseJson } from "../contract/json.ts";
import type { SeedToken } from "../contract/seed.ts";
import { runToEnd } from "../contract/steps.ts";
import { ConfigError } from "./config-error.ts";
import { hashSecret, newEpoch } from "./secrets.ts";

export interface SeedSource {
  /** What to call it when something is wrong. */
  readonly name: string;
  readonly text: string;
}

/** The world of the vendor's documentation, which `npm start` serves. */
export const demoSeedFile = fileURLToPath(new URL("../../seeds/demo.yaml", import.meta.url));

export function readSeedFile(file: string): SeedSource {
  try {
    return { name: file, text: readFileSync(file, "utf8") };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`The seed file cannot be read: ${reason}.`);
  }
}

/**
 * Makes the world a seed describes, with more tokens if such are given. Throws `ConfigError` with every
 * problem, each on its line. `time` is RFC 3339, UTC, with microseconds.
 */
export function makeWorld(
  source: SeedSource,
  time: string,
  more: readonly SeedToken[] = [],
  epoch: () => string = newEpoch,
): readonly SeededState[] {
  return runToEnd(makeWorldInSteps(source, time, more, epoch));
}

/** What a source says, once a world was made of it: a reset makes another one, and reads nothing again. */
const read = new WeakMap<SeedSource, { readonly text: string; readonly value: unknown }>();

/** The same, in steps. The first call for a source reads it in one step. */
export function* makeWorldInSteps(
  source: SeedSource,
  time: string,
  more: readonly SeedToken[] = [],
  epoch: () => string = newEpoch,
): Generator<undefined, readonly SeededState[]> {
  const sources = { time, hash: hashSecret, epoch };
  const before = read.get(source);
  const { text } = source;
  const plain = before?.text === text ? before.value : readJson(text);
  if (plain !== undefined) {
    const world = yield* seedInSteps(withTokens(plain, more), sources);
    if (world.ok) read.set(source, { text, value: plain });
    if (world.ok) return world.states;
  }
  const document = readYaml(source);
  const world = yield* seedInSteps(withTokens(document.value, more), sources);
  if (world.ok) read.set(source, { text, value: document.value });
  if (world.ok) return world.states;
  const told = world.problems.map(({ message, pointer }) => `${document.placeOf(pointer)}: ${message}`);
  throw new ConfigError(told.join("\n"));
}

/** The seed with more tokens after its own. One that is none is left for the rules to refuse. */
function withTokens(seed: unknown, more: readonly SeedToken[]): unknown {
  if (more.length === 0 || typeof seed !== "object" || seed === null || Array.isArray(seed)) return seed;
  const own = "tokens" in seed ? seed.tokens : [];
  return Array.isArray(own) ? { ...seed, tokens: [...own, ...more] } : seed;
}

/** A generated seed may be large and is usually JSON, which is YAML but read a hundred times faster. */
function readJson(text: string): unknown {
  if (!text.trimStart().startsWith("{")) return undefined;
  const parsed = parseJson(Buffer.from(text));
  return parsed.ok ? parsed.value : undefined;
}

interface YamlDocument {
  readonly value: unknown;
  /** `file:line:column` of a pointer's value, or else of the nearest thing around it. */
  readonly placeOf: (pointer: string | undefined) => string;
}

function readYaml(source: SeedSource): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${source.name}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => `${place(error.pos[0])}: ${error.message}`).join("\n"),
    );
  }
  const placeOf = (pointer = "") => {
    const path = pointer
      .split("/")
      .slice(1)
      .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return place(node.range[0]);
    }
    return source.name;
  };
  try {
    const value: unknown = document.toJS();
    if (value !== null) return { value, placeOf };
  } catch (error) {
    // An alias of nothing, or one too many.
    throw new ConfigError(`${source.name}: ${error instanceof Error ? error.message : String(error)}.`);
  }
  throw new ConfigError(`${source.name}: The seed is empty, but must hold accounts.`);
}
