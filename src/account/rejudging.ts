/** What today's rules have against values that an undo brings back, by kind of object. Nobody is refused by it. */

import type { Problems } from "../contract/errors.ts";
import type { InterconnectUpdate } from "../contract/interconnect.ts";
import { type InterconnectDoc, interconnectKind } from "./interconnect.ts";
import { mergeInterconnect } from "./interconnect-merge.ts";
import { settingsOf } from "./settings.ts";
import type { Doc, Slot, State } from "./state.ts";
import { mergeStaticRoute, type StaticRouteDoc, staticRouteKind } from "./static-route.ts";

/** An object as it is, if it is there, and as it comes back. */
export interface Return {
  readonly slot: Slot;
  readonly is: Doc | undefined;
  readonly comes: Doc;
}

export interface Surroundings {
  readonly state: State;
  /** Who holds a claim once all is back. */
  readonly holder: (claim: string) => { kind: string; id: string; doc: Doc } | undefined;
  readonly problems: Problems;
}

type Rejudge = (back: Return, around: Surroundings) => void;

/** As an update would be judged that sets what comes back. BGP settings are not looked at. */
const rejudgeInterconnect: Rejudge = ({ slot, is, comes }, { state, problems }) => {
  const doc = comes as InterconnectDoc;
  const stored = is ? (is as InterconnectDoc) : unwritten(doc);
  const { name, mtu, interface_address, interface_address6, automatic_return_routing, gre, health_check } =
    doc;
  const update: InterconnectUpdate = {
    name,
    mtu,
    interface_address,
    automatic_return_routing,
    health_check: { target: health_check.target ?? "" },
    ...(interface_address6 === undefined ? {} : { interface_address6 }),
    ...(gre === undefined ? {} : { gre }),
  };
  mergeInterconnect(slot.id, stored, update, { settings: settingsOf(state), problems, pointer: "" });
};

/** The document before anything of it was judged. */
function unwritten(doc: InterconnectDoc): InterconnectDoc {
  const { interface_address6: _, gre: __, ...rest } = doc;
  return {
    ...rest,
    name: "",
    interface_address: "",
    mtu: 0,
    automatic_return_routing: false,
    health_check: { ...doc.health_check, target: "" },
  };
}

const rejudgeRoute: Rejudge = ({ is, comes }, { holder, problems }) => {
  const { prefix, nexthop, priority } = comes as StaticRouteDoc;
  const stored = is ? (is as StaticRouteDoc) : {};
  mergeStaticRoute(stored, { prefix, nexthop, priority }, { findTunnel: holder, problems, pointer: "" });
};

export const rejudges: ReadonlyMap<string, Rejudge> = new Map([
  [interconnectKind.name, rejudgeInterconnect],
  [staticRouteKind.name, rejudgeRoute],
]);
