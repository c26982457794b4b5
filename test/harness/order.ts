/**
 * Can what clients were told have happened one after the other? The log tells where each change stands, so this is
 * exact and takes no search: everything takes the lowest place that it can have, and there is a contradiction if and
 * only if one of them finds none.
 */

/** When a client asked, and when it had its answer: `Infinity` if it never had one. One clock for all. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** What to call it in a sentence. */
  readonly what: string;
}

/** A change, at its revision. */
export interface Made extends Span {
  readonly at: number;
}

/** An answer that tells how things stand, and whether they stood so at a revision. */
export interface Told extends Span {
  readonly fits: (revision: number) => boolean;
}

/** More are not looked for: the first of them tell what is wrong. */
const MOST_FAULTS = 20;

/**
 * The contradictions, a sentence each. What began after something else had ended comes after it: a change at a
 * higher revision, an answer at one that is no lower. The log goes from revision `first`, which everybody knew at
 * the beginning, to `last`.
 */
export function judgeOrder(
  events: readonly (Made | Told)[],
  { first, last }: { readonly first: number; readonly last: number },
): string[] {
  const faults: string[] = [];
  const places = new Map<Span, number>();
  const begun = events.toSorted((a, b) => a.start - b.start);
  const ended = events.toSorted((a, b) => a.end - b.end);
  let passed = 0;
  let known = first;
  for (const event of begun) {
    if (faults.length >= MOST_FAULTS) break;
    // What ended before this began also began before, so it has its place.
    for (let over = ended[passed]; over && over.end < event.start; over = ended[++passed]) {
      known = Math.max(known, places.get(over) ?? known);
    }
    if ("at" in event) {
      places.set(event, event.at);
      if (event.at <= known)
        faults.push(`${event.what} is revision ${event.at}, but ${known} was known before it was asked for`);
      continue;
    }
    let place = known;
    while (place <= last && !event.fits(place)) place++;
    if (place <= last) {
      places.set(event, place);
      continue;
    }
    const old = Array.from({ length: known - first }, (_, index) => known - 1 - index).find(event.fits);
    faults.push(
      old === undefined
        ? `${event.what} tells what never was`
        : `${event.what} tells revision ${old}, but ${known} was known before it was asked for`,
    );
  }
  return faults;
}
