import { useEffect, useRef } from "react";
import { useHealth } from "../../api/account.ts";
import type { SessionAccount } from "../../api/session.ts";
import { tellLeft, useNow } from "../../parts/time.ts";

/** How far the server's clock is ahead of this one, in milliseconds, as its last answer told. */
function useServerAhead(): number {
  const { data, dataUpdatedAt } = useHealth();
  return data ? Date.parse(data.health.time) - dataUpdatedAt : 0;
}

export function Countdown({ confirmBy }: { readonly account: SessionAccount; readonly confirmBy: string }) {
  const now = useNow(500) + useServerAhead();
  const left = Date.parse(confirmBy) - now;
  // The whole time is what was left when it was first seen, or an extension gave.
  const whole = useRef({ confirmBy: "", left: 0 });
  useEffect(() => {
    if (whole.current.confirmBy !== confirmBy) whole.current = { confirmBy, left };
  }, [confirmBy, left]);
  const most = Math.max(whole.current.left, left, 1);
  return (
    <div className="live-countdown">
      <span role="timer" aria-label="Time left">
        {tellLeft(left)}
      </span>
      <progress aria-label="Time left" max={most} value={Math.max(0, left)} />
      {left <= 0 && <span className="muted">The server undoes it.</span>}
    </div>
  );
}
