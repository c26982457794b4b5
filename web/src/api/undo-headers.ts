/** The headers of a change that say why it is made and when it is undone by itself. */

export interface Conditions {
  /** Empty: none. */
  readonly reason: string;
  /** Seconds; without them it is made for good. */
  readonly confirmWithin: number | undefined;
  readonly revertOn: "down" | "degraded" | undefined;
}

export function undoHeaders({ reason, confirmWithin, revertOn }: Conditions): Record<string, string> {
  return {
    ...(reason !== "" && { "x-patchbay-reason": inBytes(reason) }),
    ...(confirmWithin !== undefined && { "x-patchbay-confirm-within": String(confirmWithin) }),
    ...(confirmWithin !== undefined && revertOn && { "x-patchbay-revert-on": revertOn }),
  };
}

/** A header of a browser holds bytes alone: each byte of UTF-8 as a character. */
function inBytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}
