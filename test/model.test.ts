/**
 * A server over HTTP against the model of it: random requests, after each of which the two agree on
 * status, answer, tags, state, revision and log.
 *
 * `PATCHBAY_TEST_LONG` runs 30 times as many. A failure prints the requests, shrunk, and the seed
 * that `PATCHBAY_TEST_SEED` takes to run the same sequences again.
 */

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Json, type JsonObject, type Request, request, type Tag } from "./harness/arbitraries.ts";
import { Model, type ModelAnswer, type ModelRequest, type SeedItem } from "./harness/model.ts";
import { isObject } from "./harness/model-check.ts";
import { IDS, TOKEN_ID, TOKEN_NAME, world } from "./harness/model-world.ts";
import { isLong, runUntilSeen } from "./harness/runs.ts";
import { problems, type Reply, startTestServer, type TestServer } from "./harness/server.ts";

const seed = process.env["PATCHBAY_TEST_SEED"];
const numRuns = isLong ? 15_000 : 500;

/** Each request has a time of its own, which the model can know. */
let second = 0;
const clock = {
  now: () => Date.parse("2026-01-01T00:00:00Z"),
  timestamp: () => new Date(clock.now() + 1000 * second).toISOString().replace("Z", "000Z"),
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { clock, seed: { name: "world", text: JSON.stringify(world) } });
});
afterAll(() => server.close());

/** Both accounts as the seed has them. */
async function reset(): Promise<Map<string, Model>> {
  const { body } = await server.ask("POST", "/patchbay/v1/reset");
  const epochs = new Map<string, string>(
    body.result.accounts.map(({ id, epoch }: Record<string, string>) => [id, epoch]),
  );
  return new Map(
    world.accounts.map(
      ({ id, flags = [], authorized_prefixes = [], virtual_subnet6, interconnects = [] }) => {
        const settings = {
          flags,
          authorized_prefixes,
          ...(virtual_subnet6 === undefined ? {} : { virtual_subnet6 }),
        };
        return [id, new Model(id, epochs.get(id) ?? "", settings, interconnects as SeedItem[])];
      },
    ),
  );
}

function overlay(under: Json | undefined, over: Json): Json {
  if (!isObject(under) || !isObject(over)) return over;
  const entries = Object.entries(over).map(([key, value]) => [key, overlay(under[key], value)]);
  return { ...under, ...Object.fromEntries(entries) };
}

function tagText(model: Model, tag: Tag, id: string | undefined): string {
  const current = model.tag(id);
  const texts: Record<Tag, string> = {
    current,
    stale: model.tag(id, 1),
    weak: `W/${current}`,
    both: `"another", ${current}`,
    any: "*",
    malformed: current.slice(1),
  };
  return texts[tag];
}

/** The request as it goes over the wire, made for what the interconnects are at this moment. */
function spell(asked: Request, model: Model): ModelRequest {
  const { what, header, validateOnly, ifMatch, ifNoneMatch } = asked;
  const form = header === "true" ? "object" : "text";
  const shown = model.list(form).filter(isObject);
  const bodyOf = (
    { id, echo, update }: Extract<Request["what"], { one: unknown }>["one"],
    inPath: boolean,
  ): Json => {
    const named = typeof id === "number" ? IDS[id] : undefined;
    const base = echo ? shown.find((one) => one["id"] === named) : undefined;
    if (id === "missing" || (inPath && typeof id === "number")) return overlay(base, update);
    return overlay(base, { id: typeof id === "number" ? (named ?? null) : id.given, ...update });
  };
  let id: string | undefined;
  let body: Json;
  if ("one" in what) {
    const { id: given } = what.one;
    id = given === "missing" ? "0".repeat(32) : (IDS[typeof given === "number" ? given : 0] ?? "");
    body = bodyOf(what.one, true);
  } else if ("rotate" in what) {
    const { rotate, field } = what;
    const values = rotate.map((n) => shown[n]?.[field] ?? "");
    body = rotate.map((n, at) => ({ id: IDS[n] ?? "", [field]: values[(at + 1) % rotate.length] ?? "" }));
  } else if ("body" in what) {
    id = what.to === "one" ? IDS[0] : undefined;
    body = what.body;
  } else {
    const elements = what.many.map((element) => bodyOf(element, false));
    body = { wrapped: { interconnects: elements }, list: elements, bare: elements[0] ?? {} }[what.as];
  }
  const text = (tag: Tag | undefined) => tag && tagText(model, tag, id);
  const time = clock.timestamp();
  return { id, body, header, validateOnly, time, ifMatch: text(ifMatch), ifNoneMatch: text(ifNoneMatch) };
}

function send(account: string, asked: ModelRequest): Promise<Reply> {
  const { id, body, header, validateOnly, ifMatch, ifNoneMatch } = asked;
  const query = validateOnly === undefined ? "" : `?validate_only=${validateOnly}`;
  const path = `/client/v4/accounts/${account}/magic/cf_interconnects${id === undefined ? "" : `/${id}`}${query}`;
  const headers = {
    ...(header === undefined ? {} : { "x-magic-new-hc-target": header }),
    ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { "if-none-match": ifNoneMatch }),
  };
  return server.ask("PUT", path, { headers, body: JSON.stringify(body) });
}

