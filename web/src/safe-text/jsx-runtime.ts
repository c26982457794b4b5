/**
 * The JSX runtime of the dashboard (`jsxImportSource`): React's own, with all text that an element shows made printable.
 * Names, descriptions and reasons come from users, and are rendered in every part of the dashboard; here none is missed.
 * What is typed into a field (`value`, `defaultValue`) stays as it is.
 */

import type { ElementType, Key } from "react";
import { Fragment, jsx as reactJsx, jsxs as reactJsxs } from "react/jsx-runtime";
import { printable } from "../../../src/contract/printable.ts";

export type { JSX } from "react/jsx-runtime";
export { Fragment };

type Props = Readonly<Record<string, unknown>>;

export function jsx(type: ElementType, props: Props, key?: Key) {
  return reactJsx(type, withPrintableText(props), key);
}

export function jsxs(type: ElementType, props: Props, key?: Key) {
  return reactJsxs(type, withPrintableText(props), key);
}

/** Of components too: those of packages render what they are given without this runtime. */
function isText(name: string): boolean {
  return (
    name === "children" || name === "title" || name === "alt" || name === "placeholder" || name === "label"
  );
}

function withPrintableText(props: Props): Props {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(props))
    shown[name] = isText(name) || name.startsWith("aria-") ? printableIn(value) : value;
  return shown;
}

function printableIn(value: unknown): unknown {
  if (typeof value === "string") return printable(value, { lines: true });
  return Array.isArray(value) ? value.map(printableIn) : value;
}
