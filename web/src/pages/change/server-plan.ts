/** The server's own judgement of a plan, and its application. */

import type { Interconnect } from "../../../../src/contract/interconnect.ts";
import { FIELDS, means, type Value } from "../../../../src/file/fields.ts";
import type { Plan } from "../../../../src/file/plan.ts";
import { member, type Shown } from "../../../../src/file/shown.ts";
import { magicPath, targetForm } from "../../api/account.ts";
import { ask } from "../../api/client.ts";
import { type Conditions, conditionHeaders, type RevertOn } from "../../changes/conditions.ts";
import { shownOf } from "./basis.ts";
import { bodyOf } from "./judge.ts";
import type { Moved } from "./touched.ts";

/** One field before and after, as the server has it. */
export interface Difference {
  readonly path: string;
  readonly before: Value | undefined;
  readonly after: Value | undefined;
  /** It was not asked for: it follows from what was. */
  readonly follows: boolean;
}

export interface Planned {
  readonly moved: Moved;
  readonly differences: readonly Difference[];
}

export interface ServerPlan {
  /** Of the list that it was made on. */
  readonly etag: string | null;
  readonly total: number;
  readonly interconnects: readonly Planned[];
}

interface Many {
  readonly modified_interconnects: readonly Interconnect[];
}

/** Throws `ApiFailure` with what the server refuses. Nothing is changed. */
export async function planAtServer(account: string, plan: Plan, signal: AbortSignal): Promise<ServerPlan> {
  const path = magicPath(account);
  const list = await ask<{ interconnects: readonly Interconnect[] }>(path, { signal, headers: targetForm });
  const judged = await ask<Many>(`${path}?validate_only=true`, {
    method: "PUT",
    body: bodyOf(plan),
    headers: targetForm,
    signal,
  });
  const before = new Map(list.result.interconnects.map((one) => [one.id, one]));
  const asked = new Map(plan.steps.map(({ id, fields }) => [id, new Set(fields.map(({ path }) => path))]));
  const interconnects = judged.result.modified_interconnects.flatMap((after): Planned[] => {
    const was = before.get(after.id);
    if (!was) return [];
    return [{ moved: { before: was, after }, differences: differencesOf(was, after, asked.get(after.id)) }];
  });
  return { etag: list.headers.get("etag"), total: before.size, interconnects };
}

function differencesOf(
  before: Interconnect,
  after: Interconnect,
  asked: ReadonlySet<string> | undefined,
): Difference[] {
  const [was, is] = [shownOf(before), shownOf(after)];
  const fields = FIELDS.flatMap((field): Difference[] => {
    const { path } = field;
    const [old, value] = [was.fields.get(path), is.fields.get(path)];
    if (means(field, old, value)) return [];
    return [{ path, before: old, after: value, follows: !asked?.has(path) }];
  });
  const [old, value] = [was, is].map(effectiveOf);
  if (old === value) return fields;
  return [...fields, { path: "health_check.target.effective", before: old, after: value, follows: true }];
}

/** Where probes are sent: it follows from the target that is saved, or from the addresses. */
function effectiveOf({ raw }: Shown): string | undefined {
  const effective = member(member(member(raw, "health_check"), "target"), "effective");
  return typeof effective === "string" ? effective : undefined;
}

/** What was applied here, for the page that follows it. */
export interface Applied {
  readonly revision: number;
  readonly confirmBy: string | undefined;
  readonly revertOn: RevertOn | undefined;
  /** Sentences of the server about it. */
  readonly notes: readonly string[];
  readonly interconnects: readonly { readonly id: string; readonly name: string }[];
}

/** Throws `ApiFailure`. Undefined if there was nothing to change any more. */
export async function applyPlan(
  account: string,
  plan: Plan,
  etag: string | null,
  conditions: Conditions,
): Promise<Applied | undefined> {
  const { result, headers, messages } = await ask<Many>(magicPath(account), {
    method: "PUT",
    body: bodyOf(plan),
    headers: {
      ...targetForm,
      ...(etag !== null && { "if-match": etag }),
      ...conditionHeaders(conditions),
    },
  });
  const revision = headers.get("x-patchbay-revision");
  if (revision === null) return undefined;
  return {
    revision: Number(revision),
    confirmBy: headers.get("x-patchbay-confirm-by") ?? undefined,
    revertOn: conditions.confirmWithin === undefined ? undefined : conditions.revertOn,
    notes: messages.map(({ message }) => message),
    interconnects: result.modified_interconnects.map(({ id, name }) => ({ id, name })),
  };
}
