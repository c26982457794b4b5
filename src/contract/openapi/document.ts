/** The contract as an OpenAPI 3.1 document, made of the list of operations and the schemas that check. */

import { families } from "../families.ts";
import type { Operation } from "../operation.ts";
import { operations } from "../operations.ts";
import { permissionGroups } from "../permissions.ts";
import { CSRF_HEADER, sessionCookie } from "../session.ts";
import { exampleOf } from "./examples.ts";
import { parametersOf, pathTemplate } from "./parameters-of.ts";
import {
  type Header,
  JSON_TYPE,
  type MediaType,
  type Reference,
  type Response,
  Responses,
  responseHeaders,
} from "./responses.ts";
import { type PlainSchema, PublishedSchemas } from "./schemas.ts";

export interface ParameterObject {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description: string;
  readonly required: boolean;
  /** Without a value it is as if it were left out. */
  readonly allowEmptyValue?: true;
  readonly schema: PlainSchema;
  readonly example?: string | number | boolean;
}

export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly ParameterObject[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, MediaType>>;
  };
  readonly responses: Readonly<Record<string, Response | Reference>>;
  /** Any one of them suffices; with none, every valid credential does. */
  readonly "x-permission-groups": readonly { readonly id: string; readonly name: string }[];
  /** Whose credential it takes, where not everybody's. */
  readonly "x-credential-of"?: "user" | "account";
  readonly "x-origin": Operation["origin"];
  readonly "x-sandbox-only"?: true;
}

export type PathItem = Readonly<
  Partial<Record<"get" | "put" | "post" | "delete" | "patch", OperationObject>>
>;

export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, PlainSchema>>;
    readonly responses: Readonly<Record<string, Response>>;
    readonly headers: Readonly<Record<string, Header>>;
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
}

export interface Publication {
  /** Patchbay's own. */
  readonly version: string;
  /** The address under which the server is reached. */
  readonly server: string;
}

const about = [
  "A self-hosted control plane for network interconnects. Paths under `/client/v4` are the vendor's, those under `/patchbay/v1` are Patchbay's own.",
  "Answers stand in the envelope `{result, success, errors, messages}` unless an operation says otherwise. A refusal tells all that is wrong at once, each with a `code`, a sentence, a `source.pointer` into the body where there is one, and the address of a page that says what to do.",
  "What the document does not know is refused, never ignored: a field, a query parameter, a value of a header.",
].join("\n\n");

const securitySchemes = {
  token: { type: "http", scheme: "bearer", description: "An API token." },
  email: {
    type: "apiKey",
    in: "header",
    name: "X-Auth-Email",
    description: "A user's e-mail address, with their key.",
  },
  key: {
    type: "apiKey",
    in: "header",
    name: "X-Auth-Key",
    description: "The key of the user of `X-Auth-Email`.",
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: sessionCookie("http://localhost:8787").name,
    description:
      "The cookie of `createSession`. Its name ends with the port by which clients reach the server, and begins with `__Host-` under TLS.",
  },
  csrf: {
    type: "apiKey",
    in: "header",
    name: CSRF_HEADER,
    description: "`csrf` of `getSession`. Requests by the cookie other than `GET` need it.",
  },
};

/** The whole contract. */
export function openApiDocument({ version, server }: Publication): OpenApiDocument {
  const schemas = new PublishedSchemas();
  const responses = new Responses(schemas);
  const paths = new Map<string, PathItem>();
  for (const [name, operation] of Object.entries<Operation>(operations)) {
    const path = pathTemplate(operation.path);
    const described = describe(name, operation, schemas, responses);
    paths.set(path, { ...paths.get(path), [operation.method.toLowerCase()]: described });
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Patchbay",
      version,
      summary: "Magic interconnects, and the world around them",
      description: about,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: server === "" ? "/" : server, description: "This server" }],
    security: [{ token: [] }, { email: [], key: [] }, { session: [], csrf: [] }],
    tags: families.map(({ name, about: description }) => ({ name, description })),
    paths: Object.fromEntries(paths),
    components: {
      schemas: schemas.named,
      responses: responses.shared,
      headers: responseHeaders,
      securitySchemes,
    },
  };
}

function describe(
  name: string,
  operation: Operation,
  schemas: PublishedSchemas,
  responses: Responses,
): OperationObject {
  const { summary, description, groups, credentialOf, origin, sandboxOnly } = operation;
  const family = families.find(({ operations }) => Object.hasOwn(operations, name));
  return {
    operationId: name,
    tags: family ? [family.name] : [],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: parametersOf(operation).map((parameter) => ({
      name: parameter.name,
      in: parameter.in,
      description: parameter.description,
      required: parameter.in === "path" || parameter.required === true,
      ...(parameter.mayBeEmpty ? { allowEmptyValue: true } : {}),
      schema: schemas.publish(parameter.schema),
      ...(parameter.example === undefined ? {} : { example: parameter.example }),
    })),
    ...bodyOf(operation, schemas),
    responses: responses.of(operation),
    "x-permission-groups": groups.map((group) => permissionGroups[group]),
    ...(credentialOf ? { "x-credential-of": credentialOf } : {}),
    "x-origin": origin,
    ...(sandboxOnly ? { "x-sandbox-only": true } : {}),
  };
}

function bodyOf(operation: Operation, schemas: PublishedSchemas): Pick<OperationObject, "requestBody"> {
  if (!operation.body) return {};
  const schema = schemas.publish(operation.body);
  const example = operation.example ?? exampleOf(schema, (name) => schemas.find(name));
  const content = { [JSON_TYPE]: { schema, ...(example === undefined ? {} : { example }) } };
  return { requestBody: { required: !operation.bodyOptional, content } };
}
