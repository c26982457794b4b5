/** What is around every page of an account: where one can go, whose account it is, who is signed in. */

import "./frame.css";
import { Link, Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { type Session, type SessionAccount, useSession } from "../api/session.ts";
import { Mark } from "./icons.tsx";
import { LiveMark } from "./live-mark.tsx";
import { Message } from "./message.tsx";
import { destinations } from "./navigation.ts";
import { ThemeSwitch } from "./theme-switch.tsx";
import { Who } from "./who.tsx";

export function Frame() {
  const session = useSession();
  const { account: id } = useParams({ from: "/dashboard/$account" });
  // It was ended, and the way to the sign-in page is on.
  if (!session) return null;
  const account = session.accounts.find((one) => one.id === id);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="frame-head">
        <Link className="brand" to="/">
          <Mark /> Patchbay
        </Link>
        {account && <Navigation session={session} account={account} />}
        <div className="frame-tools">
          {account && <LiveMark account={account} />}
          <AccountSwitch session={session} id={id} />
          <ThemeSwitch />
          <Who session={session} />
        </div>
      </header>
      <main id="main" className="frame-main" tabIndex={-1}>
        {account ? <Outlet /> : <NoAccount id={id} />}
      </main>
    </>
  );
}

function Navigation({ session, account }: { session: Session; account: SessionAccount }) {
  const offered = destinations.filter((one) => one.offered(session, account));
  return (
    <nav className="frame-nav" aria-label="Pages">
      {offered.map(({ label, to }) => (
        <Link key={label} to={to} params={{ account: account.id }} activeOptions={{ includeSearch: false }}>
          {label}
        </Link>
      ))}
    </nav>
  );
}

function AccountSwitch({ session, id }: { session: Session; id: string }) {
  const navigate = useNavigate();
  const { accounts } = session;
  if (accounts.length < 2) return <span className="account-name">{accounts[0]?.name}</span>;
  return (
    <select
      aria-label="Account"
      value={accounts.some((one) => one.id === id) ? id : ""}
      onChange={(event) =>
        void navigate({ to: "/dashboard/$account/interconnects", params: { account: event.target.value } })
      }
    >
      {!accounts.some((one) => one.id === id) && <option value="">Choose an account</option>}
      {accounts.map((one) => (
        <option key={one.id} value={one.id}>
          {one.name}
        </option>
      ))}
    </select>
  );
}

function NoAccount({ id }: { id: string }) {
  return (
    <Message title="This account is not yours to see">
      <p>
        There is no account <code>{id}</code>, or the token may do nothing in it. Choose another account
        above, or sign in with a token that may see it.
      </p>
    </Message>
  );
}
