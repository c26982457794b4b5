/** Reads what programs print as JSON: its form is theirs, so every value is looked at before it is used. */

export type Row = Readonly<Record<string, unknown>>;

/** The objects of a list. What is printed where there is nothing (an empty text, `[{}]`) has none. */
export function rows(text: string): readonly Row[] {
  return text.trim() === "" ? [] : rowsOf(JSON.parse(text));
}

export function rowsOf(value: unknown): readonly Row[] {
  return Array.isArray(value) ? value.filter(isRow).filter((row) => Object.keys(row).length > 0) : [];
}

export function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function rowOf(value: unknown): Row {
  return isRow(value) ? value : {};
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** A number, also one that is written as a text (`"20001"`, `"0x1"`); otherwise `fallback`. */
export function numberOf(value: unknown, fallback = 0): number {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && !Number.isNaN(number) ? number : fallback;
}

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
