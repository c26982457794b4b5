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
/** Edges may tell of a minute that much later. What is later still comes with the whole. */
const LATE = 15 * MINUTE;
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
      const read = async (since: number) => {
        const query = new URLSearchParams({ since: new Date(since).toISOString() });
        const path = `${ownPath(account.id)}/health/${id}?${query}`;
        return (await ask<InterconnectHistory>(path, { signal })).result;
      };
      const beginOf = ({ time }: InterconnectHistory) => Date.parse(time) - ranges[range] * HOUR;
      const known = client.getQueryData<History>(queryKey);
      if (known && Date.now() - known.readWhole < WHOLE_EVERY) {
        const fresh = await read(resumeFrom(known));
        const begin = beginOf(fresh);
        if (!isBack(known, fresh))
          return { ...together(known, fresh, begin), readWhole: known.readWhole, begin };
      }
      const whole = await read(Date.now() - ranges[range] * HOUR);
      return { ...whole, readWhole: Date.now(), begin: beginOf(whole) };
    },
  });
}

function resumeFrom({ minutes, time }: History): number {
  const newest = minutes.at(-1)?.minute;
  return (newest === undefined ? Date.parse(time) : Date.parse(newest)) - LATE;
}

/** Was an edge not heard of, and is now? Then it may tell of all that was meanwhile. */
function isBack(known: InterconnectHistory, fresh: InterconnectHistory): boolean {
  const heard = (edges: InterconnectHistory["edges"]) =>
    edges.filter(({ state }) => state !== "unknown").map(({ edge }) => edge);
  const before = new Set(heard(known.edges));
  return heard(fresh.edges).some((edge) => !before.has(edge));
}
