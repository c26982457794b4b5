/** A change of one or many interconnects: typed or pasted, judged while it is typed, planned, applied. */

import "./change.css";
import "./fields.css";
import "./plan.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useBlocker, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { useAccount } from "../../api/account.ts";
import { may, type SessionAccount } from "../../api/session.ts";
import { Broken } from "../../parts/broken.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { useLeave } from "../../parts/leave.ts";
import { Message } from "../../parts/message.tsx";
import { useSelection } from "../../parts/selection.ts";
import type { Basis } from "./basis.ts";
import { basisQuery } from "./basis-query.ts";
import { type Drafts, noDrafts } from "./drafts.ts";
import { EditPage } from "./edit-page.tsx";
import type { Refused } from "./refused.ts";

const PastePage = lazy(() => import("./paste-page.tsx").then(({ PastePage }) => ({ default: PastePage })));

export function Change() {
  const account = useAccount();
  const basis = useQuery({ ...basisQuery(account), enabled: may(account, "writeMagic") });
  useEffect(() => {
    document.title = "Change · Patchbay";
  }, []);
  if (!may(account, "writeMagic"))
    return (
      <Message title="The token may not change interconnects">
        <p>Sign in with one that has Magic WAN Write or Magic Transit Write in this account.</p>
      </Message>
    );
  if (basis.error && !basis.data) return <Broken error={basis.error} reset={() => void basis.refetch()} />;
  if (!basis.data) return <p className="change-reading muted">Reading …</p>;
  return <Changing account={account} basis={basis.data} />;
}

function Changing({ account, basis }: { readonly account: SessionAccount; readonly basis: Basis }) {
  const search = useSearch({ from: "/dashboard/$account/change" });
  const navigate = useNavigate();
  const selected = useSelection(account.id);
  const [drafts, setDrafts] = useState<Drafts>(noDrafts);
  const [text, setText] = useState("");
  const [refused, setRefused] = useState<Refused>();
  /** It is made: nothing that was typed is lost any more. */
  const done = useRef(false);
  const ids = useMemo(() => search.ids?.split(",") ?? [...selected], [search.ids, selected]);
  const isDirty = drafts.size > 0 || text.trim() !== "";
  const isPasting = search.paste !== undefined;
  const blocker = useBlocker({
    shouldBlockFn: ({ next }) => isDirty && !done.current && !next.pathname.endsWith("/change"),
    enableBeforeUnload: isDirty,
    withResolver: true,
  });

  const isPlanned = search.plan !== undefined && isDirty;
  // The address of a plan outlives what was typed for it.
  const isStale = search.plan !== undefined && !isDirty;
  useEffect(() => {
    if (!isStale || done.current) return;
    void navigate({
      to: "/dashboard/$account/change",
      params: { account: account.id },
      search: ({ ids, paste }) => ({
        ...(ids !== undefined && { ids }),
        ...(paste !== undefined && { paste }),
      }),
      replace: true,
    });
  }, [isStale, navigate, account.id]);
  useLeave(() => {
    if (isPlanned) history.back();
    else void navigate({ to: "/dashboard/$account/interconnects", params: { account: account.id } });
  });

  const common = {
    account,
    basis,
    refused,
    setRefused,
    finish: (revision: number) => {
      done.current = true;
      void navigate({
        to: "/dashboard/$account/live/$revision",
        params: { account: account.id, revision: String(revision) },
        replace: true,
      });
    },
  };
  return (
    <div className="change">
      {!isPlanned && <Tabs account={account.id} ids={search.ids} />}
      {isPasting ? (
        <Suspense fallback={<p className="change-reading muted">Reading …</p>}>
          <PastePage {...common} text={text} setText={setText} />
        </Suspense>
      ) : (
        <EditPage {...common} ids={ids} drafts={drafts} setDrafts={setDrafts} />
      )}
      {blocker.status === "blocked" && (
        <Dialog title="Leave without changing anything?" close={blocker.reset}>
          <p>What was typed here is forgotten.</p>
          <div className="dialog-buttons">
            <button type="button" className="primary" onClick={blocker.proceed}>
              Leave
            </button>
            <button type="button" onClick={blocker.reset}>
              Stay
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

interface TabsProps {
  readonly account: string;
  readonly ids: string | undefined;
}

function Tabs({ account, ids }: TabsProps) {
  const to = { to: "/dashboard/$account/change", params: { account } } as const;
  const activeOptions = { exact: true, includeSearch: true } as const;
  const kept = ids === undefined ? {} : { ids };
  return (
    <nav className="change-tabs" aria-label="Ways to change">
      <Link {...to} activeOptions={activeOptions} search={kept}>
        Fields
      </Link>
      <Link {...to} activeOptions={activeOptions} search={{ ...kept, paste: "" }}>
        Paste a file
      </Link>
    </nav>
  );
}
