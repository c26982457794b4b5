/** The four Magic interconnect operations. */

import { setImmediate } from "node:timers/promises";
import type { Circumstances, Decision } from "../../account/decide.ts";
import { interconnectKind } from "../../account/interconnect.ts";
import {
  type Condition,
  updateInterconnect,
  updateInterconnects,
} from "../../account/interconnect-update.ts";
import type { TargetForm } from "../../account/interconnect-view.ts";
import type { ResponseInfo } from "../../contract/envelope.ts";
import { Problems, problem } from "../../contract/errors.ts";
import { MOST_ELEMENTS } from "../../contract/interconnect.ts";
import { escapePointer } from "../../contract/json.ts";
import { didYouMean } from "../../contract/similar.ts";
import { type Call, type Routes, readBody, readFlag } from "../call.ts";
import { etag, judgeReading, readPrecondition } from "../conditional.ts";
import type { AppContext } from "../context.ts";
import { answerInterconnect, assemble, encodeInterconnect } from "../encode.ts";
import { wrap } from "../envelope.ts";
import { Refusal, refuse } from "../refusal.ts";

const kind = interconnectKind.name;
const END = '],"modified":';

/** More results than this are encoded in a turn of their own. */
const MANY = 500;

export function addInterconnectRoutes(routes: Routes, { clock }: AppContext): void {
  routes.account("listInterconnects", (call) => {
    const form = targetForm(call);
    const { state } = call.account;
    const tag = etag(state.epoch, state.collectionRevision(kind));
    const unchanged = judgeReading(call.request.headers, tag);
    if (unchanged) return unchanged;
    const interconnects = state.list(kind).map((entry) => encodeInterconnect(entry, form));
    const body = assemble(
      '{"result":{"interconnects":[',
      interconnects,
      ']},"success":true,"errors":[],"messages":[]}',
    );
    return { status: 200, body, headers: { etag: tag } };
  });

  routes.account("getInterconnect", (call) => {
    const form = targetForm(call);
    const { state } = call.account;
    const id = call.params["cf_interconnect_id"] ?? "";
    const entry = state.get(kind, id);
    if (!entry) {
      const holder = state.holder(`tunnel-name:${id}`);
      throw refuse("interconnect_not_found", {
        id,
        hint: holder ? ` That is the name of ${holder.id}.` : "",
      });
    }
    const tag = etag(state.epoch, entry.revision);
    return judgeReading(call.request.headers, tag) ?? answerInterconnect(entry, form, tag);
  });

  routes.account("updateInterconnect", async (call) => {
    const form = targetForm(call);
    const dry = readFlag(call.query, "validate_only");
    const condition = judgeWriting(call);
    const update = await readBody(call.request);
    const id = call.params["cf_interconnect_id"] ?? "";
    const command = updateInterconnect({ id, update, form, condition }, circumstances(call));
    const { results, change } = granted(await call.account.submit(command, dry));
    const [entry] = results;
    if (!entry) throw new Error("An accepted update has no result.");
    const result = `{"modified":true,"modified_interconnect":${encodeInterconnect(entry, form)}}`;
    const unpersisted = dry && change !== undefined;
    const headers = unpersisted ? {} : { etag: etag(call.account.state.epoch, entry.revision) };
    return { status: 200, body: wrap(result, messages(dry)), headers };
  });

  routes.account("updateInterconnects", async (call) => {
    const form = targetForm(call);
    const dry = readFlag(call.query, "validate_only");
    const condition = judgeWriting(call);
    const { elements, pointerOf } = readElements(await readBody(call.request));
    const command = updateInterconnects({ elements, pointerOf, form, condition }, circumstances(call));
    const { results, change } = granted(await call.account.submit(command, dry));
    const interconnects: string[] = [];
    for (const entry of results) {
      interconnects.push(encodeInterconnect(entry, form));
      if (interconnects.length % MANY === 0) await setImmediate();
    }
    const end = `${END}${elements.length > 0}},"success":true,"errors":[],"messages":${JSON.stringify(messages(dry))}}`;
    const body = assemble('{"result":{"modified_interconnects":[', interconnects, end);
    const headers = change && !dry ? { etag: etag(call.account.state.epoch, change.record.revision) } : {};
    return { status: 200, body, headers };
  });

  function circumstances(call: Call): Circumstances {
    return { time: clock.timestamp(), actor: call.principal.actor, requestId: call.requestId };
  }
}

function targetForm({ request }: Call): TargetForm {
  const given = request.headers["x-magic-new-hc-target"];
  if (given === undefined || given === "false") return "text";
  if (given === "true") return "object";
  const values = { name: "x-magic-new-hc-target", given: JSON.stringify(given), expected: "true or false" };
  throw refuse("invalid_header", values);
}

/** The condition of a write, judged with the decision: on the object, or else on the collection. */
function judgeWriting({ request }: Call): Condition {
  const precondition = readPrecondition(request.headers, false);
  if (!precondition) return () => undefined;
  return (state, slot) => {
    const revision = slot ? slot.entry?.revision : state.newestCollectionRevision(kind);
    const verdict = precondition(etag(state.epoch, revision ?? 0));
    return verdict === "not-modified" ? undefined : verdict;
  };
}

function granted(decision: Decision): Extract<Decision, { ok: true }> {
  if (!decision.ok) throw new Refusal(decision.problems);
  return decision;
}

function messages(dry: boolean): ResponseInfo[] {
  return dry ? [{ code: 990900, message: "validate_only: the request is valid; nothing was changed" }] : [];
}

interface Elements {
  readonly elements: readonly unknown[];
  readonly pointerOf: (index: number) => string;
}

/** The elements of a bulk update: wrapped, as a bare list, or one bare element. */
function readElements(body: unknown): Elements {
  if (Array.isArray(body)) return bounded(body, "");
  if (typeof body !== "object" || body === null) {
    const detail = 'the body must be an object such as {"interconnects": [{"id": "…"}]}';
    throw refuse("invalid_request", { detail }, "");
  }
  if (Object.hasOwn(body, "id")) return { elements: [body], pointerOf: () => "" };
  const problems = new Problems();
  for (const field of Object.keys(body)) {
    if (field === "interconnects") continue;
    const hint = () => didYouMean(field, ["interconnects", "id"]);
    problems.add("unknown_field", () => ({ field, hint: hint() }), `/${escapePointer(field)}`);
  }
  if (problems.found) throw new Refusal(problems.list());
  const list: unknown =
    Reflect.get(body, "interconnects") ?? (Object.hasOwn(body, "interconnects") ? null : []);
  if (list === null) throw new Refusal([problem("null_not_permitted", { type: "array" }, "/interconnects")]);
  if (Array.isArray(list)) return bounded(list, "/interconnects");
  throw refuse(
    "invalid_request",
    { detail: `interconnects must be an array, not a ${typeof list}` },
    "/interconnects",
  );
}

function bounded(elements: readonly unknown[], pointer: string): Elements {
  if (elements.length > MOST_ELEMENTS) {
    throw refuse("too_many_elements", { count: elements.length, most: MOST_ELEMENTS }, pointer);
  }
  return { elements, pointerOf: (index) => `${pointer}/${index}` };
}
