/** Which of the requests are listed. */

import type { SeenRequest } from "../../../../src/contract/inspector.ts";
import { CLIENT_HEADER, DASHBOARD } from "../../api/client.ts";
import type { InspectorSearch } from "./search.ts";

export function findRequests(
  requests: readonly SeenRequest[],
  { method, status, path, own }: InspectorSearch,
): readonly SeenRequest[] {
  const wanted = path?.toLowerCase();
  return requests.filter(
    (one) =>
      (own === "shown" || !isOwn(one)) &&
      (method === undefined || one.method === method) &&
      (status === undefined || classOf(one) === status) &&
      (wanted === undefined || one.path.toLowerCase().includes(wanted)),
  );
}

/** Did a dashboard send it? */
export function isOwn({ request }: SeenRequest): boolean {
  return request.headers[CLIENT_HEADER] === DASHBOARD;
}

/** `2xx` and so on; `dropped` where a fault closed the connection without an answer. */
export function classOf({ status }: Pick<SeenRequest, "status">): string {
  return status === null ? "dropped" : `${Math.floor(status / 100)}xx`;
}
