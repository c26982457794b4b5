import "../../parts/frame.css";
import "./sign-in.css";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { ApiFailure, sentenceOf } from "../../api/client.ts";
import { queries } from "../../api/query-client.ts";
import { firstAccount, readOffer, signIn } from "../../api/session.ts";
import { Mark } from "../../parts/icons.tsx";
import { ThemeSwitch } from "../../parts/theme-switch.tsx";
import { dashboardPath } from "./search.ts";

export function SignIn() {
  const { next } = useSearch({ from: "/dashboard/sign-in" });
  const navigate = useNavigate();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const [remember, setRemember] = useState(false);
  const offer = useQuery({ queryKey: ["sign-in"], queryFn: ({ signal }) => readOffer(signal) });
  const ids = { token: useId(), remember: useId(), problem: useId() };

  useEffect(() => {
    document.title = "Sign in · Patchbay";
    field.current?.focus();
  }, []);

  const enter = async (token: string) => {
    setBusy(true);
    setProblem(undefined);
    try {
      const session = await signIn(token, remember);
      // What another saw is not theirs.
      queries.clear();
      const account = firstAccount(session);
      const path = next === undefined ? undefined : dashboardPath(next);
      if (!account) {
        setProblem(
          "The token is good, but may do nothing in any account. Ask for one that may read interconnects.",
        );
      } else if (path !== undefined) {
        await navigate({ href: path });
      } else {
        await navigate({ to: "/dashboard/$account/interconnects", params: { account: account.id } });
      }
    } catch (error) {
      setProblem(explain(error));
      field.current?.focus();
    } finally {
      setBusy(false);
    }
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (token !== "") return void enter(token);
    setProblem("Type or paste a token.");
    field.current?.focus();
  };

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <div className="brand">
          <Mark /> Patchbay
        </div>
        <h1>Sign in</h1>
        <p className="muted">With an API token: the same that your scripts and the command line use.</p>
        <form onSubmit={submit} noValidate>
          <div className="field">
            <label htmlFor={ids.token}>API token</label>
            <input
              ref={field}
              id={ids.token}
              type="password"
              autoComplete="off"
              spellCheck={false}
              aria-invalid={problem !== undefined}
              aria-describedby={problem === undefined ? undefined : ids.problem}
            />
          </div>
          <label className="remember" htmlFor={ids.remember}>
            <input
              id={ids.remember}
              type="checkbox"
              checked={remember}
              onChange={(event) => setRemember(event.target.checked)}
            />
            <span>
              Remember until the browser is closed
              <br />
              <span className="muted">Otherwise the token is forgotten with this page.</span>
            </span>
          </label>
          {problem !== undefined && (
            <p className="sign-in-error" role="alert" id={ids.problem}>
              {problem}
            </p>
          )}
          <button type="submit" className="primary" disabled={busy}>
            Sign in
          </button>
        </form>
        {offer.data?.demo && <Demo token={offer.data.demo.token} busy={busy} enter={enter} />}
        {offer.error && <p className="sign-in-error">{sentenceOf(offer.error)}</p>}
      </div>
      <p className="sign-in-foot">
        <a href="/docs">API reference</a> <ThemeSwitch />
      </p>
    </main>
  );
}

interface DemoProps {
  readonly token: string;
  readonly busy: boolean;
  readonly enter: (token: string) => Promise<void>;
}

function Demo({ token, busy, enter }: DemoProps) {
  return (
    <div className="demo-offer">
      <p className="muted">This server runs the demonstration, whose token is public.</p>
      <button type="button" disabled={busy} onClick={() => void enter(token)}>
        Open the demonstration
      </button>
    </div>
  );
}

/** The gateway's words are for programs. */
function explain(error: unknown): string {
  if (!(error instanceof ApiFailure)) return sentenceOf(error);
  const [first] = error.errors;
  if (first?.code === 9109 && /location/.test(first.message))
    return `The token may not be used from here: ${first.message}.`;
  if (error.isSignedOut)
    return "The server does not know this token, or it is expired or disabled. Check that all of it was copied.";
  return sentenceOf(error);
}
