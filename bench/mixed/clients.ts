/** Well-behaved clients: reads, updates, rollbacks, confirmed changes and long polls. */

import { Agent } from "node:http";
import { Chance } from "../../test/harness/random.ts";
import { nextTurn } from "../requests.ts";
import { bulkOf, idOf, updateOf } from "../world.ts";
import type { Received, Traffic } from "./traffic.ts";
import { busy, calm, type Place } from "./world.ts";

/** Long polls at the account with few changes, and at the one with many, where each change wakes all of them. */
export const CALM_FOLLOWERS = 980;
export const BUSY_FOLLOWERS = 20;

/** What the log must contain when the load is over. */
export interface Expected {
  /** Acknowledged updates of one interconnect: the revision in the response, by request id. */
  readonly updates: Map<string, number>;
  /** Revisions of changes whose deadline passed without a confirmation. */
  readonly expired: Set<number>;
  /** Acknowledged updates whose response had no revision, as if nothing was changed. */
  withoutRevision: number;
}

const chance = new Chance();
const oneOf = (place: Place) => `${place.list}/${idOf(chance.below(place.count))}`;
const bulk = (place: Place, size: number) =>
  JSON.stringify({ interconnects: bulkOf(size, nextTurn(), place.count) });

function revisionOf(received: Received | undefined): number | undefined {
  const revision = received?.headers["x-patchbay-revision"];
  return revision === undefined ? undefined : Number(revision);
}

export function reads(traffic: Traffic): Promise<void>[] {
  const plain = Array.from({ length: 8 }, () => traffic.repeat(20, () => traffic.send("get", oneOf(busy))));
  const conditional = Array.from({ length: 2 }, () =>
    traffic.repeat(50, async () => {
      const path = oneOf(busy);
      const etag = (await traffic.send("get conditional", path))?.headers.etag;
      if (etag !== undefined)
        await traffic.send("get conditional", path, { headers: { "if-none-match": etag } });
    }),
  );
  const day = () => {
    const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    return `since=${at(-1)}&before=${at(1)}`;
  };
  const others: readonly (readonly [milliseconds: number, path: () => string])[] = [
    [1_000, () => busy.list],
    [5_000, () => `${busy.own}/state`],
    [1_000, () => `${busy.own}/changes?limit=20`],
    [5_000, () => `${busy.own}/last-changes`],
    [5_000, () => `/client/v4/accounts/${busy.id}/logs/audit?${day()}&limit=100`],
  ];
  const lists = others.map(([every, path]) => traffic.repeat(every, () => traffic.send("list", path())));
  return [...plain, ...conditional, ...lists];
}

export function writes(traffic: Traffic, expected: Expected): Promise<void>[] {
  const singles = Array.from({ length: 4 }, () =>
    traffic.repeat(100, async () => {
      const index = chance.below(busy.count);
      const body = JSON.stringify(updateOf(index, nextTurn()));
      const received = await traffic.send("put", `${busy.list}/${idOf(index)}`, { method: "PUT", body });
      if (received?.status !== 200) return;
      const revision = revisionOf(received);
      if (revision === undefined) expected.withoutRevision++;
      else expected.updates.set(String(received.headers["cf-ray"]), revision);
    }),
  );
  const bulks = traffic.repeat(1_000, async (turn) => {
    // The largest every half minute, the first of them soon.
    const size = turn % 30 === 3 ? busy.count : chance.between(1, 1_000);
    const query = turn % 5 === 1 ? "?validate_only=true" : "";
    await traffic.send("bulk", busy.list + query, { method: "PUT", body: bulk(busy, size) });
  });
  return [...singles, bulks];
}

/** Restores with and without `validate_only`, reverts of recent changes, and reverts of those reverts. */
export function rollbacks(traffic: Traffic): Promise<void>[] {
  const newest = async () => (await newestRevision(traffic, busy)) ?? 1;
  const restore = async (query: string) => {
    const to_revision = Math.max(1, (await newest()) - chance.between(1, 30));
    const body = JSON.stringify({ to_revision });
    await traffic.send("rollback", `${busy.own}/restore${query}`, { method: "POST", body });
  };
  const revert = async (revision: number) =>
    revisionOf(await traffic.send("rollback", `${busy.own}/changes/${revision}/revert`, { method: "POST" }));
  return [
    traffic.repeat(3_000, () => restore("?validate_only=true")),
    traffic.repeat(10_000, () => restore("")),
    traffic.repeat(2_000, async () => {
      const made = await revert(Math.max(2, (await newest()) - chance.between(0, 5)));
      if (made !== undefined) await revert(made);
    }),
  ];
}

/** Changes with a deadline, one after the other: confirmed, reverted, extended, or left for the server to roll back. */
export function confirmedChanges(traffic: Traffic, expected: Expected): Promise<void>[] {
  const make = (within: number) =>
    traffic.send("confirmed", calm.list, {
      method: "PUT",
      body: bulk(calm, 10),
      headers: { "x-patchbay-confirm-within": String(within) },
    });
  const act = (revision: number, action: string, body?: string) =>
    traffic.send("confirmed", `${calm.own}/changes/${revision}/${action}`, {
      method: "POST",
      ...(body === undefined ? {} : { body }),
    });
  return [
    traffic.repeat(1_000, async (turn) => {
      const isLeft = turn % 4 === 3;
      const revision = revisionOf(await make(isLeft ? 5 : 60));
      // Until the server has rolled back an expired change, it refuses others.
      if (revision === undefined) return;
      if (isLeft) expected.expired.add(revision);
      else if (turn % 4 === 0) await act(revision, "confirm");
      else if (turn % 4 === 1) await act(revision, "revert");
      else {
        await act(revision, "extend", JSON.stringify({ confirm_within: 90 }));
        await act(revision, "confirm");
      }
    }),
  ];
}

/** Each waits for the next change of an account, and for the one after it. */
export function longPolls(traffic: Traffic): Promise<void>[] {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  traffic.over.addEventListener("abort", () => agent.destroy());
  // An agent that starts reads the revision with the state of the account. Here one request does for all.
  const starts = new Map([calm, busy].map((place) => [place, newestRevision(traffic, place)]));
  const follow = async (place: Place) => {
    let after = await starts.get(place);
    while (!traffic.over.aborted) {
      after ??= (await newestRevision(traffic, place)) ?? 0;
      const received = await traffic.send(
        "long poll",
        `${place.own}/changes?after=${after}&wait=60&limit=20`,
        {
          agent,
        },
      );
      if (received?.status === 200) after = lastRevision(received.body) ?? after;
      else {
        after = undefined;
        await traffic.wait(1_000);
      }
    }
  };
  return [
    ...Array.from({ length: CALM_FOLLOWERS }, () => follow(calm)),
    ...Array.from({ length: BUSY_FOLLOWERS }, () => follow(busy)),
  ];
}

export async function newestRevision(traffic: Traffic, place: Place): Promise<number | undefined> {
  const received = await traffic.send("log", `${place.own}/changes?limit=1`);
  return received?.status === 200 ? lastRevision(received.body) : undefined;
}

/** The revision of the last record of a page. Does not parse the page, which can have megabytes. */
function lastRevision(page: Buffer): number | undefined {
  const start = page.lastIndexOf('{"revision":');
  const digits = start === -1 ? null : /^\{"revision":(\d+)/.exec(page.toString("latin1", start, start + 40));
  return digits ? Number(digits[1]) : undefined;
}
