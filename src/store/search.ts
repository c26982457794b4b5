/**
 * The first of consecutive positions, from `first` up to but not including `end`, whose time is not before
 * the one wanted; `end` if there is none. Times must not run backwards.
 */
export function firstAt(
  first: number,
  end: number,
  time: string,
  timeOf: (position: number) => string,
): number {
  let low = first;
  let high = end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (timeOf(middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
