/** Settings of the account's CNIs, which its members set themselves. */

import { Checker } from "../../contract/check.ts";
import { CniSettingsUpdate } from "../../contract/cni/cni.ts";
import { explainForm } from "../../contract/cni/forms.ts";
import type { Circumstances, Command } from "../decide.ts";
import type { Condition } from "../elements.ts";
import type { Entry, Kind, State } from "../state.ts";

export type CniSettingsDoc = {
  /** The ASN that people mean for new sessions. 0 is none. A CNI's own is required, so no decision goes by it. */
  readonly default_asn: number;
};

/** They are one object of the account, under this identifier. */
export const CNI_SETTINGS_ID = "cni_settings";

export const cniSettingsKind: Kind = {
  name: "cni_settings",
  claims: {},
  conflict: () => ({ name: "invalid_seed", values: { detail: "An account has one set of CNI settings." } }),
  stamped: false,
  nameOf: () => undefined,
  masked: [],
};

const none: CniSettingsDoc = { default_asn: 0 };

function documentOf(entry: Entry | undefined): CniSettingsDoc {
  return entry ? (entry.doc as CniSettingsDoc) : none;
}

/** The settings as they are durable. */
export function durableCniSettings(state: State): CniSettingsDoc {
  return documentOf(state.get(cniSettingsKind.name, CNI_SETTINGS_ID));
}

const checker = new Checker(CniSettingsUpdate, explainForm, "CNI settings");

export function updateCniSettings(
  body: unknown,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation: "updateCniSettings",
    circumstances,
    condition: (state) => condition(state, state.newest(cniSettingsKind.name, CNI_SETTINGS_ID)),
    *propose(state, problems) {
      const fields = checker.read(body, "", problems);
      if (fields?.default_asn === undefined) return;
      const slot = state.slotFor(cniSettingsKind.name, CNI_SETTINGS_ID);
      const doc = { ...documentOf(slot.entry), default_asn: fields.default_asn ?? none.default_asn };
      // Nothing is kept of an account that has none, and had none.
      if (slot.entry || doc.default_asn !== none.default_asn)
        yield { kind: cniSettingsKind, slot, doc, pointer: "" };
    },
  };
}
