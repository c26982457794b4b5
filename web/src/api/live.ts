/**
 * Follows the account by the long poll that edges use, so that what is shown is what is. The state is carried on by
 * reading again what a change touched; all else that a page has read of the account is read again after a change.
 */

import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { ChangeRecord } from "../../../src/contract/log.ts";
import { type AccountState, ownPath, readInterconnect, stateKey, stateQuery } from "./account.ts";
import { ApiFailure, ask } from "./client.ts";
import { may, type SessionAccount } from "./session.ts";
import { wait } from "./wait.ts";

/** Seconds for which the server holds its answer back. */
const WAIT = 50;
/** Of more interconnects than that at once, all are read again. */
const MOST_ONE_BY_ONE = 20;
/** Milliseconds: the first pause after a failure, doubled with each, and the longest. */
const PAUSE = { first: 1_000, longest: 30_000 };
/** After everything was read again, the next time is this many times later than that took. */
const REST = 10;

export type Liveness = "live" | "polling" | "lost";

/** Follows for as long as the component is there. Tells whether what is shown is up to date. */
export function useLive(account: SessionAccount): Liveness {
  const client = useQueryClient();
  const follows = may(account, "readLog");
  const [lost, setLost] = useState(false);
  useEffect(() => {
    if (!follows) return;
    const stopped = new AbortController();
    void follow(account, client, setLost, stopped.signal);
    return () => stopped.abort();
  }, [account, client, follows]);
  if (!follows) return "polling";
  return lost ? "lost" : "live";
}

async function follow(
  account: SessionAccount,
  client: QueryClient,
  setLost: (lost: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const { position } = await client.ensureQueryData(stateQuery(account));
      if (!position) return;
      const query = new URLSearchParams({
        after: String(position.revision),
        epoch: position.epoch,
        // After a failure, what is asked first is whether the server is there again.
        wait: String(failures === 0 ? WAIT : 0),
        limit: "100",
      });
      const { result: records } = await ask<readonly ChangeRecord[]>(
        `${ownPath(account.id)}/changes?${query}`,
        { signal },
      );
      if (records.length > 0) await carryOn(account, client, records, signal);
      setLost(false);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiFailure && error.status === 410) {
        // Another history, or one that begins later: all that was read is of the old one.
        await readAgain(account, client);
        continue;
      }
      setLost(true);
      if (error instanceof ApiFailure && error.isSignedOut) return;
      await wait(Math.min(PAUSE.longest, PAUSE.first * 2 ** failures), signal);
      failures += 1;
    }
  }
}

async function carryOn(
  account: SessionAccount,
  client: QueryClient,
  records: readonly ChangeRecord[],
  signal: AbortSignal,
): Promise<void> {
  const key = stateKey(account.id);
  const before = client.getQueryData<AccountState>(key);
  const objects = records.flatMap((record) => record.objects).filter(({ kind }) => kind !== "pending_change");
  const touched = new Set(objects.map(({ id }) => id));
  const plain =
    may(account, "readMagic") &&
    objects.every(({ kind, action }) => kind === "interconnect" && action === "update");
  const revision = records.at(-1)?.revision;
  if (!before?.position || revision === undefined || !plain || touched.size > MOST_ONE_BY_ONE)
    return readAgain(account, client, signal);
  const fresh = await Promise.all([...touched].map((id) => readInterconnect(account.id, id, signal)));
  const byId = new Map(fresh.map((one) => [one.id, one]));
  client.setQueryData<AccountState>(key, {
    ...before,
    position: { ...before.position, revision },
    interconnects: before.interconnects.map((one) => byId.get(one.id) ?? one),
  });
  await forgetOthers(account, client);
}

/** Reads the whole state again, and rests for a while where that took long. */
async function readAgain(account: SessionAccount, client: QueryClient, signal?: AbortSignal): Promise<void> {
  const began = performance.now();
  await client.fetchQuery({ ...stateQuery(account), staleTime: 0 });
  const took = performance.now() - began;
  await forgetOthers(account, client);
  if (signal) await wait(REST * took, signal);
}

/** What else was read of the account is read again by who shows it. */
async function forgetOthers({ id }: SessionAccount, client: QueryClient): Promise<void> {
  await client.invalidateQueries({
    queryKey: ["account", id],
    predicate: ({ queryKey }) => queryKey[2] !== "state" && queryKey[2] !== "health",
  });
}
