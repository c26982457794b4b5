/** One interconnect: its fields as the API tells them, its last hour, and what each edge says. */

import "./interconnect.css";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { type Interconnect, useAccount, useAccountState, useHealth } from "../../api/account.ts";
import { hourOf, useRecent } from "../../api/recent.ts";
import { Broken } from "../../parts/broken.tsx";
import { HealthStrip, minuteAt } from "../../parts/hour.tsx";
import { Message } from "../../parts/message.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { tellAge, useNow } from "../../parts/time.ts";

export function InterconnectPage() {
  const { account: accountId, interconnect: id } = useParams({
    from: "/dashboard/$account/interconnects/$interconnect",
  });
  const state = useAccountState();
  const found = state.data?.interconnects.find((one) => one.id === id);
  useEffect(() => {
    document.title = `${found?.name ?? "Interconnect"} · Patchbay`;
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
  return <Shown interconnect={found} />;
}

function Shown({ interconnect }: { readonly interconnect: Interconnect }) {
  const account = useAccount();
  const now = useNow();
  const { data } = useHealth();
  useRecent(account, [interconnect]);
  const health = data?.health.interconnects.find(({ id }) => id === interconnect.id);
  return (
    <article className="interconnect">
      <Link to="/dashboard/$account/interconnects" params={{ account: account.id }}>
        Interconnects
      </Link>
      <div className="interconnect-head">
        <h1>{interconnect.name}</h1>
        {health && <StateBadge state={health.state} />}
        {health?.since && <span className="muted">for {tellAge(health.since, now)}</span>}
        {health && <span className="muted">{health.reason}</span>}
      </div>
      {interconnect.description && <p className="muted">{interconnect.description}</p>}
      <section>
        <h2>Last hour</h2>
        <div className="panel">
          <HealthStrip minutes={hourOf(interconnect.id)} minute={minuteAt(now)} />
        </div>
      </section>
      <section>
        <h2>Settings</h2>
        <dl className="panel facts">
          {factsOf(interconnect).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="mono">{value}</dd>
            </div>
          ))}
        </dl>
      </section>
    </article>
  );
}

/** Each field that has a value, by its dotted path. */
function factsOf(value: object, path = ""): readonly (readonly [string, string])[] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    const at = path + key;
    if (member === undefined || member === null || member === "") return [];
    if (Array.isArray(member)) return [[at, member.join(", ")] as const];
    if (typeof member === "object") return factsOf(member, `${at}.`);
    return [[at, String(member)] as const];
  });
}
