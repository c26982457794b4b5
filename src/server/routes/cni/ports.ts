/** Ports, which the vendor's CNI API calls interconnects: taken, given back, and their letters. */

import { createPort, deletePort, portDocOf, portKind, portView } from "../../../account/cni/port.ts";
import { type SlotDoc, slotDocOf, slotKind } from "../../../account/cni/slot.ts";
import { accountKind } from "../../../account/directory.ts";
import { portStatus } from "../../../account/health/port-status.ts";
import type { Entry, State } from "../../../account/state.ts";
import { show } from "../../../contract/check.ts";
import { hashSecret } from "../../../store/secrets.ts";
import type { Call, Routes } from "../../call.ts";
import { etag } from "../../conditional.ts";
import type { AppContext } from "../../context.ts";
import type { Letter } from "../../letter.ts";
import { readBody } from "../../read-request.ts";
import { refuse } from "../../refusal.ts";
import { circumstances, granted, judgeWriting } from "../../writing.ts";
import { Filters, told } from "./listing.ts";

const kind = portKind.name;

/** The most characters of a customer's name. */
const LONGEST_NAME = 200;

export function addPortRoutes(routes: Routes, { accounts, clock, health, newId }: AppContext): void {
  routes.account("listCniInterconnects", (call) => {
    const { state } = call.account;
    // What a direct one shows is its slot's, so it moves with that.
    const revision = Math.max(state.collectionRevision(kind), state.collectionRevision(slotKind.name));
    return told(call, revision, () => {
      const filters = new Filters(call);
      const matching = state
        .list(kind)
        .filter(
          (entry) =>
            filters.is("type", portDocOf(entry).type) && filters.is("site", slotOf(state, entry)?.site),
        );
      const { items, next } = filters.page(matching);
      return { items: items.map((entry) => showPort(state, entry)), next };
    });
  });

  routes.account("createCniInterconnect", async (call) => {
    const condition = judgeWriting(call, kind);
    const body = await readBody(call.request);
    const sources = { newId, hash: hashSecret };
    const command = createPort(body, condition, sources, circumstances(call, clock));
    const [port, slot] = granted(await call.submit(command)).results;
    if (!port) throw new Error("An accepted create has no result.");
    const { state } = call.account;
    const view = portView(port.id, portDocOf(port), slot && slotDocOf(slot), state.id);
    return { status: 200, body: JSON.stringify(view), headers: { etag: etag(state.epoch, port.revision) } };
  });

  routes.account("getCniInterconnect", (call) => {
    const port = find(call);
    const { state } = call.account;
    return told(call, revisionOf(state, port), () => showPort(state, port));
  });

  routes.account("deleteCniInterconnect", async (call) => {
    const command = deletePort(
      call.params["icon"] ?? "",
      judgeWriting(call, kind),
      circumstances(call, clock),
    );
    granted(await call.submit(command));
    return { status: 200, body: "" };
  });

  routes.account("getCniInterconnectStatus", async (call) => {
    const port = find(call);
    const { state } = call.account;
    const status = portStatus(state, port, await health.edges(state.id), clock.now());
    return { status: 200, body: JSON.stringify(status) };
  });

  routes.account("getCniInterconnectLoaDefault", (call) => {
    findDirect(call);
    return { status: 200, body: JSON.stringify({ name: customerOf(call) }) };
  });

  routes.account("getCniInterconnectLoa", async (call) => {
    const port = findDirect(call);
    const letter = { ...port, customer: customerName(call) ?? customerOf(call), date: clock.now() };
    // Loaded when the first letter is asked for: few servers write any.
    const { findUnprintable, writeLetter } = await import("../../letter.ts");
    const unprintable = findUnprintable(letter);
    if (unprintable) throw refuse("unprintable", { ...unprintable, given: show(unprintable.given) });
    const body = Buffer.from(await writeLetter(letter));
    const headers = {
      "content-type": "application/pdf",
      "content-disposition": `inline; filename="loa-${port.id}.pdf"`,
    };
    return { status: 200, body, headers };
  });

  /** The account's own name. */
  function customerOf({ account }: Call): string {
    return String(accounts.directory.state.get(accountKind.name, account.state.id)?.doc["name"] ?? "");
  }
}

/** The name that the letter is asked to have. */
function customerName({ query }: Call): string | undefined {
  const name = query["name"];
  if (name === undefined || name === "") return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (name.length <= LONGEST_NAME && !/[\u0000-\u001f\u007f]/.test(name) && name.trim() !== "")
    return name.trim();
  const expected = `one line of 1 to ${LONGEST_NAME} characters`;
  throw refuse("invalid_query", { name: "name", given: JSON.stringify(name), expected });
}

function find(call: Call): Entry {
  const id = call.params["icon"] ?? "";
  const port = call.account.state.get(kind, id);
  if (!port) throw refuse("port_not_found", { id });
  return port;
}

/** A port that has a cross-connect, for its letter. */
function findDirect(call: Call): Omit<Letter, "customer" | "date"> {
  const port = find(call);
  const doc = portDocOf(port);
  const { state } = call.account;
  const slot = slotOf(state, port);
  if (doc.type !== "direct" || !slot) throw refuse("no_letter", { id: port.id });
  return { id: port.id, account: state.id, slotId: doc.slot_id, slot };
}

function slotOf(state: State, port: Entry): SlotDoc | undefined {
  const slot = slotEntryOf(state, port);
  return slot && slotDocOf(slot);
}

function slotEntryOf(state: State, port: Entry): Entry | undefined {
  const doc = portDocOf(port);
  return doc.type === "direct" ? state.get(slotKind.name, doc.slot_id) : undefined;
}

/** A port shows what its slot is, so it changes with either. */
function revisionOf(state: State, port: Entry): number {
  return Math.max(port.revision, slotEntryOf(state, port)?.revision ?? 0);
}

function showPort(state: State, port: Entry) {
  return portView(port.id, portDocOf(port), slotOf(state, port), state.id);
}
