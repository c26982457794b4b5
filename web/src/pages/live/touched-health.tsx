import { useMemo } from "react";
import { useHealth } from "../../api/account.ts";
import { hourOf, useRecent } from "../../api/recent.ts";
import type { SessionAccount } from "../../api/session.ts";
import { HealthStrip, minuteAt } from "../../parts/hour.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { tellAge, useNow } from "../../parts/time.ts";

/** Rows that are told; the worst come first. */
const MOST = 100;
const order = ["down", "degraded", "unknown", "healthy"] as const;

interface TouchedHealthProps {
  readonly account: SessionAccount;
  readonly interconnects: readonly { readonly id: string; readonly name: string }[];
}

/** How each interconnect that the change touched is now. */
export function TouchedHealth({ account, interconnects }: TouchedHealthProps) {
  const { data } = useHealth();
  const now = useNow(5_000);
  const rows = useMemo(() => {
    const byId = new Map(data?.health.interconnects.map((one) => [one.id, one]));
    return interconnects
      .map(({ id, name }) => ({ id, name: byId.get(id)?.name ?? name, health: byId.get(id) }))
      .sort((one, other) => rank(one.health?.state) - rank(other.health?.state))
      .slice(0, MOST);
  }, [data, interconnects]);
  useRecent(
    account,
    useMemo(() => rows.map(({ id }) => ({ id, modified_on: "" })), [rows]),
  );
  return (
    <section>
      <h2>What it touched</h2>
      <table className="live-health">
        <thead>
          <tr>
            <th scope="col">Interconnect</th>
            <th scope="col">State</th>
            <th scope="col">For</th>
            <th scope="col">Why</th>
            <th scope="col">Last hour</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, name, health }) => (
            <tr key={id}>
              <th scope="row">{name}</th>
              <td>
                <StateBadge state={health?.state ?? "unknown"} />
              </td>
              <td className="mono">{health?.since ? tellAge(health.since, now) : "–"}</td>
              <td className="live-why">{health?.reason ?? "not reported yet"}</td>
              <td className="live-hour">
                <HealthStrip minutes={hourOf(id)} minute={minuteAt(now)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {interconnects.length > MOST && (
        <p className="muted">And {interconnects.length - MOST} more, which are no worse.</p>
      )}
    </section>
  );
}

function rank(state: (typeof order)[number] | undefined): number {
  return order.indexOf(state ?? "unknown");
}
