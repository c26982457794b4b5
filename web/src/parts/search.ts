/** What all checks of search parameters share. */

export type RawSearch = Readonly<Record<string, unknown>>;

/**
 * A check of search parameters that drops the rest. The router merges what a check returns over the raw address, so each
 * parameter that the check leaves out is set to `undefined`.
 */
export function only<Search extends object>(
  read: (search: RawSearch) => Search,
): (search: RawSearch) => Search {
  return (search) => {
    const cleared = Object.fromEntries(Object.keys(search).map((name) => [name, undefined]));
    return { ...cleared, ...read(search) };
  };
}
