/** CNIs, which are the other view of Magic interconnects, and their settings. */

import {
  cniEntry,
  cniNotFound,
  cniView,
  createCni,
  deleteCni,
  isCni,
  updateCni,
} from "../../../account/cni/cni.ts";
import { portDocOf, portKind } from "../../../account/cni/port.ts";
import {
  CNI_SETTINGS_ID,
  cniSettingsKind,
  durableCniSettings,
  updateCniSettings,
} from "../../../account/cni/settings.ts";
import { slotId } from "../../../account/cni/slot.ts";
import { interconnectKind } from "../../../account/interconnect.ts";
import type { Entry, State } from "../../../account/state.ts";
import { digitsOf } from "../../../contract/uuid.ts";
import type { Call, Routes } from "../../call.ts";
import { etag } from "../../conditional.ts";
import type { AppContext } from "../../context.ts";
import type { Answer } from "../../envelope.ts";
import { readBody } from "../../read-request.ts";
import { Refusal } from "../../refusal.ts";
import { circumstances, granted, judgeWriting } from "../../writing.ts";
import { Filters, told } from "./listing.ts";

const kind = interconnectKind.name;

export function addCniRoutes(routes: Routes, { clock, newId }: AppContext): void {
  routes.account("listCnis", (call) => {
    const { state } = call.account;
    return told(call, state.collectionRevision(kind), () => {
      const filters = new Filters(call);
      const matches = matching(state, filters);
      const { items, next } = filters.page(state.list(kind).filter(matches));
      return { items: items.map((entry) => show(state, entry)), next };
    });
  });

  routes.account("getCni", (call) => {
    const { state } = call.account;
    const entry = cniEntry(state, idOf(call));
    if (!entry) throw new Refusal([cniNotFound(state, idOf(call))]);
    return told(call, entry.revision, () => show(state, entry));
  });

  routes.account("createCni", async (call) => {
    const condition = judgeWriting(call, kind);
    const body = await readBody(call.request);
    const command = createCni(body, condition, newId, circumstances(call, clock));
    return written(call, granted(await call.submit(command)).results);
  });

  routes.account("updateCni", async (call) => {
    const condition = judgeWriting(call, kind);
    const body = await readBody(call.request);
    const command = updateCni(idOf(call), body, condition, circumstances(call, clock));
    return written(call, granted(await call.submit(command)).results);
  });

  routes.account("deleteCni", async (call) => {
    const command = deleteCni(idOf(call), judgeWriting(call, kind), circumstances(call, clock));
    granted(await call.submit(command));
    return { status: 200, body: "" };
  });

  routes.account("getCniSettings", (call) => {
    const { state } = call.account;
    return told(call, settingsRevision(state), () => durableCniSettings(state));
  });

  routes.account("updateCniSettings", async (call) => {
    const condition = judgeWriting(call, cniSettingsKind.name);
    const body = await readBody(call.request);
    const command = updateCniSettings(body, condition, circumstances(call, clock));
    const [entry] = granted(await call.submit(command)).results;
    const { state } = call.account;
    const settings = entry ? entry.doc : durableCniSettings(state);
    const revision = entry?.revision ?? settingsRevision(state);
    return { status: 200, body: JSON.stringify(settings), headers: { etag: etag(state.epoch, revision) } };
  });
}

function settingsRevision(state: State): number {
  return state.get(cniSettingsKind.name, CNI_SETTINGS_ID)?.revision ?? 0;
}

/** `slot` is that of the CNI's port; `tunnel_id` is the interconnect's, with or without dashes. */
function matching(state: State, filters: Filters): (entry: Entry) => boolean {
  const slot = filters.text("slot");
  const tunnel = filters.text("tunnel_id");
  const wanted = { slot: slot && slotId(slot), tunnel: tunnel && (digitsOf(tunnel) ?? tunnel) };
  return ({ id, doc }) => {
    if (!isCni(doc)) return false;
    if (wanted.tunnel !== undefined && wanted.tunnel !== id) return false;
    if (wanted.slot === undefined) return true;
    const port = state.get(portKind.name, doc.cni.port);
    const on = port && portDocOf(port);
    return on?.type === "direct" && on.slot_id === wanted.slot;
  };
}

function idOf(call: Call): string {
  return call.params["cni"] ?? "";
}

function show(state: State, { id, doc }: Entry) {
  if (!isCni(doc)) throw new Error(`The interconnect ${id} is no CNI.`);
  return cniView(id, doc, state.id);
}

function written(call: Call, [entry]: readonly Entry[]): Answer {
  if (!entry) throw new Error("An accepted write has no result.");
  const { state } = call.account;
  const headers = { etag: etag(state.epoch, entry.revision) };
  return { status: 200, body: JSON.stringify(show(state, entry)), headers };
}
