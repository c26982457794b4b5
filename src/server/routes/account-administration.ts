/** What administrators do to an account: its settings, and interconnects that no CNI makes. */

import { interconnectKind } from "../../account/interconnect.ts";
import { createInterconnect, deleteInterconnect } from "../../account/interconnect-making.ts";
import {
  durableSettings,
  SETTINGS_ID,
  type SettingsDoc,
  settingsKind,
  settingsView,
} from "../../account/settings.ts";
import { updateSettings } from "../../account/settings-update.ts";
import type { Entry } from "../../account/state.ts";
import type { Routes } from "../call.ts";
import { etag } from "../conditional.ts";
import type { AppContext } from "../context.ts";
import { encodeInterconnect } from "../encode.ts";
import { wrap } from "../envelope.ts";
import { readBody } from "../read-request.ts";
import { circumstances, granted, judgeWriting, messagesOf } from "../writing.ts";
import { enveloped, told } from "./cni/listing.ts";

export function addAccountAdministration(routes: Routes, { clock, newId }: AppContext): void {
  routes.account("getAccountSettings", (call) => {
    const { state } = call.account;
    const revision = state.get(settingsKind.name, SETTINGS_ID)?.revision ?? 0;
    return told(call, revision, () => enveloped(settingsView(durableSettings(state))));
  });

  routes.account("updateAccountSettings", async (call) => {
    const condition = judgeWriting(call, settingsKind.name);
    const command = updateSettings(await readBody(call.request), condition, circumstances(call, clock));
    const [entry] = granted(await call.submit(command)).results;
    if (!entry) throw new Error("An accepted update has no result.");
    const body = wrap(JSON.stringify(settingsView(entry.doc as SettingsDoc)), messagesOf(call));
    return { status: 200, body, headers: { etag: etag(call.account.state.epoch, entry.revision) } };
  });

  routes.account("createInterconnect", async (call) => {
    const condition = judgeWriting(call, interconnectKind.name);
    const body = await readBody(call.request);
    const command = createInterconnect(body, condition, newId, circumstances(call, clock));
    const [entry] = granted(await call.submit(command)).results;
    if (!entry) throw new Error("An accepted create has no result.");
    const headers = { etag: etag(call.account.state.epoch, entry.revision) };
    return { status: 200, body: wrap(show(entry), messagesOf(call)), headers };
  });

  routes.account("deleteInterconnect", async (call) => {
    const id = call.params["cf_interconnect_id"] ?? "";
    const condition = judgeWriting(call, interconnectKind.name);
    const command = deleteInterconnect(id, condition, circumstances(call, clock));
    const [entry] = granted(await call.submit(command)).removed;
    if (!entry) throw new Error("An accepted removal has no result.");
    return { status: 200, body: wrap(show(entry), messagesOf(call)) };
  });
}

function show(entry: Entry): string {
  return encodeInterconnect(entry, "text");
}
