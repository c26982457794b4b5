/** Random requests that no well-behaved client sends, built from the published description of an operation. */

import { JSON_TYPE } from "../../src/contract/openapi/responses.ts";
import type { DescribedOperation } from "./contract.ts";
import type { Chance } from "./random.ts";
import { rawRequest } from "./raw.ts";
import { ACCOUNT, demo, ORD, OTHER_ACCOUNT, SIN } from "./server.ts";

const words = [
  "",
  "0",
  "-1",
  "1e9",
  "NaN",
  "null",
  "true",
  "__proto__",
  "constructor",
  "%00",
  "%zz",
  "%2e%2e",
  "..",
  "a/b",
  "é",
  "x".repeat(600),
  "\u202e",
  "'\"<>",
  ORD,
  SIN,
  ACCOUNT,
  OTHER_ACCOUNT,
  "1",
  "2",
  demo.route,
  "2026-01-01T00:00:00Z",
  "10.0.0.0/8",
  "2001:db8::/32",
  "GET",
  "desc",
  "a,b",
  "*",
];
/** Without dots, which the URLs of the judge resolve; test/hostile-http.test.ts has them. */
const segments = words.filter((word) => word !== ".." && word !== "%2e%2e");
const values: readonly unknown[] = [
  ...words,
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  [],
  {},
  [[]],
  [null],
  { a: 1 },
  { __proto: {} },
  "\0",
  "\ud800",
];
const credentials = [
  ...Array<string>(12).fill(`Authorization: Bearer ${demo.token}`),
  ...demo.tokens.map((token) => `Authorization: Bearer ${token}`),
  `X-Auth-Email: ${demo.email}\r\nX-Auth-Key: ${demo.key}`,
  `X-Auth-Key: ${demo.key}`,
  "Authorization: Basic eA==",
  "Authorization: Bearer",
  "Cookie: patchbay_session=x",
  "",
];
const headerNames = [
  "If-Match",
  "If-None-Match",
  "X-Magic-New-HC-Target",
  "x-patchbay-confirm-within",
  "x-patchbay-revert-on",
  "x-patchbay-reason",
  "Origin",
  "X-Forwarded-For",
  "Content-Encoding",
  "Expect",
  "Accept",
  "Transfer-Encoding",
  "Content-Type",
  "Host",
];

/** A value with one of its parts replaced, removed or added. */
function mutated(chance: Chance, value: unknown): unknown {
  if (chance.next() < 0.25 || typeof value !== "object" || value === null) return chance.pick(values);
  const entries = Object.entries(value);
  const at = chance.below(entries.length + 1);
  const [name, inner] = entries[at] ?? [chance.pick(words), undefined];
  const changed = chance.next() < 0.7 && inner !== undefined ? mutated(chance, inner) : chance.pick(values);
  const others = chance.next() < 0.15 ? entries.filter((_, index) => index !== at) : entries;
  if (Array.isArray(value))
    return [...others.map(([, one]) => one), ...(chance.next() < 0.5 ? [changed] : [])];
  return Object.fromEntries([...others, [name, changed]]);
}

export interface HostileRequest {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly bytes: Buffer;
}

/** A request to an operation, most likely a malformed one. The same chance makes the same requests. */
export function hostileRequest(
  chance: Chance,
  { path, method, operation }: DescribedOperation,
): HostileRequest {
  const { parameters, operationId, requestBody } = operation;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const known = parameters.find((one) => one.in === "path" && one.name === name)?.example;
    const word = chance.next() < 0.8 ? String(known ?? "") : chance.pick(segments);
    return chance.next() < 0.9 ? encodeURIComponent(word) : word.replaceAll(/[\s#?]/g, "");
  });
  const queried = parameters
    .filter((one) => one.in === "query" && (one.required || chance.next() < 0.3))
    // A request that waits for a change would wait for its full time.
    .map(({ name, example }) => [
      name,
      name === "wait" ? "0" : chance.next() < 0.6 ? String(example ?? "1") : chance.pick(words),
    ]);
  if (chance.next() < 0.1) queried.push([chance.pick(words), chance.pick(words)]);
  const query = queried.map(
    ([name = "", value = ""]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  const target = query.length === 0 ? filled : `${filled}?${query.join("&")}`;
  const verb =
    chance.next() < 0.97 ? method.toUpperCase() : chance.pick(["GET", "PUT", "POST", "DELETE", "PATCH"]);
  const headers = [
    chance.pick(credentials),
    ...(chance.next() < 0.2 ? [`${chance.pick(headerNames)}: ${chance.pick(words)}`] : []),
  ];
  let body: string | undefined;
  if (verb !== "GET" && (requestBody || chance.next() < 0.1)) {
    let value: unknown = requestBody?.content[JSON_TYPE]?.example ?? {};
    for (let rounds = chance.below(4); rounds > 0; rounds--) value = mutated(chance, value);
    const text = JSON.stringify(value) ?? "";
    body = chance.next() < 0.95 ? text : text.slice(0, chance.below(text.length + 1));
  }
  const lines = headers.filter((line) => line !== "").flatMap((line) => line.split("\r\n"));
  const asked = { method: verb, path: target.replaceAll(/[^\x21-\x7e]/g, "é"), token: null, headers: lines };
  return {
    operation: operationId,
    method: verb,
    path: asked.path,
    bytes: rawRequest({ ...asked, ...(body === undefined ? {} : { body }) }),
  };
}
