/** What an account may do and has: flags, authorised prefixes, its IPv6 space, its address pools. */

import type { AccountSettings } from "../contract/account-administration.ts";
import type { Entry, Kind, State } from "./state.ts";

/** Prefixes that CNIs get their addresses from: those of links, and those of interfaces. */
export type Pools = { readonly link: readonly string[]; readonly interface: readonly string[] };

export type SettingsDoc = {
  readonly flags: readonly string[];
  /** Prefixes of the customer's that version 1.5 interconnects may use. */
  readonly authorized_prefixes: readonly string[];
  readonly virtual_subnet6?: string;
  readonly pools?: Pools;
};

/** The settings are one object of the account, under this identifier. */
export const SETTINGS_ID = "settings";

export const settingsKind: Kind = {
  name: "settings",
  claims: {},
  conflict: () => ({ name: "invalid_seed", values: { detail: "An account has one set of settings." } }),
  stamped: false,
  nameOf: () => undefined,
  masked: [],
};

const none: SettingsDoc = { flags: [], authorized_prefixes: [] };
const noPools: Pools = { link: [], interface: [] };

/** The settings that decisions go by. */
export function settingsOf(state: State): SettingsDoc {
  return documentOf(state.newest(settingsKind.name, SETTINGS_ID)?.entry);
}

/** The settings as they are durable. */
export function durableSettings(state: State): SettingsDoc {
  return documentOf(state.get(settingsKind.name, SETTINGS_ID));
}

function documentOf(entry: Entry | undefined): SettingsDoc {
  return entry ? (entry.doc as SettingsDoc) : none;
}

export function poolsOf(settings: SettingsDoc): Pools {
  return settings.pools ?? noPools;
}

/** The settings as administrators and `/state` see them. */
export function settingsView(settings: SettingsDoc) {
  const { authorized_prefixes, flags, virtual_subnet6 } = settings;
  return { authorized_prefixes, flags, pools: poolsOf(settings), virtual_subnet6 } satisfies {
    [Field in keyof AccountSettings]-?: unknown;
  };
}
