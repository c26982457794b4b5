/** The four Magic interconnect operations. */

import { interconnectKind } from "../../account/interconnect.ts";
import { updateInterconnect, updateInterconnects } from "../../account/interconnect-update.ts";
import type { TargetForm } from "../../account/interconnect-view.ts";
import type { Entry } from "../../account/state.ts";
import type { Call, Routes } from "../call.ts";
import { etag, judgeReading } from "../conditional.ts";
import type { AppContext } from "../context.ts";
import { answerInterconnect, assemble, encodeInterconnect } from "../encode.ts";
import { wrap } from "../envelope.ts";
import { readBody } from "../read-request.ts";
import { refuse } from "../refusal.ts";
import {
  circumstances,
  granted,
  isDry,
  judgeWriting,
  messagesOf,
  type Naming,
  readElements,
} from "../writing.ts";

const kind = interconnectKind.name;
const naming: Naming = { member: "interconnects", what: "Interconnect" };
const END = '],"modified":';

export function addInterconnectRoutes(routes: Routes, { clock }: AppContext): void {
  routes.account("listInterconnects", async (call) => {
    const form = targetForm(call);
    const { state } = call.account;
    const tag = etag(state.epoch, state.collectionRevision(kind));
    const unchanged = judgeReading(call.request.headers, tag);
    if (unchanged) return unchanged;
    const interconnects = encode(state.list(kind), form);
    const body = await assemble(
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
    const dry = isDry(call);
    const condition = judgeWriting(call, kind);
    const update = await readBody(call.request);
    const id = call.params["cf_interconnect_id"] ?? "";
    const command = updateInterconnect({ id, update, form, condition }, circumstances(call, clock));
    const { results, change } = granted(await call.submit(command, dry));
    const [entry] = results;
    if (!entry) throw new Error("An accepted update has no result.");
    const result = `{"modified":true,"modified_interconnect":${encodeInterconnect(entry, form)}}`;
    const unpersisted = dry && change !== undefined;
    const headers = unpersisted ? {} : { etag: etag(call.account.state.epoch, entry.revision) };
    return { status: 200, body: wrap(result, messagesOf(call, dry)), headers };
  });

  routes.account("updateInterconnects", async (call) => {
    const form = targetForm(call);
    const dry = isDry(call);
    const condition = judgeWriting(call, kind);
    const { elements, pointerOf } = readElements(await readBody(call.request), naming);
    const command = updateInterconnects({ elements, pointerOf, form, condition }, circumstances(call, clock));
    const { results, change } = granted(await call.submit(command, dry));
    const end = `${END}${elements.length > 0}},"success":true,"errors":[],"messages":${JSON.stringify(messagesOf(call, dry))}}`;
    const body = await assemble('{"result":{"modified_interconnects":[', encode(results, form), end);
    const headers = change && !dry ? { etag: etag(call.account.state.epoch, change.record.revision) } : {};
    return { status: 200, body, headers };
  });
}

function encode(entries: readonly Entry[], form: TargetForm): Iterable<string> {
  return entries.values().map((entry) => encodeInterconnect(entry, form));
}

function targetForm({ request }: Call): TargetForm {
  const given = request.headers["x-magic-new-hc-target"];
  if (given === undefined || given === "false") return "text";
  if (given === "true") return "object";
  const values = { name: "x-magic-new-hc-target", given: JSON.stringify(given), expected: "true or false" };
  throw refuse("invalid_header", values);
}
