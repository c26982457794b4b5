/**
 * Every operation of the server: its route, who may use it, and the schema of its answer. The
 * routes, the tests of permission and contract, and the evidence are all driven by this list.
 */

import { auditOperations } from "./audit.ts";
import { faultOperations } from "./fault.ts";
import { interconnectOperations } from "./interconnect.ts";
import { logOperations } from "./log.ts";
import type { Operation } from "./operation.ts";
import { sandboxOperations } from "./sandbox.ts";
import { staticRouteOperations } from "./static-route.ts";
import { tokenOperations } from "./token.ts";

export const operations = {
  ...interconnectOperations,
  ...staticRouteOperations,
  ...tokenOperations,
  ...logOperations,
  ...auditOperations,
  ...sandboxOperations,
  ...faultOperations,
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;
