/** The health of one interconnect, now and for some hours back: read once, then carried on by what is new. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { InterconnectHistory } from "../../../../src/contract/health.ts";
import { ownPath } from "../../api/account.ts";
import { ask } from "../../api/client.ts";
import { may, type SessionAccount } from "../../api/session.ts";
import { type Range, ranges } from "./search.ts";
import { together } from "./together.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Milliseconds between two looks. */
const EVERY = 5_000;
/** Edges tell of a minute when it is over, and may be that much later. What is later still comes with the whole. */
const LATE = 5 * MINUTE;
/** All is read again after that long. */
const WHOLE_EVERY = 10 * MINUTE;

export interface History extends InterconnectHistory {
  /** When all of it was read, in milliseconds since 1970. */
  readonly readWhole: number;
  /** The first moment that is shown, in milliseconds since 1970, by the server's clock. */
  readonly begin: number;
}

export function useHistory(account: SessionAccount, id: string, range: Range) {
  const client = useQueryClient();
  const queryKey = ["account", account.id, "health", id, range] as const;
  return useQuery<History>({
    queryKey,
    enabled: may(account, "readHealth"),
    staleTime: EVERY,
    refetchInterval: EVERY,
    placeholderData: (before) => (before?.id === id ? before : undefined),
    queryFn: async ({ signal }): Promise<History> => {
      const known = client.getQueryData<History>(queryKey);
      const isWhole = !known || Date.now() - known.readWhole > WHOLE_EVERY;
      const since = isWhole ? Date.now() - ranges[range] * HOUR : resumeFrom(known);
      const query = new URLSearchParams({ since: new Date(since).toISOString() });
      const path = `${ownPath(account.id)}/health/${id}?${query}`;
      const { result } = await ask<InterconnectHistory>(path, { signal });
      const begin = Date.parse(result.time) - ranges[range] * HOUR;
      if (isWhole) return { ...result, readWhole: Date.now(), begin };
      return { ...together(known, result, begin), readWhole: known.readWhole, begin };
    },
  });
}

function resumeFrom({ minutes, time }: History): number {
  const newest = minutes.at(-1)?.minute;
  return (newest === undefined ? Date.parse(time) : Date.parse(newest)) - LATE;
}
