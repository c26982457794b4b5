/** What the address of a change says: which interconnects, or a file; and whether the plan is looked at. */

export interface ChangeSearch {
  /** Identifiers with commas between; without them, those that are selected. */
  readonly ids?: string;
  /** A file is pasted instead. */
  readonly paste?: "";
  /** The plan is shown. */
  readonly plan?: "";
}

/** Takes what it knows of an address and drops the rest. */
export function readChangeSearch(search: Readonly<Record<string, unknown>>): ChangeSearch {
  const { ids, paste, plan } = search;
  return {
    ...(typeof ids === "string" && ids !== "" && { ids }),
    ...(typeof paste === "string" && { paste: "" as const }),
    ...(typeof plan === "string" && { plan: "" as const }),
  };
}
