/** The seven operations of Magic static routes. */

import type { Entry } from "../../account/state.ts";
import {
  createRoutes,
  deleteRoute,
  deleteRoutes,
  staticRouteKind,
  updateRoute,
  updateRoutes,
} from "../../account/static-route.ts";
import { isSliceSpent, nextSlice } from "../../store/time-slice.ts";
import type { Call, Routes } from "../call.ts";
import { etag, judgeReading } from "../conditional.ts";
import type { AppContext } from "../context.ts";
import { assemble, encodeStaticRoute } from "../encode.ts";
import { type Answer, QUIET, wrap } from "../envelope.ts";
import { readBody } from "../read-request.ts";
import { refuse } from "../refusal.ts";
import {
  circumstances,
  type Elements,
  granted,
  isDry,
  judgeWriting,
  messagesOf,
  type Naming,
  readElements,
  readWrapped,
} from "../writing.ts";

const kind = staticRouteKind.name;
const naming: Naming = { member: "routes", what: "Route" };

export function addStaticRoutes(routes: Routes, { clock, newId }: AppContext): void {
  routes.account("listRoutes", async (call) => {
    const { state } = call.account;
    const tag = etag(state.epoch, state.collectionRevision(kind));
    const unchanged = judgeReading(call.request.headers, tag);
    if (unchanged) return unchanged;
    const routes = state.list(kind).values().map(encodeStaticRoute);
    const body = await assemble('{"result":{"routes":[', routes, `]}${QUIET}`);
    return { status: 200, body, headers: { etag: tag } };
  });

  routes.account("getRoute", (call) => {
    const { state } = call.account;
    const id = idOf(call);
    const entry = state.get(kind, id);
    if (!entry) throw refuse("route_not_found", { id });
    const tag = etag(state.epoch, entry.revision);
    const answer = () => ({
      status: 200,
      body: wrap(`{"route":${encodeStaticRoute(entry)}}`),
      headers: { etag: tag },
    });
    return judgeReading(call.request.headers, tag) ?? answer();
  });

  routes.account("createRoutes", async (call) => {
    const dry = isDry(call);
    const condition = judgeWriting(call, kind);
    const { elements, pointerOf, bare } = readNew(await readBody(call.request));
    const command = createRoutes({ elements, pointerOf, condition }, newId, circumstances(call, clock));
    const decision = granted(await call.submit(command, dry));
    const [first] = decision.results;
    const created =
      bare && first ? encodeStaticRoute(first) : `{"routes":${await encodeAll(decision.results)}}`;
    return written(call, created, decision.change?.record.revision, dry);
  });

  routes.account("updateRoutes", async (call) => {
    const dry = isDry(call);
    const condition = judgeWriting(call, kind);
    const { elements, pointerOf } = readElements(await readBody(call.request), naming);
    const command = updateRoutes({ elements, pointerOf, condition }, circumstances(call, clock));
    const { results, change } = granted(await call.submit(command, dry));
    const body = `{"modified":${results.length > 0},"modified_routes":${await encodeAll(results)}}`;
    return written(call, body, change?.record.revision, dry);
  });

  routes.account("updateRoute", async (call) => {
    const dry = isDry(call);
    const condition = judgeWriting(call, kind);
    const update = await readBody(call.request);
    const command = updateRoute(idOf(call), update, condition, circumstances(call, clock));
    const { results, change } = granted(await call.submit(command, dry));
    const [entry] = results;
    if (!entry) throw new Error("An accepted update has no result.");
    const body = `{"modified":true,"modified_route":${encodeStaticRoute(entry)}}`;
    return written(call, body, change ? change.record.revision : entry.revision, dry && change !== undefined);
  });

  routes.account("deleteRoutes", async (call) => {
    const dry = isDry(call);
    const condition = judgeWriting(call, kind);
    const named = hasBody(call) ? readNamed(await readBody(call.request)) : undefined;
    const command = deleteRoutes(named ? { ...named, condition } : condition, circumstances(call, clock));
    const { removed, change } = granted(await call.submit(command, dry));
    const body = `{"deleted":${removed.length > 0},"deleted_routes":${await encodeAll(removed)}}`;
    return written(call, body, change?.record.revision, dry);
  });

  routes.account("deleteRoute", async (call) => {
    const dry = isDry(call);
    const command = deleteRoute(idOf(call), judgeWriting(call, kind), circumstances(call, clock));
    const { removed } = granted(await call.submit(command, dry));
    const [entry] = removed;
    if (!entry) throw new Error("An accepted removal has no result.");
    return {
      status: 200,
      body: wrap(`{"deleted":true,"deleted_route":${encodeStaticRoute(entry)}}`, messagesOf(call, dry)),
    };
  });
}

function idOf(call: Call): string {
  return call.params["route_id"] ?? "";
}

/** A list of up to 10,000 routes. */
async function encodeAll(entries: readonly Entry[]): Promise<string> {
  const texts: string[] = [];
  for (const entry of entries) {
    texts.push(encodeStaticRoute(entry));
    if (isSliceSpent()) await nextSlice();
  }
  return `[${texts.join(",")}]`;
}

/** The answer to a write, with the tag of what it made, if it was made. */
function written(call: Call, result: string, revision: number | undefined, dry: boolean): Answer {
  const body = wrap(result, messagesOf(call, isDry(call)));
  const made = revision !== undefined && !dry;
  return { status: 200, body, headers: made ? { etag: etag(call.account.state.epoch, revision) } : {} };
}

function hasBody({ request }: Call): boolean {
  return request.body instanceof Uint8Array && request.body.length > 0;
}

/** What is to be made: one bare route, or several under `routes`. */
function readNew(body: unknown): Elements & { readonly bare: boolean } {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) {
    if (Object.hasOwn(body, naming.member)) return { ...readWrapped(body, naming), bare: false };
    return { elements: [body], pointerOf: () => "", bare: true };
  }
  const detail = 'the body must be an object such as {"prefix": "…", "nexthop": "…", "priority": 100}';
  throw refuse("invalid_request", { detail }, "");
}

/** What is to go. A body that names nothing is a mistake: without any, all routes go. */
function readNamed(body: unknown): Elements {
  if (typeof body === "object" && body !== null && !Array.isArray(body) && !Object.hasOwn(body, "id")) {
    if (Object.keys(body).length === 0) throw refuse("missing_field", { field: naming.member, hint: "" }, "");
  }
  return readElements(body, naming);
}
