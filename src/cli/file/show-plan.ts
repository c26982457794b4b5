/** A plan for a terminal, for a pull request and for a program. */

import { printable } from "../../contract/printable.ts";
import { fieldOf, type Value } from "../../file/fields.ts";
import type { FieldStep, Plan } from "../../file/plan.ts";
import { count, padded } from "../printable.ts";
import type { Colors } from "../terminal.ts";
import { valueWords } from "./words.ts";

/** Where a plan is for. */
export interface Destination {
  readonly server: string;
  readonly account: string;
}

function words({ path }: FieldStep, value: Value | undefined): string {
  const field = fieldOf(path);
  return field ? valueWords(field, value) : "";
}

/** A secret that changes is told apart from the one before by a word, not by its value. */
function afterWords(step: FieldStep): string {
  const another =
    fieldOf(step.path)?.secret && step.before !== undefined && step.before !== "" && step.after !== "";
  return another ? "(another secret)" : words(step, step.after);
}

export function summaryOf({ steps, total, named }: Plan): string {
  if (steps.length === 0) return `Nothing to change: ${count(named, "interconnect")} as wanted.`;
  const fields = steps.reduce((sum, step) => sum + step.fields.length, 0);
  return `Plan: ${steps.length} of ${count(total, "interconnect")} to change, ${count(fields, "field")}.`;
}

export function planText(plan: Plan, guards: readonly string[], colors: Colors): string {
  const lines: string[] = [];
  for (const { name, fields } of plan.steps) {
    lines.push(`${colors.yellow("~")} ${colors.bold(printable(name))}`);
    const width = Math.max(...fields.map(({ path }) => path.length)) + 1;
    for (const step of fields) {
      const note = step.place === undefined ? colors.dim("  (follows)") : "";
      const arrow = `${colors.red(words(step, step.before))} → ${colors.green(afterWords(step))}`;
      lines.push(`    ${padded(`${step.path}:`, width)} ${arrow}${note}`);
    }
    lines.push("");
  }
  lines.push(colors.bold(summaryOf(plan)));
  for (const guard of guards) lines.push(`${colors.yellow("Needs --force:")} ${printable(guard)}`);
  return lines.join("\n");
}

export function planMarkdown(
  plan: Plan,
  guards: readonly string[],
  { server, account }: Destination,
): string {
  const lines = [`### ${summaryOf(plan)}`, "", `Account ${code(account)} at ${code(server)}.`, ""];
  if (plan.steps.length > 0) {
    lines.push("| Interconnect | Field | Before | After |", "| --- | --- | --- | --- |");
    for (const { name, fields } of plan.steps) {
      for (const step of fields) {
        const cells = [name, step.path, words(step, step.before), afterWords(step)];
        lines.push(`| ${cells.map(code).join(" | ")} |`);
      }
    }
    lines.push("");
  }
  for (const guard of guards) lines.push(`> **Needs \`--force\`:** ${escaped(guard)}`, "");
  return lines.join("\n").trimEnd();
}

/** In a table's cell a bar ends the cell, also in code; a longer row of backticks holds shorter ones. */
function code(text: string): string {
  const inner = printable(text).replaceAll("|", "\\|");
  const longest = Math.max(0, ...(inner.match(/`+/g) ?? []).map((row) => row.length));
  const fence = "`".repeat(longest + 1);
  const room = inner.startsWith("`") || inner.endsWith("`") ? " " : "";
  return fence + room + inner + room + fence;
}

function escaped(text: string): string {
  return printable(text).replace(/[\\`*_[\]<>|#&]/g, "\\$&");
}

/** Secrets are words here too: what a pipeline prints is kept in its log. */
export function planData(plan: Plan) {
  return plan.steps.map(({ id, name, fields }) => ({
    id,
    name,
    fields: Object.fromEntries(
      fields.map((step) => {
        const secret = fieldOf(step.path)?.secret === true;
        const before = secret ? words(step, step.before) : (step.before ?? null);
        return [step.path, { before, after: secret ? afterWords(step) : step.after }];
      }),
    ),
  }));
}

export function planJson(plan: Plan, guards: readonly string[], { server, account }: Destination) {
  const fields = plan.steps.reduce((sum, step) => sum + step.fields.length, 0);
  const summary = { interconnects: plan.total, named: plan.named, changed: plan.steps.length, fields };
  return { success: true, server, account, summary, guards, changes: planData(plan) };
}
