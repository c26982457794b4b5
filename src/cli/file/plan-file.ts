/**
 * A plan in a file: what was looked at is what is done, or it is refused.
 *
 * It holds everything in clear, keys too, so its owner alone may read it.
 */

import { randomBytes } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { fieldOf, hasForm, means, type Value } from "../../file/fields.ts";
import { type FieldStep, type Plan, type Step, updateOf } from "../../file/plan.ts";
import { member, type Shown } from "../../file/shown.ts";
import { CommandFailure } from "../failure.ts";
import type { Session } from "../run.ts";
import { type AccountShown, type Binding, hashOf, movedWords, sameBinding } from "./account.ts";
import { readText } from "./read-text.ts";
import type { Destination } from "./show-plan.ts";

/** Grows when the file changes so that an older version cannot read it. */
const FORMAT = 1;

/** What a plan wants to find: the state that it was made on, or only its own values before. */
export type Bound = Binding | { readonly values: true };

export interface SavedPlan extends Destination {
  readonly bound: Bound;
  readonly plan: Plan;
}

/** Writes it whole or not at all, for its owner alone. */
export function writePlanFile(file: string, { server, account, bound, plan }: SavedPlan, made: Date): void {
  const content = {
    patchbay_plan: FORMAT,
    made: made.toISOString(),
    server,
    account,
    bound,
    total: plan.total,
    named: plan.named,
    updates: plan.steps.map(updateOf),
    changes: plan.steps.map(({ id, name, fields }) => ({
      id,
      name,
      fields: fields.map(({ path, before, after, place }) => ({
        path,
        ...(before === undefined ? {} : { before }),
        after,
        follows: place === undefined,
      })),
    })),
  };
  const text = `${JSON.stringify({ ...content, checksum: hashOf(content) }, undefined, 2)}\n`;
  const at = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    writeFileSync(at, text, { mode: 0o600, flag: "wx", flush: true });
    renameSync(at, file);
  } catch (error) {
    rmSync(at, { force: true });
    throw new CommandFailure(
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`,
      {
        advice: "Nothing was changed.",
      },
    );
  }
}

/** Throws `CommandFailure` for a file that is no plan, or not as it was written. */
export async function readPlanFile(file: string, session: Session): Promise<SavedPlan> {
  let content: unknown;
  try {
    content = JSON.parse(await readText(file, session));
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
  }
  const format = member(content, "patchbay_plan");
  if (format === undefined) {
    throw new CommandFailure(`${file} is no plan.`, {
      advice: `patchbay plan --out writes one; to apply a file of interconnects: patchbay apply -f ${file}`,
    });
  }
  if (format !== FORMAT) {
    throw new CommandFailure(`${file} is a plan of format ${String(format)}; this version knows ${FORMAT}.`, {
      advice: "Plan again with this version.",
    });
  }
  const { checksum, ...rest } = Object(content);
  const plan = checksum === hashOf(rest) ? planIn(file, rest) : undefined;
  if (!plan) {
    throw new CommandFailure(`${file} is not as it was written: its checksum is another.`, {
      advice: "Plan again.",
    });
  }
  return plan;
}

function planIn(file: string, content: unknown): SavedPlan | undefined {
  const [server, account] = ["server", "account"].map((key) => member(content, key));
  const [total, named] = ["total", "named"].map((key) => member(content, key));
  const bound = boundIn(member(content, "bound"));
  const changes = member(content, "changes");
  if (typeof server !== "string" || typeof account !== "string" || !bound || !Array.isArray(changes))
    return undefined;
  if (typeof total !== "number" || typeof named !== "number") return undefined;
  const steps: Step[] = [];
  for (const change of changes) {
    const step = stepIn(file, change);
    if (!step) return undefined;
    steps.push(step);
  }
  return { server, account, bound, plan: { steps, total, named } };
}

function boundIn(value: unknown): Bound | undefined {
  const [epoch, revision, objects] = ["epoch", "revision", "objects"].map((key) => member(value, key));
  if (typeof epoch === "string" && typeof revision === "number") return { epoch, revision };
  if (typeof objects === "object" && objects !== null) {
    const hashes = Object.entries(objects).map(([id, hash]) => [id, String(hash)] as const);
    return { objects: Object.fromEntries(hashes) };
  }
  return member(value, "values") === true ? { values: true } : undefined;
}

function stepIn(file: string, change: unknown): Step | undefined {
  const [id, name, fields] = ["id", "name", "fields"].map((key) => member(change, key));
  if (typeof id !== "string" || typeof name !== "string" || !Array.isArray(fields)) return undefined;
  const steps = fields.map((field) => fieldIn(file, field));
  const known = steps.filter((step) => step !== undefined);
  return known.length === steps.length ? { id, name, place: file, fields: known } : undefined;
}

function fieldIn(file: string, content: unknown): FieldStep | undefined {
  const path = member(content, "path");
  const field = typeof path === "string" ? fieldOf(path) : undefined;
  const after = member(content, "after");
  const before = member(content, "before");
  if (!field || !hasForm(field.form, after)) return undefined;
  const was: Value | undefined = hasForm(field.form, before) ? before : undefined;
  const follows = member(content, "follows") === true;
  return { path: field.path, before: was, after, ...(follows ? {} : { place: file }) };
}

/** Throws where the plan was made for another account or server. */
export function judgeDestination(file: string, saved: SavedPlan, at: Destination): void {
  if (saved.server === at.server && saved.account === at.account) return;
  throw new CommandFailure(
    `${file} is for account ${saved.account} at ${saved.server}, not for ${at.account} at ${at.server}.`,
    { advice: "Give the profile it was made with, or plan again." },
  );
}

/** The plan as it stands with the account as it is now. Throws for what has moved since it was made. */
export function rebound(file: string, saved: SavedPlan, account: AccountShown): Plan {
  const { bound, plan } = saved;
  if ("values" in bound) return onOwnValues(file, plan, account.interconnects);
  if (sameBinding(bound, account.binding)) return plan;
  const nameOf = (id: string) => plan.steps.find((step) => step.id === id)?.name;
  throw new CommandFailure(
    `Interconnects have changed since ${file} was made: ${movedWords(bound, account, nameOf)}.`,
    {
      advice: "Plan again, and look at what it says now.",
    },
  );
}

/** What is put back must be what was put there. What is back already is left out. */
function onOwnValues(file: string, plan: Plan, interconnects: readonly Shown[]): Plan {
  const byId = new Map(interconnects.map((one) => [one.id, one]));
  const problems: { message: string; place: string }[] = [];
  const steps = plan.steps.flatMap((step): Step[] => {
    const now = byId.get(step.id);
    if (!now) {
      problems.push({ message: `There is no interconnect ${step.name} (${step.id}) any more`, place: file });
      return [];
    }
    const fields = step.fields.filter(({ path, before, after }) => {
      const field = fieldOf(path);
      const is = now.fields.get(path);
      if (!field || means(field, is, after)) return false;
      if (!means(field, is, before))
        problems.push({ message: `${path} of ${now.name} was changed by somebody else since`, place: file });
      return true;
    });
    return fields.length > 0 ? [{ ...step, name: now.name, fields }] : [];
  });
  if (problems.length === 0) return { ...plan, steps };
  throw new CommandFailure("It cannot be undone as one.", {
    problems,
    advice: `patchbay get --wide shows what is there; ${file} holds what was there before.`,
  });
}
