/** Why a change is made, as it goes with the request. */

import { CommandFailure } from "./failure.ts";

/** The longest reason that a Patchbay keeps, in characters. */
const LONGEST = 500;

/** A header holds bytes: the reason's own, in UTF-8. */
export function reasonHeader(reason: string | undefined): Readonly<Record<string, string>> {
  if (reason === undefined) return {};
  if (reason === "" || reason.length > LONGEST || /\p{Cc}/u.test(reason)) {
    throw new CommandFailure(`A reason is one line of 1 to ${LONGEST} characters.`);
  }
  return { "x-patchbay-reason": Buffer.from(reason).toString("latin1") };
}
