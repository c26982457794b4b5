/** The same runtime for the development server. */

import type { ElementType, Key } from "react";
import { jsx } from "./jsx-runtime.ts";

export type { JSX } from "react/jsx-runtime";
export { Fragment } from "./jsx-runtime.ts";

export function jsxDEV(type: ElementType, props: Readonly<Record<string, unknown>>, key?: Key) {
  return jsx(type, props, key);
}
