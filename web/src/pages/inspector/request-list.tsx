/** The requests, one a row, newest first. */

import { Link } from "@tanstack/react-router";
import type { SeenRequest } from "../../../../src/contract/inspector.ts";
import { useAccount } from "../../api/account.ts";
import type { InspectorSearch } from "./search.ts";
import { StatusMark } from "./status-mark.tsx";
import { tellCount, tellDuration } from "./words.ts";

interface RequestListProps {
  readonly requests: readonly SeenRequest[];
  readonly isRead: boolean;
  /** Are there others that do not fit the filter? */
  readonly isFiltered: boolean;
  readonly search: InspectorSearch;
}

export function RequestList({ requests, isRead, isFiltered, search }: RequestListProps) {
  const account = useAccount();
  if (isRead && requests.length === 0)
    return (
      <p className="nothing muted">
        {isFiltered
          ? "No request fits. The dashboard's own are hidden unless they are asked for."
          : "Nothing was asked of this server yet. Point a client at it: what it asks is shown here."}
      </p>
    );
  return (
    <ol className="requests" aria-label="Requests">
      {requests.map((one) => (
        <li key={one.number}>
          <Link
            to="/dashboard/$account/inspector"
            params={{ account: account.id }}
            search={{ ...search, request: String(one.number) }}
            resetScroll={false}
            replace={search.request !== undefined}
            preload={false}
            className="request-row"
          >
            <time className="muted" dateTime={one.time}>
              {one.time.slice(11, 23)}
            </time>
            <span className="method mono">{one.method}</span>
            <StatusMark request={one} />
            <span className="path mono" title={one.path}>
              {shortened(one.path)}
            </span>
            <span className="note">
              {one.fault !== null && <span className="tag">fault</span>}
              {one.problems.length > 0 && (
                <span className="tag bad">{tellCount(one.problems.length, "problem")}</span>
              )}
              {one.ignored !== null && one.ignored.length > 0 && (
                <span className="tag">{one.ignored.length} ignored</span>
              )}
            </span>
            <span className="duration">{tellDuration(one.duration_ms)}</span>
          </Link>
        </li>
      ))}
    </ol>
  );
}

/** The account, which is mostly the same, by its beginning. */
function shortened(path: string): string {
  return path.replace(/\/accounts\/([0-9a-f]{4})[0-9a-f]{28}(?=\/|$)/, "/accounts/$1…");
}
