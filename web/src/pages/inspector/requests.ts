/** The requests that the server answered last, followed by its long poll for as long as the page is there. */

import { useEffect, useState } from "react";
import type { SeenRequest } from "../../../../src/contract/inspector.ts";
import { ApiFailure, ask } from "../../api/client.ts";
import { forgetSession } from "../../api/session.ts";
import { wait } from "../../api/wait.ts";

const PATH = "/patchbay/v1/requests";
/** The newest that are kept here. */
const MOST_KEPT = 200;
/** Seconds for which the server holds its answer back. */
const WAIT = 30;
/** Milliseconds between an answer and the next question, so that a busy server is not asked for each request. */
const REST = 700;
/** Milliseconds after a failure. */
const PAUSE = 3_000;

export interface Following {
  /** Newest first; none until they were read. */
  readonly requests: readonly SeenRequest[] | undefined;
  /** Why they are not, or no longer, told. */
  readonly error: unknown;
}

/** While paused, what is there stays; afterwards what came meanwhile is told too. */
export function useRequests(isPaused: boolean): Following {
  const [requests, setRequests] = useState<readonly SeenRequest[]>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (isPaused) return;
    const stopped = new AbortController();
    void follow(setRequests, setError, stopped.signal);
    return () => stopped.abort();
  }, [isPaused]);
  return { requests, error };
}

type Change = (before: readonly SeenRequest[] | undefined) => readonly SeenRequest[];

async function follow(
  change: (change: Change) => void,
  fail: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  let newest: number | undefined;
  while (!signal.aborted) {
    try {
      const query = newest === undefined ? "" : `?since=${newest}&wait=${WAIT}`;
      const { result } = await ask<{ requests: readonly SeenRequest[] }>(PATH + query, { signal });
      const told = result.requests;
      const known = newest ?? 0;
      // Numbers that begin anew are another start of the server.
      const isAnew = newest === undefined || (told[0] !== undefined && told[0].number <= known);
      newest = told.at(-1)?.number ?? known;
      if (told.length > 0 || isAnew) {
        change((before = []) => [...told.toReversed(), ...(isAnew ? [] : before)].slice(0, MOST_KEPT));
      }
      fail(undefined);
      await wait(REST, signal);
    } catch (error) {
      if (signal.aborted) return;
      fail(error);
      if (error instanceof ApiFailure && error.isSignedOut) return forgetSession();
      await wait(PAUSE, signal);
    }
  }
}
