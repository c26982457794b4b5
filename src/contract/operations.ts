/**
 * Every operation of the server: its route, who may use it, and the schema of its answer. The
 * routes, the tests of permission and contract, and the evidence are all driven by this list.
 */

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

export const operations = {
  ...interconnectOperations,
  ...staticRouteOperations,
  ...accountOperations,
  ...slotOperations,
  ...portOperations,
  ...cniOperations,
  ...accountAdministrationOperations,
  ...tokenOperations,
  ...userOperations,
  ...logOperations,
  ...lastChangeOperations,
  ...undoOperations,
  ...healthOperations,
  ...auditOperations,
  ...sessionOperations,
  ...sandboxOperations,
  ...faultOperations,
  ...inspectorOperations,
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;

/** The operation that a log tells of, if it is one: `seed` is none. */
export function operationNamed(name: string): Operation | undefined {
  const known: Readonly<Record<string, Operation>> = operations;
  return Object.hasOwn(known, name) ? known[name] : undefined;
}
