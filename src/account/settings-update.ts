/** The update of an account's settings by its administrator. */

import { AccountSettingsUpdate } from "../contract/account-administration.ts";
import { Checker, showSome } from "../contract/check.ts";
import { Problems } from "../contract/errors.ts";
import type { Circumstances, Command } from "./decide.ts";
import type { Condition } from "./elements.ts";
import { type InterconnectDoc, interconnectKind, interconnectOf } from "./interconnect.ts";
import { judgeInterfaceAddress, judgeInterfaceAddress6 } from "./interconnect-rules.ts";
import { poolsOf, SETTINGS_ID, type SettingsDoc, settingsKind, settingsOf } from "./settings.ts";
import { judgeSettings } from "./settings-rules.ts";
import type { State } from "./state.ts";

const checker = new Checker(AccountSettingsUpdate, undefined, "Settings");

export function updateSettings(body: unknown, condition: Condition, circumstances: Circumstances): Command {
  return {
    operation: "updateAccountSettings",
    circumstances,
    condition: (state) => condition(state, state.newest(settingsKind.name, SETTINGS_ID)),
    *propose(state, problems) {
      const update = checker.read(body, "", problems);
      if (!update) return;
      const doc = mergeSettings(settingsOf(state), update);
      judgeSettings(doc, "", problems);
      if (!problems.found) judgeUse(state, doc, problems);
      yield { kind: settingsKind, slot: state.slotFor(settingsKind.name, SETTINGS_ID), doc, pointer: "" };
    },
  };
}

/** What is left out stays, a list replaces the list that was, and `""` clears. */
function mergeSettings(stored: SettingsDoc, update: AccountSettingsUpdate): SettingsDoc {
  const { pools, virtual_subnet6, ...lists } = update;
  const { virtual_subnet6: subnet, pools: storedPools, ...rest } = stored;
  const merged = pools ? { ...poolsOf(stored), ...pools } : storedPools;
  const virtual = virtual_subnet6 ?? subnet ?? "";
  return {
    ...rest,
    ...lists,
    ...(virtual === "" ? {} : { virtual_subnet6: virtual }),
    ...(merged ? { pools: merged } : {}),
  };
}

/** What an interconnect needs of the settings, and what its lack is called. */
const needs: Readonly<Record<string, (doc: InterconnectDoc, settings: SettingsDoc) => boolean>> = {
  flags: ({ automatic_return_routing }, { flags }) =>
    !automatic_return_routing || flags.includes("coupler_integration"),
  authorized_prefixes: ({ interface_address, version }, settings) =>
    judgeInterfaceAddress(interface_address, version, settings, "", new Problems()),
  virtual_subnet6: ({ interface_address6 }, settings) =>
    interface_address6 === undefined ||
    judgeInterfaceAddress6(interface_address6, settings, "", new Problems()) !== undefined,
};

/** What is there must go on to be what the rules allow. Pools only say where new addresses come from. */
function judgeUse(state: State, settings: SettingsDoc, problems: Problems): void {
  const stored = settingsOf(state);
  for (const [setting, suffices] of Object.entries(needs)) {
    if (JSON.stringify(Reflect.get(settings, setting)) === JSON.stringify(Reflect.get(stored, setting)))
      continue;
    const holders = state.ids(interconnectKind.name).flatMap((id) => {
      const entry = state.newest(interconnectKind.name, id)?.entry;
      const doc = entry && interconnectOf(entry);
      return doc && !suffices(doc, settings) ? [`interconnect ${id} (${doc.name})`] : [];
    });
    if (holders.length > 0)
      problems.add("setting_in_use", () => ({ setting, holders: showSome(holders) }), `/${setting}`);
  }
}
