import { type Problem, Problems } from "../errors.ts";
import { escapePointer } from "./pointer.ts";

/** Characters between two steps. */
const STEP = 64 * 1024;

/** Where keys are repeated in a text that is known to be valid JSON. */
export function* findRepeatedKeys(text: string): Generator<undefined, readonly Problem[]> {
  const problems = new Problems();
  const open: { keys: Set<string> | undefined; key: string; index: number }[] = [];
  const pointer = () => open.map((at) => `/${at.keys ? escapePointer(at.key) : at.index}`).join("");
  const colon = /\s*:/y;
  let next = STEP;
  for (let i = 0; i < text.length; i++) {
    if (i >= next) {
      next = i + STEP;
      yield;
    }
    const top = open.at(-1);
    const character = text[i];
    if (character === "{") open.push({ keys: new Set(), key: "", index: 0 });
    else if (character === "[") open.push({ keys: undefined, key: "", index: 0 });
    else if (character === "}" || character === "]") open.pop();
    else if (character === "," && top) top.index++;
    else if (character === '"') {
      const start = i;
      i = endOfString(text, start);
      colon.lastIndex = i + 1;
      if (!top?.keys || !colon.test(text)) continue;
      top.key = JSON.parse(text.slice(start, i + 1));
      if (top.keys.has(top.key)) problems.add("repeated_key", { key: top.key }, pointer);
      top.keys.add(top.key);
    }
  }
  return problems.list();
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}
