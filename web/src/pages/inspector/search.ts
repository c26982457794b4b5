/** What the inspector's address says: which requests are listed, and which one is open. */

export const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;
export const statuses = ["2xx", "3xx", "4xx", "5xx", "dropped"] as const;

export interface InspectorSearch {
  readonly method?: (typeof methods)[number];
  readonly status?: (typeof statuses)[number];
  /** What the path must hold. */
  readonly path?: string;
  /** `shown`: the dashboard's own requests too. */
  readonly own?: "shown";
  /** The number of the request that is open. */
  readonly request?: string;
}

/** Takes what it knows of an address and drops the rest. */
export function readInspectorSearch(search: Readonly<Record<string, unknown>>): InspectorSearch {
  const method = methods.find((one) => one === search["method"]);
  const status = statuses.find((one) => one === search["status"]);
  const { path, own, request } = search;
  return {
    ...(method && { method }),
    ...(status && { status }),
    ...(typeof path === "string" && path !== "" && { path }),
    ...(own === "shown" && { own }),
    ...(typeof request === "string" && /^[1-9]\d{0,14}$/.test(request) && { request }),
  };
}
