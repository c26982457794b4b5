/** One interconnect: its way, its health, and every field with who set it last. */

import "./interconnect.css";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { printable } from "../../../../src/contract/printable.ts";
import { type AccountState, type Interconnect, useAccount, useAccountState } from "../../api/account.ts";
import { may } from "../../api/session.ts";
import { Broken } from "../../parts/broken.tsx";
import { Message } from "../../parts/message.tsx";
import { PageLink } from "../../parts/page-link.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { tellAge, useNow } from "../../parts/time.ts";
import { useBlame } from "./blame.ts";
import { Health } from "./health.tsx";
import { type History, useHistory } from "./history.ts";
import { Settings } from "./settings.tsx";
import { wayOf } from "./way.ts";
import { WayPicture } from "./way-picture.tsx";

const ROUTE = "/dashboard/$account/interconnects/$interconnect";

export function InterconnectPage() {
  const { account: accountId, interconnect: id } = useParams({ from: ROUTE });
  const state = useAccountState();
  const found = state.data?.interconnects.find((one) => one.id === id);
  useEffect(() => {
    document.title = `${printable(found?.name ?? "Interconnect")} · Patchbay`;
  }, [found?.name]);
  if (state.error && !state.data) return <Broken error={state.error} reset={() => void state.refetch()} />;
  if (!state.data) return <p className="interconnect muted">Reading …</p>;
  if (!found)
    return (
      <Message title="There is no such interconnect">
        <p>
          It may have been deleted.{" "}
          <Link to="/dashboard/$account/interconnects" params={{ account: accountId }}>
            See those that there are
          </Link>
          .
        </p>
      </Message>
    );
  return <Shown interconnect={found} state={state.data} />;
}

interface ShownProps {
  readonly interconnect: Interconnect;
  readonly state: AccountState;
}

function Shown({ interconnect, state }: ShownProps) {
  const account = useAccount();
  const { range = "1h" } = useSearch({ from: ROUTE });
  const history = useHistory(account, interconnect.id, range);
  const blame = useBlame(account, state.position?.epoch ?? "", interconnect);
  const way = useMemo(() => wayOf(interconnect, state.below), [interconnect, state.below]);
  return (
    <article className="interconnect">
      <Link to="/dashboard/$account/interconnects" params={{ account: account.id }}>
        Interconnects
      </Link>
      <div className="interconnect-head">
        <h1>{interconnect.name}</h1>
        {history.data && <Standing history={history.data} />}
        <p className="actions">
          {may(account, "readLog") && (
            <PageLink
              className="button"
              href={`/dashboard/${account.id}/history?object=${encodeURIComponent(interconnect.id)}`}
            >
              Its changes
            </PageLink>
          )}
          {may(account, "writeMagic") && (
            <PageLink
              className="button"
              href={`/dashboard/${account.id}/change?ids=${encodeURIComponent(interconnect.id)}`}
            >
              Change it
            </PageLink>
          )}
        </p>
      </div>
      {interconnect.description && <p className="muted">{interconnect.description}</p>}
      <section aria-labelledby="way">
        <h2 id="way">Its way</h2>
        <WayPicture way={way} interconnect={interconnect} />
      </section>
      {may(account, "readHealth") && <Health history={history.data} error={history.error} range={range} />}
      <Settings
        account={account.id}
        interconnect={interconnect}
        blame={may(account, "readLog") ? blame : undefined}
      />
    </article>
  );
}

function Standing({ history: { state, since, reason } }: { readonly history: History }) {
  const now = useNow();
  return (
    <>
      <StateBadge state={state} />
      {since !== null && <span className="muted">for {tellAge(since, now)}</span>}
      <span className="muted">{reason}</span>
    </>
  );
}
