/** The account as a change is made on it, in the form that the server's own rules judge. */

import {
  derivesBgpEndpoints,
  type InterconnectDoc,
  interconnectKind,
} from "../../../../src/account/interconnect.ts";
import type { PendingDoc } from "../../../../src/account/pending.ts";
import { SETTINGS_ID, type SettingsDoc, settingsKind } from "../../../../src/account/settings.ts";
import { type Doc, State } from "../../../../src/account/state.ts";
import type { Cni } from "../../../../src/contract/cni/cni.ts";
import type { Interconnect } from "../../../../src/contract/interconnect.ts";
import type { LinkBelow } from "../../../../src/contract/log.ts";
import type { StaticRoute } from "../../../../src/contract/static-route.ts";
import { fieldsOf, type Shown } from "../../../../src/file/shown.ts";

/** What `/state` tells that a change is judged by. */
export interface WholeAccount {
  readonly epoch: string;
  readonly revision: number;
  readonly pending_change: PendingDoc | null;
  readonly settings: SettingsDoc;
  readonly interconnects: readonly Interconnect[];
  readonly routes: readonly StaticRoute[];
  readonly cnis: readonly Pick<Cni, "id" | "interconnect" | "magic">[];
  readonly links: readonly LinkBelow[];
}

export interface Basis {
  /** What the token may read of the account; settings and routes are absent where it may not read the log. */
  readonly whole: WholeAccount | undefined;
  readonly interconnects: readonly Shown[];
  readonly byId: ReadonlyMap<string, Shown>;
  /** For the rules. Made when it is first asked for. */
  readonly state: () => State;
}

export function basisOf(
  account: string,
  interconnects: readonly Interconnect[],
  whole: WholeAccount | undefined,
): Basis {
  const shown = interconnects.map(shownOf);
  let state: State | undefined;
  return {
    whole,
    interconnects: shown,
    byId: new Map(shown.map((one) => [one.id, one])),
    state: () => {
      state ??= stateOf(account, interconnects, whole);
      return state;
    },
  };
}

export function shownOf(interconnect: Interconnect): Shown {
  const { id, name } = interconnect;
  return { id, name, fields: fieldsOf(interconnect), raw: interconnect };
}

/** Where the settings may not be read, those that refuse least: the server refuses what this lets pass. */
const lenient: SettingsDoc = { flags: ["coupler_integration"], authorized_prefixes: ["0.0.0.0/0"] };

function stateOf(
  account: string,
  interconnects: readonly Interconnect[],
  whole: WholeAccount | undefined,
): State {
  const state = new State(account, whole?.epoch ?? "");
  const revision = whole?.revision ?? 0;
  state.restore(settingsKind, SETTINGS_ID, whole?.settings ?? lenient, revision);
  const links = new Map(whole?.links.map((link) => [link.interconnect, link]));
  for (const one of interconnects)
    state.restore(interconnectKind, one.id, documentOf(one, links.get(one.id)) as Doc, revision);
  return state;
}

/** The document that an interconnect is a view of, as far as the view tells it. */
export function documentOf(view: Interconnect, link: LinkBelow | undefined): InterconnectDoc {
  const { id: _, bgp, gre, health_check, ...rest } = view;
  const { target, ...check } = health_check;
  const doc: InterconnectDoc = {
    ...rest,
    health_check: { ...check, target: typeof target === "string" ? target : target.saved },
    ...(gre?.cloudflare_endpoint !== undefined && {
      gre: { cloudflare_endpoint: gre.cloudflare_endpoint },
    }),
    ...(link && { link: { p2p_ip: link.provider, cust_ip: link.customer } }),
  };
  if (!bgp) return doc;
  const { as_no: __, cloudflare_endpoint, customer_endpoint, ...kept } = bgp;
  const ends = derivesBgpEndpoints(doc)
    ? {}
    : {
        ...(cloudflare_endpoint !== undefined && { cloudflare_endpoint }),
        ...(customer_endpoint !== undefined && { customer_endpoint }),
      };
  const session = { ...kept, ...ends };
  return Object.keys(session).length > 0 ? { ...doc, bgp: session } : doc;
}
