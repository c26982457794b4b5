import { closest, distance } from "fastest-levenshtein";

/** " Did you mean …?" for a word that is nearly one of the known ones, else nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (known.length === 0 || word.length > 100) return "";
  const nearest = closest(word.toLowerCase(), known);
  const near = distance(word.toLowerCase(), nearest) <= Math.max(2, Math.floor(nearest.length / 3));
  return near ? ` Did you mean ${nearest}?` : ` Known: ${known.join(", ")}.`;
}
