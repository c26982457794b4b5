/** Clients that read and write the same few interconnects through random servers, and note what each was told. */

import { setImmediate } from "node:timers/promises";
import { OPERATOR_TOKENS, policy } from "./directory.ts";
import type { Fleet } from "./fleet.ts";
import type { Credential, Exchange, Outcome, Values, Wanted } from "./history.ts";
import type { Chance } from "./random.ts";
import type { Plain } from "./replay.ts";
import { OWN_TOKEN } from "./seeds.ts";
import { ACCOUNT, type Ask, ask, LIST, one, type Reply } from "./server.ts";
import { verdict } from "./standing.ts";

/** More than there are interconnects, so that some are free. */
const NAMES = ["amber", "beryl", "coral", "delta", "ember"];
const OBJECTS = { "x-magic-new-hc-target": "true" };

interface Bearer {
  readonly token: string;
  readonly credential?: Credential;
}

interface Waiting {
  readonly kinds: ReadonlySet<string>;
  left: number;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

export class Traffic {
  readonly #fleet: Fleet;
  readonly #chance: Chance;
  readonly #ids: readonly string[];
  readonly #name: string;
  /** The tags told last, of each interconnect and of all. */
  readonly #tags = new Map<string | undefined, string>();
  readonly #running: Promise<void>[] = [];
  #over = false;
  #bearers: Bearer[] = [{ token: OWN_TOKEN }];
  #waiting: Waiting[] = [];
  #failure: { readonly error: unknown } | undefined;
  #marks = 0;
  readonly exchanges: Exchange[] = [];

  /** `name` makes the marks of this traffic unlike those of any other. */
  constructor(fleet: Fleet, chance: Chance, ids: readonly string[], name: string) {
    this.#fleet = fleet;
    this.#chance = chance;
    this.#ids = ids;
    this.#name = name;
  }

  begin(clients: number): void {
    const failed = (error: unknown) => {
      this.#over = true;
      this.#failure ??= { error };
      for (const { fail } of this.#waiting.splice(0)) fail(error);
    };
    for (let client = 0; client < clients; client++) this.#running.push(this.#client().catch(failed));
  }

  /** Lets every client finish what it is at. Throws what one of them met that nobody should. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
    if (this.#failure) throw this.#failure.error;
  }

  /** Resolves after so many more outcomes of these kinds. */
  after(count: number, ...kinds: readonly Outcome["kind"][]): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    return new Promise((done, fail) =>
      this.#waiting.push({ kinds: new Set(kinds), left: count, done, fail }),
    );
  }

  async #client(): Promise<void> {
    while (!this.#over) {
      await this.#exchange();
      // Nobody is there to be asked: let others have their turn.
      await setImmediate();
    }
  }

