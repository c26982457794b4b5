/** Waits at a Patchbay's log. */

import { type Api, ServerRefusal } from "../api.ts";

export interface Poll {
  readonly epoch: string;
  readonly after: number;
  /** Seconds that the server waits for a change. */
  readonly wait: number;
  /** Seconds more until its answer is given up. */
  readonly patience: number;
  readonly signal?: AbortSignal;
}

/** The changes after a revision, none if there was none in time; `undefined` if history is another by now. */
export async function changesAfter(api: Api, poll: Poll): Promise<readonly unknown[] | undefined> {
  const { epoch, after, wait, patience, signal } = poll;
  const query = `?after=${after}&epoch=${encodeURIComponent(epoch)}&limit=100&wait=${wait}`;
  try {
    const { result } = await api.own("GET", `/changes${query}`, {
      timeout: (wait + patience) * 1000,
      patient: true,
      ...(signal === undefined ? {} : { signal }),
    });
    return Array.isArray(result) ? result : [];
  } catch (error) {
    if (error instanceof ServerRefusal && error.status === 410) return undefined;
    throw error;
  }
}
