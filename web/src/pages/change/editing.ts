/** What the parts of the edit page share. */

import type { Value } from "../../../../src/file/fields.ts";
import type { Shown } from "../../../../src/file/shown.ts";
import type { Drafts } from "./drafts.ts";
import type { Trouble } from "./judge.ts";

export interface Editing {
  readonly chosen: readonly Shown[];
  readonly drafts: Drafts;
  readonly troubles: readonly Trouble[];
  readonly set: (of: readonly Shown[], path: string, value: Value) => void;
  readonly undo: (id: string, path: string) => void;
}

/** The name of an input, by which it is found to be focused. */
export const inputId = (id: string, path: string) => `f-${id}-${path.replaceAll(".", "-")}`;
