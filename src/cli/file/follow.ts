/** Follows a change that a Patchbay undoes unless it is confirmed, to its end. */

import { setTimeout } from "node:timers/promises";
import { member } from "../../file/shown.ts";
import type { Api } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { CommandFailure } from "../failure.ts";
import { readHealth, tellHealth } from "../health.ts";
import { count } from "../printable.ts";
import type { Session } from "../run.ts";
import { Countdown, type Key } from "./countdown.ts";
import { changesAfter } from "./long-poll.ts";

export interface Pending {
  readonly revision: number;
  readonly epoch: string;
  /** RFC 3339, by the server's clock. */
  readonly confirmBy: string;
  /** Seconds. */
  readonly within: number;
  /** Interconnects whose health is shown meanwhile. */
  readonly touched: readonly string[];
}

/** Seconds of one long poll: short enough to notice soon that the change cut the way to the server. */
const POLL = 5;
const PATIENCE = 10;
/** Milliseconds after the deadline for which the server is still asked what became of it. */
const GRACE = 60_000;

type End =
  | { readonly how: "confirmed" | "undone"; readonly by: string }
  | { readonly how: "lost"; readonly by: string };

/** Exit code: 0 if the change stays. */
export async function follow(session: Session, pending: Pending): Promise<number> {
  const { revision, confirmBy } = pending;
  session.ifInterrupted(
    [
      `The change is made, and undone by the server at ${confirmBy} unless it is confirmed before.`,
      `To keep it: ${commandLine(session.options, "confirm", String(revision))}`,
      `To undo it now: ${commandLine(session.options, "revert", String(revision))}`,
    ].join("\n"),
  );
  const end = await endOf(session, pending);
  session.ifInterrupted("");
  return ended(session, end, revision);
}

/** Whoever decides first: the person at the keyboard, or anybody else, by the log. */
async function endOf(session: Session, pending: Pending): Promise<End> {
  const { api } = session;
  const over = new AbortController();
  const keyboard: Keyboard = { asked: undefined };
  using countdown = new Countdown(session, pending.within);
  try {
    void showHealth(api, countdown, pending.touched, over.signal);
    const end = await Promise.race([
      atKeys(api, countdown, pending.revision, keyboard),
      inLog(api, countdown, pending, over.signal),
    ]);
    // The log may tell of it before the answer to the key is here.
    return (await keyboard.asked) ?? end;
  } finally {
    over.abort();
  }
}

/** Milliseconds between two looks at health. */
const BETWEEN_HEALTH = 1_000;

/** Shows beside the countdown how those are that were touched. That it cannot be asked, the log's follower tells. */
async function showHealth(
  api: Api,
  countdown: Countdown,
  touched: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  while (touched.length > 0 && !signal.aborted) {
    const health = await readHealth(api, true).catch(() => undefined);
    if (signal.aborted) return;
    const [first, ...more] = touched.flatMap((id) => health?.get(id) ?? []);
    if (first) {
      const states = [first, ...more].map(({ state }) => state);
      const counted = ["down", "degraded", "unknown", "healthy"].flatMap((state) => {
        const number = states.filter((one) => one === state).length;
        return number === 0 ? [] : [`${number} ${state}`];
      });
      countdown.show(
        more.length === 0
          ? `It is ${tellHealth(first)}. `
          : `Of ${count(states.length, "interconnect")}: ${counted.join(", ")}. `,
      );
    }
    await setTimeout(BETWEEN_HEALTH, undefined, { signal }).catch(() => undefined);
  }
}

function ended(session: Session, { how, by }: End, revision: number): number {
  if (how === "confirmed") {
    session.print(`Confirmed ${by}: revision ${revision} stays.`);
    return 0;
  }
  if (how === "undone") {
    session.print(`Undone ${by}: everything is as before revision ${revision}.`);
    return 1;
  }
  throw new CommandFailure(`What became of revision ${revision} is not known: ${by}`, {
    advice: `${commandLine(session.options, "history")} tells, once the server can be reached.`,
  });
}

interface Keyboard {
  /** What the last key asked of the server: the end, unless it was refused. */
  asked: Promise<End | undefined> | undefined;
}

/** What the person at the keyboard decides. A refusal is told, and the countdown goes on. */
async function atKeys(api: Api, countdown: Countdown, revision: number, keyboard: Keyboard): Promise<End> {
  for (;;) {
    keyboard.asked = decide(api, countdown, revision, await countdown.key());
    const end = await keyboard.asked;
    if (end) return end;
  }
}

async function decide(api: Api, countdown: Countdown, revision: number, key: Key): Promise<End | undefined> {
  try {
    await api.own("POST", `/changes/${revision}/${key}`, { timeout: PATIENCE * 1000, patient: true });
    return { how: key === "confirm" ? "confirmed" : "undone", by: "by you" };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const [first] = error.problems;
    countdown.say(`That did not work: ${first?.message ?? error.message}`);
    return undefined;
  }
}

/** What the log says, whoever decided. While the server cannot be reached, the deadline is its own affair. */
async function inLog(api: Api, countdown: Countdown, pending: Pending, signal: AbortSignal): Promise<End> {
  let after = pending.revision;
  let confirmBy = Date.parse(pending.confirmBy);
  let cut = false;
  for (;;) {
    try {
      const records = await changesAfter(api, {
        epoch: pending.epoch,
        after,
        wait: POLL,
        patience: PATIENCE,
        signal,
      });
      if (records === undefined) return { how: "lost", by: "the account's history is another." };
      if (cut) countdown.say("The server can be reached again.");
      cut = false;
      for (const record of records) {
        const end = endIn(record, pending.revision);
        if (end) return end;
      }
      const last = member(records.at(-1), "revision");
      after = typeof last === "number" ? last : after;
      if (records.some((record) => member(record, "operation") === "extendChange")) {
        const now = await confirmByOf(api, signal);
        if (now !== undefined) countdown.extend(now - confirmBy);
        confirmBy = now ?? confirmBy;
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof CommandFailure)) throw error;
      if (!cut) countdown.say(`${error.message} The server undoes the change by itself.`);
      cut = true;
      if (countdown.left < -GRACE) return { how: "lost", by: error.message };
      await setTimeout(1000, undefined, { signal });
    }
  }
}

async function confirmByOf(api: Api, signal: AbortSignal): Promise<number | undefined> {
  const { result } = await api.own("GET", "/state", { signal, patient: true });
  const told = member(member(result, "pending_change"), "confirm_by");
  return typeof told === "string" ? Date.parse(told) : undefined;
}

/** An account has one pending change: whatever confirms or undoes one after it was made, means it. */
function endIn(record: unknown, revision: number): End | undefined {
  const actor = member(member(record, "actor"), "name");
  const health = member(member(record, "actor"), "type") === "system";
  const by = typeof actor === "string" ? `${health ? "because" : "by"} ${actor}` : "by somebody";
  switch (member(record, "operation")) {
    case "confirmChange":
      return { how: "confirmed", by };
    case "expireChange":
      return { how: "undone", by: "at the deadline" };
    case "revertChange":
      return member(record, "reverts") === revision ? { how: "undone", by } : undefined;
    default:
      return undefined;
  }
}
