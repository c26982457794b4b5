/** The parameters of an operation, by where they stand. */

import Type from "typebox";
import type { Operation } from "../operation.ts";
import {
  conditions,
  confirmHeaders,
  headerParameters,
  type Parameter,
  pathParameters,
  queryParameters,
  reasonHeader,
} from "../parameters.ts";

export interface NamedParameter extends Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
}

/**
 * All of them: of the path in its order, then of the query, then headers. What may stand more than once is a list. A
 * name that is in no table is left out.
 */
export function parametersOf(operation: Operation): readonly NamedParameter[] {
  const own = operation.parameters ?? {};
  const named = (
    place: NamedParameter["in"],
    names: readonly string[],
    table: Readonly<Record<string, Parameter>>,
  ) =>
    names.flatMap((name): NamedParameter[] => {
      const parameter = own[name] ?? table[name];
      if (!parameter) return [];
      const many = place === "query" && operation.lists?.includes(name);
      const schema = many ? Type.Array(parameter.schema) : parameter.schema;
      return [{ ...parameter, schema, name, in: place }];
    });
  const heeded = operation.conditional ? conditions[operation.method === "GET" ? "reading" : "writing"] : {};
  return [
    ...named("path", namesInPath(operation.path), pathParameters),
    ...named("query", operation.query, queryParameters),
    ...named("header", operation.headers ?? [], headerParameters),
    ...named("header", Object.keys(heeded), heeded),
    ...(isLogged(operation) ? named("header", Object.keys(reasonHeader), reasonHeader) : []),
    ...(operation.confirmable ? named("header", Object.keys(confirmHeaders), confirmHeaders) : []),
  ];
}

/** Is what it does told by a log of changes? */
export function isLogged({ method, volatile, unlogged, sandboxOnly }: Operation): boolean {
  return method !== "GET" && !volatile && !unlogged && !sandboxOnly;
}

/** The names of what varies in a path. */
export function namesInPath(path: string): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? "");
}

/** A path as OpenAPI writes it, `{name}` for what varies. */
export function pathTemplate(path: string): string {
  return path.replaceAll(/:(\w+)/g, "{$1}");
}
