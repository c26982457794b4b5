/** The operations by what they are about, in the order in which a reader meets them. */

import { auditOperations } from "./audit.ts";
import { tokenOperations } from "./directory/token.ts";
import { interconnectOperations } from "./interconnect.ts";
import { logOperations } from "./log.ts";
import type { Operation } from "./operation.ts";
import { sandboxOperations } from "./sandbox.ts";
import { staticRouteOperations } from "./static-route.ts";

export interface Family {
  readonly name: string;
  readonly about: string;
  readonly operations: Readonly<Record<string, Operation>>;
}

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
    name: "Tokens",
    about: "What a credential is, and what it may do.",
    operations: tokenOperations,
  },
  {
    name: "Change log and state",
    about:
      "Patchbay's own: every change that an account ever accepted, one revision each, and all of its objects at once.",
    operations: logOperations,
  },
  {
    name: "Audit log",
    about: "Who did what to an account, and who was refused, in the vendor's form.",
    operations: auditOperations,
  },
  {
    name: "Sandbox",
    about: "Patchbay's own: what a server started with `--sandbox` takes besides.",
    operations: sandboxOperations,
  },
];
