/** Shows interconnects again whenever they change: of a Patchbay at once, elsewhere within ten seconds. */

import { setTimeout } from "node:timers/promises";
import { member, type Shown } from "../../file/shown.ts";
import type { Api } from "../api.ts";
import { type Health, readHealth } from "../health.ts";
import type { Session } from "../run.ts";
import { canonicalJson, readList } from "./account.ts";
import { changesAfter } from "./long-poll.ts";

/** Seconds. Of health no log tells, so it is looked at in between. */
const LONGEST_POLL = 30;
const BETWEEN_HEALTH = 2;
const PATIENCE = 30;
const BETWEEN_READS = 10;

interface Position {
  readonly epoch: string;
  readonly revision: number;
}

/** Draws now and after every change, until the process is interrupted or the server is gone. */
export async function watch(
  session: Session,
  draw: (
    interconnects: readonly Shown[],
    changed: ReadonlySet<string>,
    health: ReadonlyMap<string, Health> | undefined,
  ) => Promise<string>,
  withHealth = false,
): Promise<number> {
  const { api, terminal, options } = session;
  session.ifInterrupted("No longer watching. Nothing was changed.");
  const redraws = terminal.stdout.isTTY === true && options.json !== true;
  let before: ReadonlyMap<string, string> | undefined;
  let states: string | undefined;
  for (;;) {
    // Read before the list: what changes between the two is shown twice rather than never.
    const position = await positionOf(api);
    const interconnects = await readList(api);
    const health = withHealth ? await readHealth(api, true) : undefined;
    const seen = health && JSON.stringify([...health].map(([id, { state }]) => [id, state]));
    const now = new Map(interconnects.map(({ id, raw }) => [id, canonicalJson(raw)]));
    const changed = new Set(
      [...now].flatMap(([id, text]) => (before && before.get(id) !== text ? [id] : [])),
    );
    if (before === undefined || changed.size > 0 || now.size !== before.size || seen !== states) {
      const text = await draw(interconnects, changed, health);
      // From the upper left corner, with what was there before cleared away.
      if (redraws) session.print(`\u001b[H\u001b[2J${text}\n${new Date().toISOString()}  ctrl-c ends`);
      else session.print(options.json ? JSON.stringify(JSON.parse(text)) : `${text}\n`);
    }
    before = now;
    states = seen;
    await moved(api, position, health !== undefined);
  }
}

/** Where a Patchbay's log stands. Elsewhere nothing tells. */
async function positionOf(api: Api): Promise<Position | undefined> {
  if (!(await api.isPatchbay())) return undefined;
  const { info } = await api.own("GET", "/changes?limit=1");
  const epoch = member(info, "epoch");
  const revision = member(info, "revision");
  return typeof epoch === "string" && typeof revision === "number" ? { epoch, revision } : undefined;
}

/** Resolves once interconnects may have changed since. */
async function moved(api: Api, position: Position | undefined, hasHealth: boolean): Promise<void> {
  if (!position) return setTimeout(BETWEEN_READS * 1000);
  const { epoch } = position;
  for (let after = position.revision; ; ) {
    const wait = hasHealth ? BETWEEN_HEALTH : LONGEST_POLL;
    const records = await changesAfter(api, { epoch, after, wait, patience: PATIENCE });
    if (hasHealth || records === undefined || records.some(concernsInterconnects)) return;
    const last = member(records.at(-1), "revision");
    after = typeof last === "number" ? last : after;
  }
}

function concernsInterconnects(record: unknown): boolean {
  const objects = member(record, "objects");
  return (
    Array.isArray(objects) && objects.some((object: unknown) => member(object, "kind") === "interconnect")
  );
}
