/** What clients asked of several servers and what each was told, judged by the log that there is in the end. */

import { isDeepStrictEqual } from "node:util";
import type { ChangeRecord } from "../../src/account/change.ts";
import { judgeOrder, type Made, type Told } from "./order.ts";
import { type Plain, type Replay, replay } from "./replay.ts";

/** Fields of an interconnect that clients set. */
export interface Values {
  readonly description: string;
  readonly mtu?: number;
  readonly name?: string;
}

export type Wanted =
  | { readonly kind: "read"; readonly id: string; readonly noneMatch?: string }
  | { readonly kind: "list"; readonly noneMatch?: string }
  | {
      readonly kind: "write";
      readonly ids: readonly string[];
      /** By the operation on many, whose condition is on all. */
      readonly bulk: boolean;
      /** The description is unlike any other's. */
      readonly values: Values;
      readonly ifMatch?: string;
      readonly dry: boolean;
    };

export type Outcome =
  | { readonly kind: "told"; readonly etag: string | undefined; readonly objects: readonly Plain[] }
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "made";
      readonly revision: number;
      readonly etag: string;
      readonly requestId: string;
      readonly objects: readonly Plain[];
    }
  /** By the state: `status code`. */
  | { readonly kind: "refused"; readonly verdict: string }
  /** The credential is no good. */
  | { readonly kind: "forbidden" }
  /** Not just now, and nothing was done. */
  | { readonly kind: "away" }
  /** Nobody was told. */
  | { readonly kind: "unknown" };

export interface Exchange {
  readonly start: number;
  /** Also where nothing was told: when the client gave up. */
  readonly end: number;
  readonly wanted: Wanted;
  readonly outcome: Outcome;
  readonly credential?: Credential | undefined;
}

/** A token that may go. It was good before the first request that bears it. */
export interface Credential {
  /** When somebody asked for its end, and when that was acknowledged. */
  endAsked: number;
  ended: number;
}

/** An account at a revision that all clients knew before they began, and the log from there on. */
export interface Account {
  readonly epoch: string;
  readonly first: number;
  readonly objects: readonly Plain[];
  /** The revision of the last change of each object, and of any. */
  readonly revisions: ReadonlyMap<string, number>;
  readonly newest: number;
  readonly log: readonly ChangeRecord[];
}

const PRECONDITION = "412 990014";
const NAME_TAKEN = "400 990027";

