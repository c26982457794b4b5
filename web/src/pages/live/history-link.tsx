import { Link } from "@tanstack/react-router";

/** To the account's log. */
export function HistoryLink({ account }: { readonly account: string }) {
  return (
    <Link to="/dashboard/$account/history" params={{ account }}>
      History
    </Link>
  );
}
