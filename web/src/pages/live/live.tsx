/** A change after it was applied: how long it waits, how what it touched is, and how it ended. */

import "./live.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Actor } from "../../../../src/contract/log.ts";
import { useAccount } from "../../api/account.ts";
import { may, type SessionAccount } from "../../api/session.ts";
import { Differences } from "../../changes/differences.tsx";
import { markOf, type Outcome, outcomesOf } from "../../changes/outcome.ts";
import { settingsIn } from "../../changes/words.ts";
import { Broken } from "../../parts/broken.tsx";
import { useLeave } from "../../parts/leave.ts";
import { Message } from "../../parts/message.tsx";
import { tellTime } from "../../parts/time.ts";
import { Actions } from "./actions.tsx";
import { appliedOf } from "./applied.ts";
import { Countdown } from "./countdown.tsx";
import { HistoryLink } from "./history-link.tsx";
import { afterQuery, changeQuery } from "./queries.ts";
import { TouchedHealth } from "./touched-health.tsx";

export function Live() {
  const account = useAccount();
  const { revision: text } = useParams({ from: "/dashboard/$account/live/$revision" });
  const navigate = useNavigate();
  useLeave(() => void navigate({ to: "/dashboard/$account/interconnects", params: { account: account.id } }));
  const revision = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
  if (revision === undefined)
    return (
      <Message title="There is no such change">
        <p>The address ends with no revision.</p>
      </Message>
    );
  return may(account, "readLog") ? (
    <Followed key={revision} account={account} revision={revision} />
  ) : (
    <Remembered key={revision} account={account} revision={revision} />
  );
}

interface LiveProps {
  readonly account: SessionAccount;
  readonly revision: number;
}

/** By the log. */
function Followed({ account, revision }: LiveProps) {
  const change = useQuery(changeQuery(account, revision));
  const after = useQuery(afterQuery(account, revision));
  const error = change.error ?? after.error;
  if (error && !(change.data && after.data))
    return <Broken error={error} reset={() => void Promise.all([change.refetch(), after.refetch()])} />;
  if (!change.data || !after.data) return <p className="live-page muted">Reading …</p>;
  const touched = change.data.objects.filter(({ kind }) => kind === "interconnect");
  return (
    <Told
      account={account}
      revision={revision}
      outcome={outcomesOf([change.data, ...after.data].flatMap((one) => markOf(one) ?? [])).get(revision)}
      about={`${tellActor(change.data.actor)}, ${tellTime(change.data.time)}`}
      reason={change.data.reason}
      notes={appliedOf(account.id, revision)?.notes ?? []}
      interconnects={touched.map(({ id, name = id }) => ({ id, name }))}
    >
      <section>
        <h2>What it changed</h2>
        <Differences objects={settingsIn(change.data.objects)} />
      </section>
    </Told>
  );
}

/** For a token that may not read the log: what this page applied, and what was done about it here. */
function Remembered({ account, revision }: LiveProps) {
  const applied = appliedOf(account.id, revision);
  const [outcome, setOutcome] = useState<Outcome | undefined>(() =>
    applied?.confirmBy === undefined
      ? undefined
      : { what: "waiting", confirmBy: applied.confirmBy, revertOn: applied.revertOn },
  );
  if (!applied)
    return (
      <Message title="The token may not read the log">
        <p>What became of this change is told to tokens with Patchbay Read.</p>
      </Message>
    );
  return (
    <Told
      account={account}
      revision={revision}
      outcome={outcome}
      about="The token may not read the log: how it ends is told here only if it is ended here."
      reason={undefined}
      notes={applied.notes}
      interconnects={applied.interconnects}
      ended={setOutcome}
    />
  );
}

interface ToldProps extends LiveProps {
  readonly outcome: Outcome | undefined;
  readonly about: string;
  readonly reason: string | undefined;
  readonly notes: readonly string[];
  readonly interconnects: readonly { readonly id: string; readonly name: string }[];
  readonly ended?: (outcome: Outcome) => void;
  readonly children?: ReactNode;
}

function Told(props: ToldProps) {
  const { account, revision, outcome, about, reason, notes, interconnects, ended, children } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `Change ${revision} · Patchbay`;
    heading.current?.focus();
  }, [revision]);
  return (
    <article className="live-page">
      <div className="live-head">
        <h1 ref={heading} tabIndex={-1}>
          Change {revision}
        </h1>
        <span className="muted">{about}</span>
      </div>
      {reason !== undefined && <p className="live-reason">{reason}</p>}
      <div className={`live-outcome ${outcome?.what ?? "made"}`}>
        <p role="status">
          <strong>{headline(outcome)}</strong> {detail(outcome)}
        </p>
        {outcome?.what === "waiting" && <Countdown account={account} confirmBy={outcome.confirmBy} />}
        {outcome?.what === "waiting" &&
          notes.map((note) => (
            <p key={note} className="muted">
              {note}
            </p>
          ))}
        <Actions account={account} revision={revision} outcome={outcome} ended={ended} />
      </div>
      {interconnects.length > 0 && may(account, "readHealth") && (
        <TouchedHealth account={account} interconnects={interconnects} />
      )}
      {children}
      <p className="live-links">
        <Link to="/dashboard/$account/interconnects" params={{ account: account.id }}>
          All interconnects
        </Link>
        {may(account, "readLog") && <HistoryLink account={account.id} />}
      </p>
    </article>
  );
}

function headline(outcome: Outcome | undefined): string {
  switch (outcome?.what) {
    case undefined:
      return "Made.";
    case "waiting":
      return "Made, and waits to be confirmed.";
    case "confirmed":
      return "Confirmed: it stays.";
    case "undone":
      return "Undone: all is as before.";
  }
}

function detail(outcome: Outcome | undefined): string {
  switch (outcome?.what) {
    case undefined:
      return "It needs no confirmation.";
    case "waiting":
      if (outcome.revertOn === undefined) return "The server undoes it when the time is over.";
      return `The server undoes it when the time is over, or when an interconnect that was healthy is ${
        outcome.revertOn === "down" ? "down" : "degraded or down"
      }.`;
    case "confirmed":
      return `By ${tellActor(outcome.actor)}, ${tellTime(outcome.time)}, as revision ${outcome.revision}.`;
    case "undone":
      return `${outcome.actor.id === "deadline" ? "Its time was over" : `By ${tellActor(outcome.actor)}`}, ${tellTime(outcome.time)}, as revision ${outcome.revision}.`;
  }
}

/** `token everything`, or what Patchbay itself was doing. */
function tellActor({ type, id, name }: Actor): string {
  if (type !== "system") return `${type} ${name}`;
  return id === "health" ? `health: ${name}` : name;
}
