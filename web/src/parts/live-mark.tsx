import { type Liveness, useLive } from "../api/live.ts";
import type { SessionAccount } from "../api/session.ts";

const told: Readonly<Record<Liveness, { readonly word: string; readonly title: string }>> = {
  live: { word: "Live", title: "Changes are shown as they are made" },
  polling: { word: "Every 30 s", title: "The token may not follow the log, so changes are asked for" },
  lost: {
    word: "Not connected",
    title: "The server does not answer; what is shown may be old. It is tried again",
  },
};

/** Follows the account while the frame is there, and says whether what is shown is up to date. */
export function LiveMark({ account }: { readonly account: SessionAccount }) {
  const liveness = useLive(account);
  const { word, title } = told[liveness];
  return (
    <span className={`live-mark ${liveness}`} title={title} role="status">
      {word}
    </span>
  );
}
