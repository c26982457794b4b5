/** How an interconnect begins and ends: by a seed, by an administrator, or (see `cni/`) by a CNI. */

import { NewInterconnect } from "../contract/account-administration.ts";
import { contains, formatAddress6, network, parsePrefix4, parsePrefix6 } from "../contract/addresses.ts";
import { Checker, show, showSome } from "../contract/check.ts";
import { type Problems, problem } from "../contract/errors.ts";
import type { GivenInterconnect } from "../contract/seed.ts";
import { uuidOf } from "../contract/uuid.ts";
import type { Circumstances, Command } from "./decide.ts";
import type { Condition } from "./elements.ts";
import {
  customerEnd,
  type InterconnectDoc,
  interconnectKind,
  interconnectOf,
  type Link,
  type Version,
} from "./interconnect.ts";
import { mergeInterconnect } from "./interconnect-merge.ts";
import { explainSeedForm } from "./seed-forms.ts";
import { judgeTimes } from "./seed-parts.ts";
import { type SettingsDoc, settingsOf } from "./settings.ts";
import type { State } from "./state.ts";
import { routesVia } from "./static-route.ts";

/** Bytes: 1476 leaves a GRE header its room; version "2" has none. */
const mtuDefault = { "1": 1476, "1.5": 1476, "2": 1500 } as const;

/** An interconnect of which nothing is said but its version. */
export function newInterconnect(
  version: Version,
  times: Pick<InterconnectDoc, "created_on" | "modified_on">,
): InterconnectDoc {
  return {
    name: "",
    version,
    ...times,
    interface_address: "",
    mtu: mtuDefault[version],
    automatic_return_routing: false,
    health_check: { enabled: true, rate: "mid", type: "reply", direction: "unidirectional", target: "" },
  };
}

/** An interconnect with all that is said of it, judged by the rules of updates. */
export function makeInterconnect(
  id: string,
  given: Omit<GivenInterconnect, "id">,
  settings: SettingsDoc,
  time: string,
  pointer: string,
  problems: Problems,
): InterconnectDoc {
  const { link, created_on, modified_on, colo_name, virtual_port_reservation_id, ...update } = given;
  const made = created_on ?? time;
  const base: InterconnectDoc = {
    ...newInterconnect(given.version, { created_on: made, modified_on: modified_on ?? made }),
    ...(colo_name === undefined ? {} : { colo_name }),
    ...(virtual_port_reservation_id === undefined ? {} : { virtual_port_reservation_id }),
    ...(link ? { link } : {}),
  };
  if (link) judgeLink(link, pointer, problems);
  judgeTimes({ created_on, modified_on }, pointer, problems);
  return mergeInterconnect(id, base, update, { settings, problems, pointer });
}

/** Both ends are hosts of one subnet of two, which is a /31, or a /30 with two more. */
function judgeLink(link: Link, pointer: string, problems: Problems): void {
  const provider = parsePrefix4(link.p2p_ip);
  const customer = parsePrefix4(link.cust_ip);
  const refuse = (end: keyof Link, expected: string) =>
    problems.add(
      "invalid_value",
      () => ({ field: `link.${end}`, given: show(link[end]), expected }),
      `${pointer}/link/${end}`,
    );
  const isEnd = (prefix: typeof provider) =>
    prefix &&
    (prefix.length === 31 || (prefix.length === 30 && prefix.address % 4 !== 0 && prefix.address % 4 !== 3));
  const expected = "one end of an IPv4 link, such as 198.51.100.0/31";
  if (!isEnd(provider)) refuse("p2p_ip", expected);
  if (!isEnd(customer)) refuse("cust_ip", expected);
  if (!provider || !customer || !isEnd(provider) || !isEnd(customer)) return;
  if (
    provider.address !== customer.address &&
    provider.length === customer.length &&
    contains(network(provider), customer)
  )
    return;
  refuse("cust_ip", `the other end of the subnet of ${link.p2p_ip}`);
}

const checker = new Checker(NewInterconnect, explainSeedForm);

/** An administrator makes an interconnect of a version that no CNI makes. */
export function createInterconnect(
  body: unknown,
  condition: Condition,
  newId: () => string,
  circumstances: Circumstances,
): Command {
  return {
    operation: "createInterconnect",
    circumstances,
    condition: (state) => condition(state, undefined),
    *propose(state, problems) {
      const given = checker.read(body, "", problems);
      if (!given) return;
      const { id: asked, ...fields } = given;
      const id = asked ?? newId();
      if (state.newest(interconnectKind.name, id))
        problems.add("id_taken", { kind: interconnectKind.name, id }, "/id");
      const doc = makeInterconnect(id, fields, settingsOf(state), circumstances.time, "", problems);
      yield { kind: interconnectKind, slot: state.slotFor(interconnectKind.name, id), doc, pointer: "" };
    },
  };
}

/** An administrator removes an interconnect that no CNI made, if no route leads over it. */
export function deleteInterconnect(id: string, condition: Condition, circumstances: Circumstances): Command {
  return {
    operation: "deleteInterconnect",
    circumstances,
    condition: (state) => {
      const slot = state.newest(interconnectKind.name, id);
      return slot ? condition(state, slot) : problem("interconnect_not_found", { id, hint: "" });
    },
    *propose(state, problems) {
      const slot = state.newest(interconnectKind.name, id);
      if (!slot?.entry) return;
      const doc = interconnectOf(slot.entry);
      if (doc.cni) problems.add("made_by_cni", { id, name: doc.name, cni: uuidOf(id) });
      judgeUnmaking(state, id, doc, problems);
      yield { kind: interconnectKind, slot, doc: undefined, pointer: "" };
    },
  };
}

/** An interconnect over which routes lead stays: to break them without a word would break a network. */
export function judgeUnmaking(state: State, id: string, doc: InterconnectDoc, problems: Problems): void {
  const six = parsePrefix6(doc.interface_address6 ?? "");
  const ends = [customerEnd(doc), ...(six ? [formatAddress6(six.address + 1n)] : [])];
  const routes = routesVia(state, new Set(ends));
  if (routes.length === 0) return;
  problems.add("interconnect_in_use", () => ({ id, name: doc.name, routes: showSome(routes) }));
}