/** Throws with both sides when they differ. */
function agree(about: string, ofServer: unknown, ofModel: unknown): void {
  if (!isDeepStrictEqual(ofServer, ofModel)) expect(ofServer, about).toStrictEqual(ofModel);
}

function compareAnswers(reply: Reply, expected: ModelAnswer): void {
  if ("problems" in expected) {
    agree("problems", reply.status < 400 ? reply.body : problems(reply).sort(), expected.problems.toSorted());
    agree("status", reply.status, expected.status);
    return;
  }
  agree("problems", reply.status < 400 ? [] : reply.body.errors, []);
  agree("answer", reply.body, expected.body);
  agree("etag", reply.headers.get("etag") ?? undefined, expected.etag);
}

/** State, revision and newest record of the log. */
async function compareAccounts(account: string, model: Model, changedBy: string | undefined): Promise<void> {
  const own = `/patchbay/v1/accounts/${account}`;
  const [state, changes] = await Promise.all([
    server.ask("GET", `${own}/state`),
    server.ask("GET", `${own}/changes?limit=1`),
  ]);
  agree("state", state.body.result, model.state());
  agree("the log's position", changes.body.result_info.revision, model.revision);
  const [newest] = changes.body.result as JsonObject[];
  const { request_id, actor, address, ...rest } = newest ?? {};
  const expected = model.log.at(-1);
  if (!expected) return agree("the log's newest", rest["operation"], "seed");
  agree("the log's newest", rest, expected);
  agree("the actor", actor, { type: "token", id: TOKEN_ID, name: TOKEN_NAME });
  agree("where it came from", address, "127.0.0.1");
  if (changedBy !== undefined) agree("the request that changed it", request_id, changedBy);
}

/** How often each thing happened, so that what never happens does not pass for proved. */
const seen = new Map<string, number>();
const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);

const outcomes = [
  ...["one", "many"].flatMap((by) =>
    ["changed", "left as it was", "validated", "refused"].map((what) => `${by} ${what}`),
  ),
  ...["wrapped", "list", "bare", "rotated name", "rotated interface_address", "rotated interface_address6"],
  // Every refusal of the two operations, by its code.
  ...[
    "1022",
    "990011",
    "990013",
    "990014",
    "990019",
    "990020",
    "990021",
    "990022",
    "990023",
    "990024",
    "990025",
  ],
  ...["990026", "990027", "990028", "990029", "990030", "990031", "990032", "990033", "990034", "990035"],
];

function countAnswer(asked: Request, wire: ModelRequest, answer: ModelAnswer, moved: boolean): void {
  const by = wire.id === undefined ? "many" : "one";
  count(by);
  if ("as" in asked.what) count(asked.what.as);
  if ("rotate" in asked.what && moved) count(`rotated ${asked.what.field}`);
  if ("problems" in answer) {
    count(`${by} refused`);
    for (const code of new Set(answer.problems.map((text) => text.split(" ", 1)[0]))) count(String(code));
  } else if (["true", "1"].includes(wire.validateOnly ?? "")) count(`${by} validated`);
  else count(`${by} ${moved ? "changed" : "left as it was"}`);
}

test("server and model agree on whatever is asked", { timeout: isLong ? 3_600_000 : 300_000 }, async () => {
  const sequence = fc.array(request, { minLength: 1, maxLength: 14, size: "max" });
  const property = fc.asyncProperty(sequence, async (requests) => {
    const models = await reset();
    for (const asked of requests) {
      const model = models.get(asked.account);
      if (!model) throw new Error(`There is no model of ${asked.account}.`);
      second++;
      const wire = spell(asked, model);
      const before = model.revision;
      const reply = await send(asked.account, wire);
      const expected = model.update(wire);
      const moved = model.revision !== before;
      try {
        compareAnswers(reply, expected);
        await compareAccounts(asked.account, model, moved ? (reply.headers.get("cf-ray") ?? "") : undefined);
      } catch (error) {
        throw new Error(`They disagree after ${JSON.stringify(wire, undefined, 1)}`, { cause: error });
      }
      countAnswer(asked, wire, expected, moved);
    }
    for (const [account, model] of models) {
      const [list, changes] = await Promise.all([
        server.ask("GET", `/client/v4/accounts/${account}/magic/cf_interconnects`),
        server.ask("GET", `/patchbay/v1/accounts/${account}/changes?after=1`),
      ]);
      agree("list", list.body.result.interconnects, model.list("text"));
      agree("list's etag", list.headers.get("etag"), model.tag(undefined));
      const records = (changes.body.result as JsonObject[]).map(
        ({ request_id: _, actor: __, address: ___, ...record }) => record,
      );
      agree("log", records, model.log);
    }
  });
  const rare = () => outcomes.filter((what) => (seen.get(what) ?? 0) < 5);
  await fc.assert(property, { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });
  // The rarest outcome is seen about six times in 500 runs: by chance more runs are needed.
  await runUntilSeen(() => fc.assert(property, { numRuns: 250 }), rare);
});
