/** Slots: as the vendor's API shows them, and as administrators make them. */

import {
  administeredSlotView,
  createSlot,
  deleteSlot,
  type SlotDoc,
  slotDocOf,
  slotId,
  slotKind,
  slotView,
  updateSlot,
} from "../../../account/cni/slot.ts";
import type { Entry } from "../../../account/state.ts";
import type { Call, Routes } from "../../call.ts";
import { etag } from "../../conditional.ts";
import type { AppContext } from "../../context.ts";
import { type Answer, wrap } from "../../envelope.ts";
import { readBody } from "../../read-request.ts";
import { refuse } from "../../refusal.ts";
import { circumstances, granted, judgeWriting, messagesOf } from "../../writing.ts";
import { enveloped, Filters, told } from "./listing.ts";

const kind = slotKind.name;

export function addSlotRoutes(routes: Routes, { clock, newId }: AppContext): void {
  routes.account("listCniSlots", (call) => {
    const { state } = call.account;
    return told(call, state.collectionRevision(kind), () => {
      const filters = new Filters(call);
      const { items, next } = filters.page(
        state.list(kind).filter((entry) => matches(slotDocOf(entry), filters)),
      );
      return { items: items.map((entry) => slotView(entry.id, slotDocOf(entry), state.id)), next };
    });
  });

  routes.account("getCniSlot", (call) => {
    const slot = find(call);
    return told(call, slot.revision, () => slotView(slot.id, slotDocOf(slot), call.account.state.id));
  });

  routes.account("listSlots", (call) => {
    const { state } = call.account;
    const shown = () => state.list(kind).map((entry) => show(call, entry));
    return told(call, state.collectionRevision(kind), () => enveloped(shown()));
  });

  routes.account("getSlot", (call) => {
    const slot = find(call);
    return told(call, slot.revision, () => enveloped(show(call, slot)));
  });

  routes.account("createSlot", async (call) => {
    const condition = judgeWriting(call, kind);
    const body = await readBody(call.request);
    const command = createSlot(body, condition, newId, circumstances(call, clock));
    return written(call, granted(await call.submit(command)).results);
  });

  routes.account("updateSlot", async (call) => {
    const condition = judgeWriting(call, kind);
    const body = await readBody(call.request);
    const command = updateSlot(idOf(call), body, condition, circumstances(call, clock));
    return written(call, granted(await call.submit(command)).results);
  });

  routes.account("deleteSlot", async (call) => {
    const command = deleteSlot(idOf(call), judgeWriting(call, kind), circumstances(call, clock));
    const [slot] = granted(await call.submit(command)).removed;
    if (!slot) throw new Error("An accepted removal has no result.");
    return { status: 200, body: wrap(JSON.stringify(show(call, slot)), messagesOf(call)) };
  });
}

function matches(slot: SlotDoc, filters: Filters): boolean {
  const occupied = filters.flag("occupied");
  return (
    filters.is("site", slot.site) &&
    filters.is("speed", slot.speed) &&
    filters.isIn("address_contains", slot.facility.address) &&
    (occupied === undefined || occupied === (slot.port !== undefined))
  );
}

function idOf(call: Call): string {
  return slotId(call.params["slot"] ?? "");
}

function find(call: Call): Entry {
  const id = idOf(call);
  const slot = call.account.state.get(kind, id);
  if (!slot) throw refuse("slot_not_found", { id });
  return slot;
}

function show(call: Call, { id, doc }: Entry) {
  return administeredSlotView(id, doc, call.account.state.id);
}

function written(call: Call, [slot]: readonly Entry[]): Answer {
  if (!slot) throw new Error("An accepted write has no result.");
  const headers = { etag: etag(call.account.state.epoch, slot.revision) };
  return { status: 200, body: wrap(JSON.stringify(show(call, slot)), messagesOf(call)), headers };
}
