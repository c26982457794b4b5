/** The reference: the published document as a reader wants it, before it is HTML or Markdown. */

import { errorTable } from "../errors.ts";
import type { OpenApiDocument, OperationObject } from "../openapi/document.ts";
import type { Lookup } from "../openapi/examples.ts";
import { JSON_TYPE, type Reference as Ref, type Response, statusName } from "../openapi/responses.ts";
import { asObject, type PlainSchema } from "../openapi/schemas.ts";
import { curlOf, type Tokens } from "./curl.ts";
import { type Field, fieldsOf, typeOf } from "./fields.ts";
import { readableJson } from "./readable-json.ts";

export interface ParameterRow {
  readonly name: string;
  readonly in: string;
  readonly type: string;
  readonly required: boolean;
  readonly limits: string;
  readonly description: string;
}

export interface RefusalRow {
  readonly status: string;
  readonly name: string;
  readonly codes: readonly { readonly code: number; readonly message: string }[];
}

/** A body or an answer: what it is as a whole, and its fields. */
export interface Told {
  readonly type: string;
  readonly fields: readonly Field[];
}

export interface Entry {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly who: string;
  readonly own: boolean;
  readonly sandboxOnly: boolean;
  readonly parameters: readonly ParameterRow[];
  readonly body?: Told & { readonly required: boolean };
  readonly curl: string;
  /** What is answered when it is accepted. */
  readonly accepted: string;
  readonly result?: Told;
  readonly example?: string;
  readonly headers: readonly string[];
  readonly notModified: boolean;
  readonly refusals: readonly RefusalRow[];
}

export interface Reference {
  readonly version: string;
  readonly server: string;
  readonly about: readonly string[];
  readonly families: readonly {
    readonly id: string;
    readonly name: string;
    readonly about: string;
    readonly entries: readonly Entry[];
  }[];
  readonly schemas: readonly {
    readonly name: string;
    readonly description: string;
    readonly fields: readonly Field[];
  }[];
}

const messages = new Map<number, string>(
  Object.values(errorTable).map(({ code, message }) => [code, message]),
);

/** The reference of a document. `tokens` stand in the lines to copy. */
export function referenceOf(document: OpenApiDocument, tokens: Tokens): Reference {
  const lookup: Lookup = (name) => document.components.schemas[name];
  const server = document.servers[0]?.url ?? "";
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      operation,
      entry: entryOf(document, { path, method: method.toUpperCase(), operation, lookup, server, tokens }),
    })),
  );
  return {
    version: String(document.info["version"]),
    server,
    about: String(document.info["description"]).split("\n\n"),
    families: document.tags.map(({ name, description }) => ({
      id: name.toLowerCase().replaceAll(/\W+/g, "-"),
      name,
      about: description,
      entries: all.filter(({ operation }) => operation.tags.includes(name)).map(({ entry }) => entry),
    })),
    schemas: Object.entries(document.components.schemas).map(([name, schema]) => ({
      name,
      description: String(schema["description"] ?? ""),
      fields: fieldsOf(schema, { lookup, inPlace: false }),
    })),
  };
}

interface Described {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationObject;
  readonly lookup: Lookup;
  readonly server: string;
  readonly tokens: Tokens;
}

function entryOf(document: OpenApiDocument, described: Described): Entry {
  const { path, method, operation, lookup } = described;
  const { requestBody } = operation;
  const responses = Object.entries(operation.responses).map(([status, response]) => ({
    status,
    response: resolved(document, response),
  }));
  const accepted = responses.find(({ status }) => status.startsWith("2"))?.response;
  const body = requestBody?.content[JSON_TYPE];
  return {
    id: operation.operationId,
    method,
    path,
    summary: operation.summary,
    description: operation.description ?? "",
    who: whoMay(operation),
    own: operation["x-origin"] === "patchbay",
    sandboxOnly: operation["x-sandbox-only"] === true,
    parameters: operation.parameters.map((parameter) => {
      const [field] = fieldsOf({ properties: { value: parameter.schema } }, { lookup, inPlace: true });
      const { name, required, allowEmptyValue } = parameter;
      const empty = allowEmptyValue ? " Empty, it is as if it were left out." : "";
      const description = parameter.description + empty;
      return {
        name,
        in: parameter.in,
        required,
        description,
        type: field?.type ?? "",
        limits: field?.limits ?? "",
      };
    }),
    ...(body && requestBody
      ? { body: { ...tell(body.schema, lookup, true), required: requestBody.required } }
      : {}),
    curl: curlOf(described),
    ...acceptedOf(accepted, lookup),
    headers: Object.keys(accepted?.headers ?? {}),
    notModified: responses.some(({ status }) => status === "304"),
    refusals: responses
      .filter(({ status }) => Number(status) >= 400)
      .map(({ status, response }) => ({
        status,
        name: statusName(Number(status)),
        codes: (response["x-error-codes"] ?? []).map((code) => ({ code, message: messages.get(code) ?? "" })),
      })),
  };
}

function resolved(document: OpenApiDocument, response: Response | Ref): Response {
  if (!("$ref" in response)) return response;
  return (
    document.components.responses[response.$ref.replace("#/components/responses/", "")] ?? { description: "" }
  );
}

const whoses = {
  anybody: "",
  user: "a token that belongs to a user, or a user's key",
  account: "a token that belongs to the account",
} as const;

function whoMay(operation: OperationObject): string {
  const names = operation["x-permission-groups"].map(({ name }) => `**${name}**`);
  const whose = whoses[operation["x-credential-of"] ?? "anybody"];
  if (names.length === 0) return `Whoever has ${whose || "a valid credential"}.`;
  const by = whose && `, by ${whose}`;
  if (names.length === 1) return `Whoever has ${names[0]}${by}.`;
  return `Whoever has any one of ${names.join(", ")}${by}.`;
}

function tell(schema: PlainSchema, lookup: Lookup, inPlace: boolean): Told {
  const telling = { lookup, inPlace };
  return { type: typeOf(schema, telling), fields: fieldsOf(schema, telling) };
}

type Accepted = Pick<Entry, "accepted" | "result" | "example">;

function acceptedOf(response: Response | undefined, lookup: Lookup): Accepted {
  const [type, content] = Object.entries(response?.content ?? {})[0] ?? [];
  if (!content) return { accepted: "An empty body." };
  if (type !== JSON_TYPE) return { accepted: `\`${type}\`.` };
  const { properties } = content.schema;
  const { result, success } = asObject(properties);
  const enveloped = result !== undefined && success !== undefined;
  const shown = tell(enveloped ? asObject(result) : content.schema, lookup, false);
  return {
    accepted: enveloped
      ? `In the envelope, \`result\` is ${article(shown.type)}.`
      : `Without an envelope: ${shown.type}.`,
    result: shown,
    ...(content.example === undefined ? {} : { example: readableJson(content.example) }),
  };
}

function article(type: string): string {
  return /^[aeiou]/i.test(type.replace(/^\[/, "")) ? `an ${type}` : `a ${type}`;
}
