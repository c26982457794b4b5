/** The operations by what they are about, in the order in which a reader meets them. */

import { accountAdministrationOperations } from "./account-administration.ts";
import { auditOperations } from "./audit.ts";
import { cniOperations } from "./cni/cni.ts";
import { portOperations } from "./cni/port.ts";
import { slotOperations } from "./cni/slot.ts";
import { accountOperations } from "./directory/account.ts";
import { tokenOperations } from "./directory/token-operations.ts";
import { userOperations } from "./directory/user.ts";
import { faultOperations } from "./fault.ts";
import { healthOperations } from "./health.ts";
import { inspectorOperations } from "./inspector.ts";
import { interconnectOperations } from "./interconnect.ts";
import { lastChangeOperations } from "./last-changes.ts";
import { logOperations } from "./log.ts";
import type { Operation } from "./operation.ts";
import { sandboxOperations } from "./sandbox.ts";
import { sessionOperations } from "./session.ts";
import { staticRouteOperations } from "./static-route.ts";
import { undoOperations } from "./undo.ts";

export interface Family {
  readonly name: string;
  readonly about: string;
  readonly operations: Readonly<Record<string, Operation>>;
}

/** What customers may ask of slots; the rest is their administrators'. */
const { listCniSlots, getCniSlot, ...administeredSlots } = slotOperations;

export const families: readonly Family[] = [
  {
    name: "Interconnects",
    about:
      "The Magic interconnects of an account: how each is addressed, checked and routed. Updates are partial: what is left out stays.",
    operations: interconnectOperations,
  },
  {
    name: "Static routes",
    about: "Which prefixes an account reaches through the customer's end of which tunnel or interconnect.",
    operations: staticRouteOperations,
  },
  {
    name: "CNI",
    about:
      "How a Magic interconnect comes to be: slots of the edge, the ports that take them (which the API calls CNI interconnects), and the CNIs on those, each of which makes one Magic interconnect. Accepted requests are answered without an envelope, refused ones in it.",
    operations: {
      listCniSlots,
      getCniSlot,
      ...portOperations,
      ...cniOperations,
    },
  },
  {
    name: "Administration",
    about:
      "Patchbay's own, for administrators: what an account may do and has, its slots, and interconnects that no CNI makes.",
    operations: { ...accountAdministrationOperations, ...administeredSlots },
  },
  {
    name: "Accounts",
    about:
      "The accounts there are: as their members see them, and under `/patchbay` as they are made and named by administrators.",
    operations: accountOperations,
  },
  {
    name: "Users",
    about:
      "Users as they see themselves, and under `/patchbay` as they are made, given keys and deleted by administrators.",
    operations: userOperations,
  },
  {
    name: "Tokens",
    about:
      "What a credential is, and what it may do. The same operations are there three times: for the tokens of the user who asks, for those of an account, and for those that are the operator's.",
    operations: tokenOperations,
  },
  {
    name: "Change log and state",
    about:
      "Patchbay's own: every change that an account ever accepted, one revision each, and all of its objects at once.",
    operations: { ...logOperations, ...lastChangeOperations },
  },
  {
    name: "Undo and confirmation",
    about:
      "Patchbay's own: any change can be undone, as one change more; and a change can be made so that it undoes itself unless it is confirmed in time.",
    operations: undoOperations,
  },
  {
    name: "Health",
    about:
      "Patchbay's own: what edges report of the interconnects they carry, and what is known of them by it. It stands beside the log and moves no revision.",
    operations: healthOperations,
  },
  {
    name: "Audit log",
    about: "Who did what to an account, and who was refused, in the vendor's form.",
    operations: auditOperations,
  },
  {
    name: "Sessions",
    about:
      "Patchbay's own, for pages in a browser: who a credential is and what it may do, and a cookie that stands for it.",
    operations: sessionOperations,
  },
  {
    name: "Sandbox",
    about: "Patchbay's own: what a server started with `--sandbox` takes besides.",
    operations: { ...sandboxOperations, ...faultOperations, ...inspectorOperations },
  },
];
