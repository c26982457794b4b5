/**
 * The published document as the judge of answers: what a request is for, which answers that may have,
 * and whether one is such an answer. JSON Schema is judged by Ajv here, which the server does not use.
 */

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { type ErrorEntry, errorTable } from "../../src/contract/errors.ts";
import {
  type OpenApiDocument,
  type OperationObject,
  openApiDocument,
} from "../../src/contract/openapi/document.ts";
import type { Reference, Response } from "../../src/contract/openapi/responses.ts";

const URI = "https://patchbay.example/openapi.json";

export const published: OpenApiDocument = openApiDocument({
  version: "0.0.0",
  server: "http://127.0.0.1:8787",
});

const ajv = new Ajv2020({ strict: false, allErrors: false, validateSchema: false });
formats.default(ajv);
ajv.addSchema(published, URI);

/** The document's operation by method and path, paths without parameters first. */
const described = Object.entries(published.paths)
  .flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      path,
      method,
      operation,
      pattern: new RegExp(`^${path.replaceAll(/[.]/g, "\\.").replaceAll(/\{\w+\}/g, "[^/]*")}$`),
    })),
  )
  .sort((a, b) => count(a.path) - count(b.path));

function count(path: string): number {
  return path.split("{").length;
}

export interface DescribedOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationObject;
}

/** The operation that a request is for, if the document knows one. */
export function describedOperation(method: string, url: string): DescribedOperation | undefined {
  const { pathname } = new URL(url, "http://localhost");
  const asked = `${method.toLowerCase()} ${pathname}`;
  let found = lately.get(asked);
  if (found === undefined) {
    found =
      described.find((one) => one.method === method.toLowerCase() && one.pattern.test(pathname)) ?? null;
    if (lately.size > 10_000) lately.clear();
    lately.set(asked, found);
  }
  return found ?? undefined;
}

const lately = new Map<string, DescribedOperation | null>();

/** All operations of the document. */
export const describedOperations: readonly DescribedOperation[] = described;

export function resolveResponse(response: Response | Reference): Response {
  if (!("$ref" in response)) return response;
  const shared = published.components.responses[response.$ref.replace("#/components/responses/", "")];
  if (!shared) throw new Error(`${response.$ref} is not there.`);
  return shared;
}

const validators = new Map<string, ValidateFunction>();

/** A validator of what stands at a place of the document. */
export function validatorAt(...place: readonly string[]): ValidateFunction {
  const pointer = place.map((token) => `/${token.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  let validator = validators.get(pointer);
  if (!validator) {
    // Paths have characters that are not of a URI's fragment.
    validator = ajv.compile({ $ref: `${URI}#${encodeURI(pointer)}` });
    validators.set(pointer, validator);
  }
  return validator;
}

/** An answer as it came. `body` is `undefined` if it was empty, and as parsed if it was JSON. */
export interface Answered {
  readonly status: number;
  readonly contentType: string | null | undefined;
  readonly header: (name: string) => string | null | undefined;
  readonly body: unknown;
}

/** Throws unless the document says that the request may be answered so. */
export function judgeAnswer(method: string, url: string, answered: Answered): void {
  const wrong = faultOf(method, url, answered);
  if (wrong === undefined) return;
  const shown = JSON.stringify(answered.body)?.slice(0, 2000);
  throw new Error(
    `${method} ${url} answered ${answered.status}, but by the published contract ${wrong}\n${shown}`,
  );
}

function faultOf(method: string, url: string, answered: Answered): string | undefined {
  const known = describedOperation(method, url);
  // What is asked of no operation is refused, and in the form of all refusals.
  if (!known) {
    if (answered.status < 400) return "it is no operation.";
    return faultOfBody(validatorAt("components", "schemas", "Failure"), answered.body);
  }
  const { path, operation } = known;
  const { operationId } = operation;
  const declared = operation.responses[answered.status];
  if (!declared) {
    return `${operationId} never answers ${answered.status}: name the refusal in the operation's \`refusals\`.`;
  }
  const response = resolveResponse(declared);
  for (const [name, { $ref }] of Object.entries(response.headers ?? {})) {
    const header = published.components.headers[$ref.replace("#/components/headers/", "")];
    if (header?.required && answered.header(name) == null) return `it has the header ${name}.`;
  }
  if (!response.content) {
    return answered.body === undefined ? undefined : `its body is empty.`;
  }
  const type = answered.contentType?.split(";", 1)[0]?.trim() ?? "";
  if (!Object.hasOwn(response.content, type)) return `its content type is not "${type}".`;
  if (type !== "application/json") return undefined;
  const place =
    "$ref" in declared
      ? declared.$ref.slice(2).split("/")
      : ["paths", path, known.method, "responses", String(answered.status)];
  return (
    faultOfBody(validatorAt(...place, "content", type, "schema"), answered.body) ??
    faultOfCodes(operation, answered)
  );
}

function faultOfBody(validator: ValidateFunction, body: unknown): string | undefined {
  return validator(body) ? undefined : `its body is another: ${ajv.errorsText(validator.errors)}.`;
}

/** Every code has to be one that the document lists for the status, and the status has to be that of the first. */
function faultOfCodes(
  { operationId, responses }: OperationObject,
  { status, body }: Answered,
): string | undefined {
  if (status < 400) return undefined;
  const declared = responses[status];
  const listed = (declared && resolveResponse(declared)["x-error-codes"]) ?? [];
  const unknown = codesIn(body).filter(
    (code, index) => !listed.includes(code) || (index === 0 && !statusesOf(code).includes(status)),
  );
  if (unknown.length === 0) return undefined;
  const names = unknown.map((code) => `${code} (${namesOf(code).join(" or ")})`);
  return `${operationId} never refuses so with ${names.join(", ")}: name it in the operation's \`refusals\`.`;
}

function statusesOf(code: number): number[] {
  return Object.values<ErrorEntry>(errorTable)
    .filter((entry) => entry.code === code)
    .map(({ status }) => status);
}

function namesOf(code: number): string[] {
  const entries = Object.entries<ErrorEntry>(errorTable);
  return entries.filter(([, entry]) => entry.code === code).map(([name]) => name);
}

function codesIn(body: unknown): number[] {
  if (typeof body !== "object" || body === null || !("errors" in body) || !Array.isArray(body.errors))
    return [];
  return body.errors.map(({ code }: { code: number }) => code);
}
