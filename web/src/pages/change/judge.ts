/** What is wrong with a plan, by the rules that the server itself goes by, and where in it. */

import { decide } from "../../../../src/account/decide.ts";
import { updateInterconnects } from "../../../../src/account/interconnect-update.ts";
import type { ResponseInfo } from "../../../../src/contract/envelope.ts";
import { entryOf, errorTable } from "../../../../src/contract/errors.ts";
import { type Plan, updateOf } from "../../../../src/file/plan.ts";
import type { Basis } from "./basis.ts";

/** One thing that is wrong, in a sentence, and what to do about it. */
export interface Trouble {
  readonly code: number;
  readonly message: string;
  readonly todo: string;
  /** Of which interconnect; none if it is of the change as a whole. */
  readonly id: string | undefined;
  /** Of which field; none if it is of the interconnect as a whole. */
  readonly path: string | undefined;
}

const nobody = { type: "system", id: "", name: "" } as const;

/** The body that says a plan. */
export const bodyOf = (plan: Plan) => ({ interconnects: plan.steps.map(updateOf) });

/** Judged here, with what is known of the account. */
export function judge(plan: Plan, basis: Basis): readonly Trouble[] {
  const { interconnects: elements } = bodyOf(plan);
  const command = updateInterconnects(
    {
      elements,
      pointerOf: (index) => `/interconnects/${index}`,
      condition: () => undefined,
      form: "object",
    },
    { time: "", actor: nobody, requestId: "" },
  );
  const decision = decide(basis.state(), command);
  if (decision.ok) return [];
  const known = decision.problems.filter(
    // Of the account's IPv6 space nothing is known without its settings; that two overlap is.
    ({ name, pointer }) =>
      basis.whole || name === "address_overlap" || !pointer?.endsWith("/interface_address6"),
  );
  return known.map(({ name, message, pointer }) => {
    const { code } = entryOf(name);
    return { ...sayOf(code, message), ...placeOf(plan, pointer) };
  });
}

/** What the server answered. */
export function troublesOf(plan: Plan, errors: readonly ResponseInfo[]): readonly Trouble[] {
  return errors.map(({ code, message, source }) => ({
    ...sayOf(code, message),
    ...placeOf(plan, source?.pointer),
  }));
}

/** Of these the sentence says all; what is to be done is said for programs. */
const PLAIN: ReadonlySet<number> = new Set([errorTable.invalid_value.code, errorTable.invalid_request.code]);

function sayOf(code: number, message: string): Pick<Trouble, "code" | "message" | "todo"> {
  const entry = Object.values(errorTable).find((one) => one.code === code);
  const sentence = message.replace(/^Invalid Request: /, "").replace(/[^.!?]$/, "$&.");
  return { code, message: sentence, todo: PLAIN.has(code) ? "" : (entry?.todo ?? "") };
}

/** `/interconnects/3/health_check/target/saved` is a field of the plan's fourth step. */
function placeOf({ steps }: Plan, pointer: string | undefined): Pick<Trouble, "id" | "path"> {
  const [, index, rest = ""] = /^\/interconnects\/(\d+)(?:\/(.*))?$/.exec(pointer ?? "") ?? [];
  const step = index === undefined ? undefined : steps[Number(index)];
  if (!step) return { id: undefined, path: undefined };
  const path = rest.replaceAll("/", ".");
  const asked = step.fields.map((field) => field.path);
  const found =
    asked.find((one) => path === one || path.startsWith(`${one}.`)) ??
    // What is said of an object is told at what was changed of it.
    (path === "" ? undefined : asked.find((one) => one.startsWith(`${path}.`)));
  return { id: step.id, path: found };
}

export function troublesAt(
  troubles: readonly Trouble[],
  id: string,
  path: string | undefined,
): readonly Trouble[] {
  return troubles.filter((one) => one.id === id && one.path === path);
}
