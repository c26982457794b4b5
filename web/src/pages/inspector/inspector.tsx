/** What a sandbox was asked last, and the faults that it is to have. */

import "./inspector.css";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { sentenceOf } from "../../api/client.ts";
import { useSession } from "../../api/session.ts";
import { Broken } from "../../parts/broken.tsx";
import { Message } from "../../parts/message.tsx";
import { mayInspect } from "../../parts/navigation.ts";
import { Detail } from "./detail.tsx";
import { Faults } from "./faults.tsx";
import { Filters } from "./filters.tsx";
import { findRequests } from "./find.ts";
import { RequestList } from "./request-list.tsx";
import { useRequests } from "./requests.ts";
import type { InspectorSearch } from "./search.ts";

export function Inspector() {
  const session = useSession();
  useEffect(() => {
    document.title = "Inspector · Patchbay";
  }, []);
  if (!session || mayInspect(session)) return <Inspected />;
  return (
    <Message title="There is no inspector here">
      <p>
        It is for administrators of all accounts, on a server that was started with <code>--sandbox</code>.
      </p>
    </Message>
  );
}

function Inspected() {
  const search = useSearch({ from: "/dashboard/$account/inspector" });
  const navigate = useNavigate({ from: "/dashboard/$account/inspector" });
  const [isPaused, setPaused] = useState(false);
  const { requests, error } = useRequests(isPaused);
  const change = useCallback(
    (changed: InspectorSearch) => void navigate({ search: changed, replace: true, resetScroll: false }),
    [navigate],
  );
  const found = useMemo(() => findRequests(requests ?? [], search), [requests, search]);
  const struck = useMemo(() => requests?.find(({ fault }) => fault !== null)?.number ?? 0, [requests]);
  if (error && !requests) return <Broken error={error} />;
  const open = requests?.find(({ number }) => String(number) === search.request);
  const { request: _, ...withoutRequest } = search;
  return (
    <div className="inspector">
      <div className="inspector-head">
        <h1>Inspector</h1>
        <p className="muted" role="status">
          {requests ? `${found.length} of the last ${requests.length} requests` : "Reading …"}
        </p>
        {error != null && (
          <p className="lost" role="alert">
            Not followed at the moment. {sentenceOf(error)}
          </p>
        )}
      </div>
      <Faults struck={struck} />
      <Filters search={search} change={change} isPaused={isPaused} setPaused={setPaused} />
      <div className={search.request === undefined ? "inspected" : "inspected opened"}>
        <RequestList
          requests={found}
          isRead={requests !== undefined}
          isFiltered={found.length < (requests?.length ?? 0)}
          search={search}
        />
        {search.request !== undefined && (
          <Detail
            key={search.request}
            request={open}
            isRead={requests !== undefined}
            number={search.request}
            close={() => change(withoutRequest)}
          />
        )}
      </div>
    </div>
  );
}
