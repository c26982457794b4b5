import type { SeenRequest } from "../../../../src/contract/inspector.ts";
import { classOf } from "./find.ts";

/** The status as a number, which is not told by its colour alone. */
export function StatusMark({ request }: { readonly request: Pick<SeenRequest, "status"> }) {
  const kind = classOf(request);
  return (
    <span className={`status-mark of-${kind}`}>{request.status === null ? "dropped" : request.status}</span>
  );
}