/** How every object stood at each revision. */
class Past {
  readonly #epoch: string;
  readonly #first: number;
  readonly #at: {
    objects: ReadonlyMap<string, Plain>;
    revisions: ReadonlyMap<string, number>;
    newest: number;
  }[];

  constructor({ epoch, first, objects, revisions, newest, log }: Account) {
    this.#epoch = epoch;
    this.#first = first;
    const now: Replay = new Map(objects.map((object) => [`interconnect/${object["id"]}`, object]));
    const tags = new Map(revisions);
    this.#at = [{ objects: new Map(now), revisions: new Map(tags), newest }];
    for (const record of log) {
      replay(now, record);
      for (const { id } of record.objects) tags.set(id, record.revision);
      this.#at.push({ objects: new Map(now), revisions: new Map(tags), newest: record.revision });
    }
  }

  #then(revision: number) {
    return this.#at[revision - this.#first];
  }

  object(id: string, revision: number): Plain | undefined {
    return this.#then(revision)?.objects.get(`interconnect/${id}`);
  }

  objects(revision: number): Plain[] {
    return [...(this.#then(revision)?.objects.values() ?? [])];
  }

  /** The tag of an object, or of all. */
  tag(id: string | undefined, revision: number): string {
    const then = this.#then(revision);
    return `"${this.#epoch}-${id === undefined ? then?.newest : then?.revisions.get(id)}"`;
  }

  isHeldByAnother(name: string, id: string | undefined, revision: number): boolean {
    return this.objects(revision).some((object) => object["name"] === name && object["id"] !== id);
  }
}

export interface Verdict {
  readonly faults: readonly string[];
  /** Writes of which nobody was told and that are not in the log yet: they may come later. */
  readonly open: readonly Exchange[];
}

/** Judges a history. The faults are sentences, none if everything that was told can have been. */
export function judgeHistory(account: Account, exchanges: readonly Exchange[]): Verdict {
  const { first, log } = account;
  const last = first + log.length;
  const gap = log.findIndex(({ revision }, index) => revision !== first + 1 + index);
  if (gap >= 0) return { faults: [`revision ${first + 1 + gap} is not in the log`], open: [] };
  const past = new Past(account);
  const faults: string[] = [];
  const events: (Made | Told)[] = [];
  const open: Exchange[] = [];
  const records = byMark(log, faults);
  for (const exchange of exchanges) {
    const { wanted, outcome } = exchange;
    const what = describe(exchange);
    const complain = (sentence: string) => faults.push(`${what} ${sentence}`);
    judgeCredential(exchange, complain);
    const record = wanted.kind === "write" ? records.get(wanted.values.description) : undefined;
    if (wanted.kind === "write" && record) {
      records.delete(wanted.values.description);
      judgeRecord(wanted, record, past, complain);
      if (outcome.kind === "made") judgeAcknowledged(outcome, record, past, complain);
      else if (outcome.kind !== "unknown" || wanted.dry)
        complain(`is revision ${record.revision}, though nothing was to be done`);
      if (exchange.credential && exchange.start > exchange.credential.ended)
        complain(`is revision ${record.revision}, with a token that was revoked before`);
      const end = outcome.kind === "made" ? exchange.end : Number.POSITIVE_INFINITY;
      events.push({ start: exchange.start, end, what, at: record.revision });
    } else if (outcome.kind === "made") {
      complain(`was acknowledged as revision ${outcome.revision} and is lost`);
    } else if (outcome.kind === "unknown") {
      if (wanted.kind === "write" && !wanted.dry) open.push(exchange);
    } else {
      const fits = fitting(wanted, outcome, past);
      if (fits) events.push({ start: exchange.start, end: exchange.end, what, fits });
    }
  }
  for (const { revision } of records.values()) faults.push(`revision ${revision} was asked for by nobody`);
  return { faults: [...faults, ...judgeOrder(events, { first, last })], open };
}

/** The records by the mark that each leaves on its objects. */
function byMark(log: readonly ChangeRecord[], faults: string[]): Map<unknown, ChangeRecord> {
  const records = new Map<unknown, ChangeRecord>();
  for (const record of log) {
    const mark = record.objects[0]?.fields["description"]?.after;
    const twin = records.get(mark);
    if (twin)
      faults.push(`"${mark}" is in the log twice, as revision ${twin.revision} and ${record.revision}`);
    records.set(mark, record);
  }
  return records;
}

function judgeCredential(
  { start, end, outcome, credential }: Exchange,
  complain: (sentence: string) => void,
) {
  const forbidden = outcome.kind === "forbidden";
  if (forbidden && (!credential || end < credential.endAsked))
    complain("was refused a credential that was good");
  const passed = !forbidden && outcome.kind !== "away" && outcome.kind !== "unknown";
  if (passed && credential && start > credential.ended)
    complain("passed with a token that was revoked before");
}

type Write = Extract<Wanted, { kind: "write" }>;
type Acknowledged = Extract<Outcome, { kind: "made" }>;

/** Does a record make what was asked for, of what was there? */
function judgeRecord(
  wanted: Write,
  { revision, objects }: ChangeRecord,
  past: Past,
  complain: (sentence: string) => void,
): void {
  const ids = objects.map(({ id }) => id);
  if (!isDeepStrictEqual(ids, wanted.ids)) complain(`changed ${ids.join(", ")}`);
  for (const { id, fields } of objects) {
    const [before, after] = [past.object(id, revision - 1), past.object(id, revision)];
    if (!shows(after, wanted.values)) complain(`made of ${id} what was not asked for`);
    for (const [field, change] of Object.entries(fields)) {
      if (field in wanted.values && change.before !== before?.[field])
        complain(`was decided on another ${field} than ${id} had`);
    }
  }
  const why = refusalOf(wanted, past, revision - 1);
  if (why) complain(`is revision ${revision}, but was to be refused there (${why})`);
}

function judgeAcknowledged(
  { revision, etag, requestId, objects }: Acknowledged,
  record: ChangeRecord,
  past: Past,
  complain: (sentence: string) => void,
): void {
  if (record.revision !== revision)
    complain(`is revision ${record.revision}, but was told to be ${revision}`);
  if (record.request_id !== requestId)
    complain(`is in the log as request ${record.request_id}, not ${requestId}`);
  if (etag !== past.tag(undefined, record.revision)) complain(`was told the tag ${etag}`);
  const made = record.objects.map(({ id }) => past.object(id, record.revision));
  if (!isDeepStrictEqual(objects, made)) complain("was told another result than there was");
}

/** What a write is refused with on the state of a revision; `undefined` if it is not. */
function refusalOf(wanted: Write, past: Past, revision: number): string | undefined {
  const { ids, bulk, values, ifMatch } = wanted;
  const [id] = ids;
  if (ifMatch !== undefined && ifMatch !== past.tag(bulk ? undefined : id, revision)) return PRECONDITION;
  if (values.name !== undefined && past.isHeldByAnother(values.name, id, revision)) return NAME_TAKEN;
  return undefined;
}

/** Whether an answer can have been given at a revision; `undefined` of one that tells nothing of the state. */
function fitting(wanted: Wanted, outcome: Outcome, past: Past): Told["fits"] | undefined {
  if (wanted.kind === "write") {
    if (outcome.kind === "refused")
      return (revision) => refusalOf(wanted, past, revision) === outcome.verdict;
    if (outcome.kind !== "told") return undefined;
    const changed = new Set([...Object.keys(wanted.values), "modified_on"]);
    const rest = (object: Plain | undefined) =>
      Object.fromEntries(Object.entries(object ?? {}).filter(([field]) => !changed.has(field)));
    return (revision) =>
      refusalOf(wanted, past, revision) === undefined &&
      outcome.objects.length === wanted.ids.length &&
      wanted.ids.every((id, index) => {
        const would = outcome.objects[index];
        return shows(would, wanted.values) && isDeepStrictEqual(rest(would), rest(past.object(id, revision)));
      });
  }
  const id = wanted.kind === "read" ? wanted.id : undefined;
  if (outcome.kind === "unchanged") return (revision) => past.tag(id, revision) === wanted.noneMatch;
  if (outcome.kind !== "told") return undefined;
  return (revision) =>
    outcome.etag === past.tag(id, revision) &&
    isDeepStrictEqual(
      outcome.objects,
      id === undefined ? past.objects(revision) : [past.object(id, revision)],
    );
}

function shows(object: Plain | undefined, values: Values): boolean {
  return Object.entries(values).every(([field, value]) => object?.[field] === value);
}

function describe({ wanted, outcome }: Exchange): string {
  if (wanted.kind !== "write")
    return `a ${wanted.kind} (${outcome.kind} ${"etag" in outcome ? outcome.etag : ""})`;
  return `${wanted.dry ? "a dry write" : "a write"} of "${wanted.values.description}" (${outcome.kind})`;
}
