/** What was read, how long it is kept, and what becomes of failures. */

import { QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiFailure } from "./client.ts";
import { forgetSession } from "./session.ts";

export const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof ApiFailure && error.isSignedOut) forgetSession();
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      // What nobody looks at is forgotten, so that a page that is left open does not grow.
      gcTime: 60_000,
      // Of large answers, comparing costs more than it saves.
      structuralSharing: false,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && error instanceof ApiFailure && mayPass(error),
    },
  },
});

/** No answer, too many requests, or a server that stumbles: the same may be asked again. */
function mayPass({ status }: ApiFailure): boolean {
  return status === 0 || status === 429 || status >= 500;
}
