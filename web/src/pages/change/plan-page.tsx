/** The plan as the server has it: what changes, who else is touched, what to look at twice. Then it is applied. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { guardsOf } from "../../../../src/file/guards.ts";
import type { Plan } from "../../../../src/file/plan.ts";
import { useHealth } from "../../api/account.ts";
import { ApiFailure, sentenceOf } from "../../api/client.ts";
import type { SessionAccount } from "../../api/session.ts";
import { ApplyForm } from "./apply-form.tsx";
import { tellPlan } from "./bar.tsx";
import type { Basis } from "./basis.ts";
import { type Trouble, troublesOf } from "./judge.ts";
import { PlanTable } from "./plan-table.tsx";
import type { Refused } from "./refused.ts";
import { planAtServer } from "./server-plan.ts";
import { touchedBy } from "./touched.ts";
import { TroublesOfPlan } from "./troubles-of-plan.tsx";

interface PlanPageProps {
  readonly account: SessionAccount;
  readonly basis: Basis;
  readonly plan: Plan;
  readonly setRefused: (refused: Refused | undefined) => void;
  /** Back to the fields, to the one that is wrong if there is one. */
  readonly correct: (trouble: Trouble | undefined) => void;
  readonly finish: (revision: number) => void;
}

export function PlanPage({ account, basis, plan: newest, setRefused, correct, finish }: PlanPageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  // It stays as it is, however the account moves meanwhile: what is applied is what was looked at.
  const [{ plan, attempt }, setFixed] = useState({ plan: newest, attempt: 0 });
  const key = useId();
  const judged = useQuery({
    queryKey: ["plan", account.id, key, attempt],
    queryFn: ({ signal }) => planAtServer(account.id, plan, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  const { data: health } = useHealth();
  const [failure, setFailure] = useState<unknown>();
  const error = judged.error ?? failure;
  const troubles = useMemo(
    () => (error instanceof ApiFailure ? troublesOf(plan, error.errors) : []),
    [error, plan],
  );
  const touched = useMemo(
    () =>
      judged.data
        ? touchedBy(
            judged.data.interconnects.map(({ moved }) => moved),
            basis.whole,
            health?.health,
          )
        : [],
    [judged.data, basis.whole, health?.health],
  );
  const guards = useMemo(() => guardsOf(plan), [plan]);

  useEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    if (troubles.length > 0) setRefused({ plan, troubles });
  }, [troubles, plan, setRefused]);

  const planAgain = () => {
    setFailure(undefined);
    setRefused(undefined);
    setFixed({ plan: newest, attempt: attempt + 1 });
    heading.current?.focus();
  };
  const pending = basis.whole?.pending_change;
  const moved = judged.data?.interconnects.filter(({ moved: { before } }) =>
    isNewer(basis.byId.get(before.id)?.raw["modified_on"], before.modified_on),
  );
  return (
    <div className="change-plan">
      <div className="change-head">
        <h1 ref={heading} tabIndex={-1}>
          Plan
        </h1>
        <p className="muted" role="status">
          {judged.isFetching ? "The server judges it …" : tellPlan(plan)}
        </p>
        <span className="change-spring" />
        <button type="button" onClick={() => correct(undefined)}>
          Back to the fields
        </button>
      </div>
      {pending && (
        <p className="change-banner" role="alert">
          Change {pending.revision} by {pending.actor.name} waits to be confirmed; no other is made before
          that.{" "}
          <Link
            to="/dashboard/$account/live/$revision"
            params={{ account: account.id, revision: String(pending.revision) }}
          >
            Look at it
          </Link>
        </p>
      )}
      {moved && moved.length > 0 && !failure && (
        <p className="change-banner" role="alert">
          {moved.map(({ moved: { before } }) => before.name).join(", ")} changed since this plan was made.{" "}
          <button type="button" onClick={planAgain}>
            Plan again
          </button>
        </p>
      )}
      {error !== undefined && error !== null && (
        <TroublesOfPlan
          plan={plan}
          troubles={troubles}
          sentence={sentenceOf(error)}
          correct={correct}
          planAgain={planAgain}
          isStale={error instanceof ApiFailure && error.status === 412}
        />
      )}
      {judged.data && !judged.error && (
        <>
          <PlanTable plan={judged.data} />
          {touched.length > 0 && (
            <section>
              <h2>Who else is touched</h2>
              <ul className="change-touched">
                {touched.map(({ weight, what, sentence }) => (
                  <li key={sentence} className={weight}>
                    <span className="change-tag">{what}</span>
                    <span>{sentence}</span>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <ApplyForm
            account={account}
            plan={plan}
            etag={judged.data.etag}
            guards={guards}
            blocked={pending !== null && pending !== undefined}
            failed={setFailure}
            finish={finish}
          />
        </>
      )}
    </div>
  );
}

function isNewer(one: unknown, than: string): boolean {
  return typeof one === "string" && one > than;
}
