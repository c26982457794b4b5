/** What is wrong with a file whatever the account: by the schema and the rules that servers go by. */

import type { InterconnectDoc, Version } from "../../account/interconnect.ts";
import { tunnelClaims } from "../../account/interconnect.ts";
import { mergeInterconnect } from "../../account/interconnect-merge.ts";
import type { SettingsDoc } from "../../account/settings.ts";
import {
  formatAddress6,
  formatPrefix,
  network,
  parsePrefix4,
  parsePrefix6,
} from "../../contract/addresses.ts";
import { Checker } from "../../contract/check.ts";
import { entryOf, type Problem, Problems, problem } from "../../contract/errors.ts";
import { type InterconnectUpdate, MOST_ELEMENTS, UpdateWithText } from "../../contract/interconnect.ts";
import { nested } from "../../file/fields.ts";
import type { Wanted } from "../../file/reading.ts";
import type { Told } from "../failure.ts";

const checker = new Checker(UpdateWithText);
/** Where several fit as badly, the first counts: a source speaks for the one version that has it. */
const VERSIONS: readonly Version[] = ["1", "1.5", "2"];
const WITH_SOURCE: readonly Version[] = ["1.5", "1", "2"];

export function judge(wanted: readonly Wanted[]): Told[] {
  const told = wanted.flatMap((one) => judgeOne(one).map((problem) => placed(one, problem)));
  const [beyond] = wanted.slice(MOST_ELEMENTS);
  if (beyond) {
    const { code } = entryOf("too_many_elements");
    const message = `More than ${MOST_ELEMENTS.toLocaleString("en")} interconnects are no longer one call`;
    told.push({ code, message, place: beyond.place });
  }
  return [...told, ...judgeClaims(wanted)];
}

function placed({ name, place, fields }: Wanted, { name: error, message, pointer = "" }: Problem): Told {
  const path = pointer.split("/").slice(1).join(".");
  const field = [...fields].find(([known]) => path === known || path.startsWith(`${known}.`));
  return { code: entryOf(error).code, message: `${name}: ${message}`, place: field?.[1].place ?? place };
}

/**
 * Without a server nobody knows an interconnect's version, so a file is right if it is for one of them; else what is
 * wrong with it for the version that fits best is told.
 */
function judgeOne({ fields }: Wanted): readonly Problem[] {
  const values = nested([...fields].map(([path, { value }]) => [path, value]));
  const problems = new Problems();
  const update = checker.read(values, "", problems);
  if (!update) return problems.list();
  const versions = update.health_check?.source ? WITH_SOURCE : VERSIONS;
  const verdicts = versions.map((version) => judgeAs(version, update));
  const [best = []] = verdicts.sort((one, other) => one.length - other.length);
  return [...problems.list(), ...best];
}

function judgeAs(version: Version, update: InterconnectUpdate): readonly Problem[] {
  const problems = new Problems();
  mergeInterconnect("", anyOf(version), asKnown(version, update), {
    settings: anySettings(update),
    problems,
    pointer: "",
  });
  return problems.list();
}

/** Endpoints of version 1.5 follow from an address that the file need not hold: then nobody can judge them. */
function asKnown(version: Version, update: InterconnectUpdate): InterconnectUpdate {
  if (version !== "1.5" || update.interface_address !== undefined || update.bgp === undefined) return update;
  const { cloudflare_endpoint: _, customer_endpoint: __, ...bgp } = update.bgp;
  return { ...update, bgp };
}

/** An interconnect of which no value is one that a file may hold, so that all that it says is judged. */
function anyOf(version: Version): InterconnectDoc {
  const check = { enabled: true, rate: "mid", type: "reply", target: "\u0000" } as const;
  return {
    name: "\u0000",
    version,
    created_on: "",
    modified_on: "",
    interface_address: "",
    mtu: -1,
    automatic_return_routing: false,
    ...(version === "1" ? { gre: { cloudflare_endpoint: "" } } : {}),
    // A source that is there already, as it may be, lets a check be bidirectional.
    health_check:
      version === "1.5"
        ? { ...check, direction: "bidirectional", source: "\u0000" }
        : { ...check, direction: "unidirectional" },
  };
}

/** The account that admits most: it has the prefixes that the file speaks of. */
function anySettings({ interface_address, interface_address6 }: InterconnectUpdate): SettingsDoc {
  const four = parsePrefix4(interface_address ?? "");
  const six = parsePrefix6(interface_address6 ?? "");
  const settings = {
    flags: ["coupler_integration"],
    authorized_prefixes: four ? [formatPrefix(network(four))] : [],
  };
  if (!six) return settings;
  const base = network({ ...six, length: 96 });
  if (base.family !== 6) return settings;
  // Another /127 of the same space than the one that is asked for.
  const own = base.address >> 1n === six.address >> 1n ? base.address + 2n : base.address;
  return { ...settings, virtual_subnet6: `${formatAddress6(own)}/127` };
}

/** Names and subnets that two interconnects of the file would have. */
function judgeClaims(wanted: readonly Wanted[]): Told[] {
  const holders = new Map<string, Wanted>();
  return wanted.flatMap((one) => {
    const doc = { ...Object.fromEntries([...one.fields].map(([path, { value }]) => [path, value])) };
    const named = { name: one.name, ...doc };
    return Object.entries(tunnelClaims).flatMap(([field, claimsOf]): Told[] => {
      const claims = claimsOf(named);
      const holder = claims.map((claim) => holders.get(claim)).find((known) => known !== undefined);
      for (const claim of claims) holders.set(claim, holders.get(claim) ?? one);
      if (!holder) return [];
      const place = one.fields.get(field)?.place ?? one.place;
      const is = `${holder.name} (${holder.fields.get(field)?.place ?? holder.place})`;
      const { name, message } =
        field === "name"
          ? problem("name_taken", { name: String(named.name), holder: is })
          : problem("address_overlap", { prefix: String(one.fields.get(field)?.value), holder: is });
      return [{ code: entryOf(name).code, message: `${one.name}: ${message}`, place }];
    });
  });
}
