/** What an account may do and has: flags, authorised prefixes, its IPv6 space. */

import type { Entry, Kind, State } from "./state.ts";

export type SettingsDoc = {
  readonly flags: readonly string[];
  /** Prefixes of the customer's that version 1.5 interconnects may use. */
  readonly authorized_prefixes: readonly string[];
  readonly virtual_subnet6?: string;
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
