/** What faults can be armed for. */

import { faultOperations } from "./fault.ts";
import { type OperationName, operations } from "./operations.ts";

/** All operations but those that would stand in the way of clearing. */
export const faultTargets: readonly OperationName[] = (Object.keys(operations) as OperationName[]).filter(
  (name) => !Object.hasOwn(faultOperations, name),
);
