/** What operations that change objects share: elements of a body, conditions, decisions, dry runs. */

import type { Circumstances, Decision } from "../account/decide.ts";
import type { Asked, Condition } from "../account/elements.ts";
import { unmapped } from "../contract/addresses.ts";
import type { ResponseInfo } from "../contract/envelope.ts";
import { Problems, problem } from "../contract/errors.ts";
import { MOST_ELEMENTS } from "../contract/interconnect.ts";
import { escapePointer } from "../contract/json.ts";
import { didYouMean } from "../contract/similar.ts";
import type { Call, ServerCall } from "./call.ts";
import type { Clock } from "./clock.ts";
import { etag, readPrecondition } from "./conditional.ts";
import { readFlag } from "./read-request.ts";
import { Refusal, refuse } from "./refusal.ts";
import { readIntent } from "./submitting.ts";

export function circumstances(call: ServerCall, clock: Clock): Circumstances {
  const { principal, requestId, asking } = call;
  return {
    time: clock.timestamp(),
    actor: principal.actor,
    requestId,
    address: unmapped(asking.address),
    ...readIntent(call.request, clock),
  };
}

/** Is the request only to be judged? */
export function isDry(call: Call): boolean {
  return readFlag(call.query, "validate_only");
}

/** What an answer to a dry run says besides. */
function dryMessages(dry: boolean): ResponseInfo[] {
  return dry ? [{ code: 990900, message: "validate_only: the request is valid; nothing was changed" }] : [];
}

/** What an answer to a write says besides. */
export function messagesOf({ request }: Call, dry = false): ResponseInfo[] {
  if (request.watched !== 0) return dryMessages(dry);
  const message =
    "The change touches no interconnect that a provider edge reported healthy: health decides nothing about it, and it waits for its confirmation alone.";
  return [...dryMessages(dry), { code: 990912, message }];
}

/** The condition of a write, judged with the decision: on the object, or else on all of its kind. */
export function judgeWriting({ request }: ServerCall, kind: string): Condition {
  const precondition = readPrecondition(request.headers, false);
  if (!precondition) return () => undefined;
  return (state, slot) => {
    const revision = slot ? slot.entry?.revision : state.newestCollectionRevision(kind);
    const verdict = precondition(etag(state.epoch, revision ?? 0));
    return verdict === "not-modified" ? undefined : verdict;
  };
}

/** An accepted decision. Throws the refusal of another. */
export function granted(decision: Decision): Extract<Decision, { ok: true }> {
  if (!decision.ok) throw new Refusal(decision.problems);
  return decision;
}

export type Elements = Omit<Asked, "condition">;

/** What the elements of a body are called: its member, and the vendor's word for one of them. */
export interface Naming {
  readonly member: string;
  readonly what: string;
}

/** The elements of a bulk update: wrapped, as a bare list, or one bare element. */
export function readElements(body: unknown, naming: Naming): Elements {
  if (Array.isArray(body)) return bounded(body, "");
  if (typeof body !== "object" || body === null) {
    const detail = `the body must be an object such as {"${naming.member}": [{"id": "…"}]}`;
    throw refuse("invalid_request", { detail }, "");
  }
  if (Object.hasOwn(body, "id")) return { elements: [body], pointerOf: () => "" };
  return readWrapped(body, naming);
}

/** The elements of a body that wraps them. */
export function readWrapped(body: object, { member, what }: Naming): Elements {
  const problems = new Problems();
  for (const field of Object.keys(body)) {
    if (field === member) continue;
    const hint = () => didYouMean(field, [member, "id"]);
    problems.add("unknown_field", () => ({ field, hint: hint() }), `/${escapePointer(field)}`);
  }
  if (problems.found) throw new Refusal(problems.list());
  const list: unknown = Reflect.get(body, member) ?? (Object.hasOwn(body, member) ? null : []);
  const at = `/${member}`;
  if (list === null) throw new Refusal([problem("null_not_permitted", { type: "array", what }, at)]);
  if (Array.isArray(list)) return bounded(list, at);
  throw refuse("invalid_request", { detail: `${member} must be an array, not a ${typeof list}` }, at);
}

function bounded(elements: readonly unknown[], pointer: string): Elements {
  if (elements.length > MOST_ELEMENTS) {
    throw refuse("too_many_elements", { count: elements.length, most: MOST_ELEMENTS }, pointer);
  }
  return { elements, pointerOf: (index) => `${pointer}/${index}` };
}
