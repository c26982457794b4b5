/** The fields of the interconnects that are chosen: of one in a form, of many field by field or one by one. */

import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import type { SessionAccount } from "../../api/session.ts";
import { Message } from "../../parts/message.tsx";
import { Bar } from "./bar.tsx";
import type { Basis } from "./basis.ts";
import { ByField } from "./by-field.tsx";
import { type Drafts, draft, noDrafts, noPlan, planOfDrafts, undraft } from "./drafts.ts";
import { type Editing, inputId } from "./editing.ts";
import { fieldInfo, groups } from "./fields.ts";
import { judge, type Trouble } from "./judge.ts";
import { OneForm } from "./one-form.tsx";
import { PlanPage } from "./plan-page.tsx";
import { type Refused, withRefused } from "./refused.ts";
import { Side, type SideItem } from "./side.tsx";
import { count } from "./words.ts";

interface EditPageProps {
  readonly account: SessionAccount;
  readonly basis: Basis;
  readonly ids: readonly string[];
  readonly drafts: Drafts;
  readonly setDrafts: (change: (drafts: Drafts) => Drafts) => void;
  readonly refused: Refused | undefined;
  readonly setRefused: (refused: Refused | undefined) => void;
  readonly finish: (revision: number) => void;
}

/** What is to have the focus once it is there; a new object each time. */
interface Wanted {
  readonly id: string;
  readonly path: string;
}

export function EditPage(props: EditPageProps) {
  const { account, basis, ids, drafts, setDrafts, refused } = props;
  const search = useSearch({ from: "/dashboard/$account/change" });
  const navigate = useNavigate({ from: "/dashboard/$account/change" });
  const [path, setPath] = useState("mtu");
  const [oneId, setOneId] = useState<string>();
  const [wanted, setWanted] = useState<Wanted>();

  const chosen = useMemo(() => ids.flatMap((id) => basis.byId.get(id) ?? []), [ids, basis]);
  const typed = useDeferredValue(drafts);
  const judged = useMemo(() => judgeDrafts(typed, basis, refused), [typed, basis, refused]);
  // What is planned is all that was typed, judged or not: the server judges it as well.
  const isPlanned = search.plan !== undefined;
  const { plan, troubles } = useMemo(
    () => (isPlanned ? judgeDrafts(drafts, basis, refused) : judged),
    [isPlanned, judged, drafts, basis, refused],
  );

  const focused = useRef<Wanted>(undefined);
  // It may be there only once the plan is left.
  useEffect(() => {
    if (!wanted || wanted === focused.current || search.plan !== undefined) return;
    focused.current = wanted;
    document.getElementById(inputId(wanted.id, wanted.path))?.focus();
  }, [wanted, search.plan]);

  const isOne = chosen.length === 1;
  const one = isOne ? chosen[0] : chosen.find(({ id }) => id === oneId);
  const field = fieldInfo(path);
  const editing: Editing = {
    chosen,
    drafts,
    troubles,
    set: (of, at, value) => setDrafts((before) => draft(before, of, at, value)),
    undo: (id, at) => setDrafts((before) => undraft(before, id, at)),
  };
  const goTo = (trouble: Trouble | undefined) => {
    const { id, path: at = plan.steps.find((step) => step.id === id)?.fields[0]?.path } = trouble ?? {};
    if (id === undefined || at === undefined) return document.getElementById("change-troubles")?.focus();
    if (one && one.id !== id) setOneId(id);
    else if (!one) setPath(at);
    setWanted({ id, path: at });
  };
  const toPlan = () => {
    const now = typed === drafts ? judged : judgeDrafts(drafts, basis, refused);
    if (now.troubles.length > 0) goTo(now.troubles[0]);
    else if (now.plan.steps.length > 0) void navigate({ search: { ...search, plan: "" } });
  };

  if (search.plan !== undefined && plan.steps.length > 0)
    return (
      <PlanPage
        {...props}
        plan={plan}
        correct={(trouble) => {
          history.back();
          goTo(trouble);
        }}
      />
    );
  if (chosen.length === 0) return <NothingChosen account={account.id} missing={ids.length > 0} />;
  const whole = troubles.filter(({ id }) => id === undefined);
  return (
    <>
      <div className="change-head">
        <h1>{isOne ? `Change ${chosen[0]?.name}` : `Change ${count(chosen.length, "interconnect")}`}</h1>
        {chosen.length < ids.length && (
          <p className="muted">
            {count(ids.length - chosen.length, "other")} of those asked for are not there.
          </p>
        )}
        {!isOne && (
          <fieldset className="change-switch">
            <legend className="visually-hidden">Show</legend>
            <button type="button" aria-pressed={!one} onClick={() => setOneId(undefined)}>
              By field
            </button>
            <button type="button" aria-pressed={one !== undefined} onClick={() => setOneId(chosen[0]?.id)}>
              By interconnect
            </button>
          </fieldset>
        )}
      </div>
      {whole.length > 0 && (
        <div id="change-troubles" className="change-banner bad" tabIndex={-1} role="alert">
          {whole.map(({ message, todo }) => (
            <p key={message}>
              <strong>{message}</strong> {todo}
            </p>
          ))}
        </div>
      )}
      <div className={isOne ? "change-body one" : "change-body"}>
        {!isOne && (
          <Side
            label={one ? "Interconnects" : "Fields"}
            items={one ? itemsOfChosen(editing) : itemsOfFields(editing)}
            current={one?.id ?? path}
            choose={one ? setOneId : setPath}
          />
        )}
        {one && <OneForm key={one.id} shown={one} editing={editing} />}
        {!one && field && <ByField key={path} field={field} editing={editing} wanted={wanted?.id} />}
      </div>
      <Bar
        plan={plan}
        troubles={troubles}
        settled={typed === drafts}
        toTrouble={() => goTo(troubles[0])}
        forget={() => setDrafts(() => noDrafts)}
        toPlan={toPlan}
      />
    </>
  );
}

function judgeDrafts(drafts: Drafts, basis: Basis, refused: Refused | undefined) {
  const planned = planOfDrafts(drafts, basis);
  const plan = planned.ok ? planned.plan : noPlan;
  return { plan, troubles: withRefused(judge(plan, basis), refused, plan) };
}

function itemsOfFields({ drafts, troubles }: Editing): SideItem[] {
  return groups.flatMap(({ title, fields }) =>
    fields.map(({ path, label }) => ({
      key: path,
      label,
      group: title,
      changes: [...drafts.values()].filter((fields) => fields.has(path)).length,
      troubles: troubles.filter((trouble) => trouble.path === path).length,
    })),
  );
}

function itemsOfChosen({ chosen, drafts, troubles }: Editing): SideItem[] {
  return chosen.map(({ id, name }) => ({
    key: id,
    label: name,
    group: undefined,
    changes: drafts.get(id)?.size ?? 0,
    troubles: troubles.filter((trouble) => trouble.id === id).length,
  }));
}

function NothingChosen({ account, missing }: { readonly account: string; readonly missing: boolean }) {
  return (
    <Message title={missing ? "These interconnects are not there" : "Nothing is selected"}>
      <p>
        {missing && "They may have been deleted. "}
        <Link to="/dashboard/$account/interconnects" params={{ account }}>
          Select interconnects
        </Link>{" "}
        to change them together, or{" "}
        <Link to="/dashboard/$account/change" params={{ account }} search={{ paste: "" }}>
          paste a file
        </Link>
        .
      </p>
    </Message>
  );
}