  async #exchange(): Promise<void> {
    const url = this.#fleet.any(this.#chance);
    if (url === undefined) return;
    const { token, credential } = this.#chance.pick(this.#bearers);
    const wanted = this.#wish();
    const { method, path, asked } = requestOf(wanted);
    const start = performance.now();
    const reply = await ask(url, method, path, { ...asked, token }).catch(whenBroken);
    const end = performance.now();
    const outcome = outcomeOf(wanted, reply);
    this.exchanges.push({ start, end, wanted, outcome, credential });
    this.#note(wanted, outcome);
  }

  #wish(): Wanted {
    const chance = this.#chance;
    const id = chance.pick(this.#ids);
    const tag = (of: string | undefined) => (chance.below(3) === 0 ? this.#tags.get(of) : undefined);
    const kind = chance.below(10);
    if (kind < 3) {
      const noneMatch = tag(id);
      return { kind: "read", id, ...(noneMatch !== undefined && { noneMatch }) };
    }
    if (kind < 4) {
      const noneMatch = tag(undefined);
      return { kind: "list", ...(noneMatch !== undefined && { noneMatch }) };
    }
    const bulk = chance.below(3) === 0;
    const ids = bulk ? chance.some(this.#ids, chance.between(1, this.#ids.length)) : [id];
    const ifMatch = tag(bulk ? undefined : id);
    const dry = chance.below(6) === 0;
    const values: Values = {
      description: `${this.#name}-${this.#marks++}`,
      ...(chance.below(2) === 0 && { mtu: chance.between(576, 1476) }),
      ...(!bulk && chance.below(3) === 0 && { name: chance.pick(NAMES) }),
    };
    return { kind: "write", ids, bulk, values, dry, ...(ifMatch !== undefined && { ifMatch }) };
  }

  #note(wanted: Wanted, outcome: Outcome): void {
    const { kind } = outcome;
    if (kind === "told" && outcome.etag !== undefined)
      this.#tags.set(wanted.kind === "read" ? wanted.id : undefined, outcome.etag);
    if (kind === "made") {
      this.#tags.set(undefined, outcome.etag);
      for (const { id } of outcome.objects as readonly { id: string }[]) this.#tags.set(id, outcome.etag);
    }
    for (const waiting of this.#waiting) {
      if ((waiting.kinds.size === 0 || waiting.kinds.has(kind)) && --waiting.left === 0) waiting.done();
    }
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
  }

  /** Makes a token, lets clients use it for a while, and revokes it while they do. */
  async comeAndGo(requests: number): Promise<void> {
    const body = {
      name: "for a while",
      policies: [policy(["magicWanWrite"], [`account.${ACCOUNT}`])],
    };
    const made = await this.#insist("POST", OPERATOR_TOKENS, body);
    const { id, value } = made.body.result;
    const credential = { endAsked: Number.POSITIVE_INFINITY, ended: Number.POSITIVE_INFINITY };
    const bearer = { token: value, credential };
    this.#bearers.push(bearer);
    await this.after(requests);
    credential.endAsked = performance.now();
    await this.#insist("DELETE", `${OPERATOR_TOKENS}/${id}`);
    credential.ended = performance.now();
    await this.after(requests, "forbidden");
    this.#bearers = this.#bearers.filter((other) => other !== bearer);
  }

  /** Asks until there is an answer that is final. */
  async #insist(method: string, path: string, body?: unknown): Promise<Reply> {
    for (;;) {
      const url = this.#fleet.any(this.#chance);
      const asked = { token: OWN_TOKEN, ...(body !== undefined && { body }) };
      const reply = url === undefined ? undefined : await ask(url, method, path, asked).catch(whenBroken);
      if (reply && reply.status < 500) {
        // What an earlier attempt deleted is not there any more.
        if (reply.status === 200 || (method === "DELETE" && reply.status === 404)) return reply;
        throw new Error(`${method} ${path} is refused: ${verdict(reply)}`);
      }
      await setImmediate();
    }
  }
}

function requestOf(wanted: Wanted): { method: string; path: string; asked: Ask } {
  if (wanted.kind !== "write") {
    const { noneMatch } = wanted;
    const headers = { ...OBJECTS, ...(noneMatch !== undefined && { "if-none-match": noneMatch }) };
    return { method: "GET", path: wanted.kind === "list" ? LIST : one(wanted.id), asked: { headers } };
  }
  const { ids, bulk, values, ifMatch, dry } = wanted;
  const headers = { ...OBJECTS, ...(ifMatch !== undefined && { "if-match": ifMatch }) };
  const body = bulk ? { interconnects: ids.map((id) => ({ id, ...values })) } : values;
  const path = bulk ? LIST : one(ids[0] ?? "");
  return { method: "PUT", path: dry ? `${path}?validate_only=true` : path, asked: { headers, body } };
}

/** Throws on an answer that nobody should ever be given. */
function outcomeOf(wanted: Wanted, reply: Reply | undefined): Outcome {
  if (!reply) return { kind: "unknown" };
  const told = verdict(reply);
  if (reply.status === 304) return { kind: "unchanged" };
  if (reply.status === 200) return acknowledged(wanted, reply);
  if (told === "503 990041") return { kind: "unknown" };
  if (told === "503 990002" || told === "503 990123") return { kind: "away" };
  if (told === "403 9109") return { kind: "forbidden" };
  if (wanted.kind === "write" && [400, 412].includes(reply.status)) return { kind: "refused", verdict: told };
  throw new Error(`A ${wanted.kind} was answered with ${told}: ${JSON.stringify(reply.body)}`);
}

function acknowledged(wanted: Wanted, { headers, body }: Reply): Outcome {
  const objects = objectsOf(body.result);
  const etag = headers.get("etag") ?? undefined;
  if (wanted.kind !== "write" || wanted.dry) return { kind: "told", etag, objects };
  const revision = Number(headers.get("x-patchbay-revision") ?? Number.NaN);
  return { kind: "made", revision, etag: etag ?? "", requestId: headers.get("cf-ray") ?? "", objects };
}

interface Result {
  readonly interconnect?: Plain;
  readonly interconnects?: readonly Plain[];
  readonly modified_interconnect?: Plain;
  readonly modified_interconnects?: readonly Plain[];
}

function objectsOf(result: Result): readonly Plain[] {
  const { interconnect, interconnects, modified_interconnect, modified_interconnects } = result;
  const alone = interconnect ?? modified_interconnect;
  return alone ? [alone] : (interconnects ?? modified_interconnects ?? []);
}

/** What a request fails with when the other end is gone; everything else is a failure of the test. */
function whenBroken(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error;
}
