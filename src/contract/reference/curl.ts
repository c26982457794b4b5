/** An operation as a line to paste into a shell, with the document's own examples. */

import type { OperationObject } from "../openapi/document.ts";
import { JSON_TYPE } from "../openapi/responses.ts";
import { readableJson } from "./readable-json.ts";

export interface Called {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationObject;
  readonly server: string;
  readonly tokens: Tokens;
}

/** The tokens of the lines to copy: the one that may do everything, and one that belongs to an account. */
export interface Tokens {
  readonly usual: string;
  readonly account: string;
}

/** The path with the examples of its parameters, and of the query parameters that must be there. */
export function examplePath(path: string, { parameters }: OperationObject): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const found = parameters.find((parameter) => parameter.in === "path" && parameter.name === name);
    return encodeURIComponent(String(found?.example ?? name.toUpperCase()));
  });
  const query = parameters
    .filter((parameter) => parameter.in === "query" && parameter.required)
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example ?? ""))}`);
  return query.length === 0 ? filled : `${filled}?${query.join("&")}`;
}

export function curlOf({ path, method, operation, server, tokens }: Called): string {
  const url = `${server}${examplePath(path, operation)}`;
  const body = operation.requestBody?.content[JSON_TYPE]?.example;
  const accepted = Object.keys(operation.responses).find((status) => status.startsWith("2")) ?? "200";
  const response = operation.responses[accepted];
  const types = response && "content" in response ? Object.keys(response.content ?? {}) : [];
  const token = operation["x-credential-of"] === "account" ? tokens.account : tokens.usual;
  const lines = [
    `curl ${url.includes("?") ? quoted(url) : url}`,
    ...(method === "GET" || (method === "POST" && body !== undefined) ? [] : [`-X ${method}`]),
    `-H "Authorization: Bearer ${token}"`,
    ...(body === undefined
      ? []
      : [`-H "Content-Type: application/json"`, `-d ${quoted(readableJson(body, "  "))}`]),
    ...(types.includes("application/pdf") ? ["-o answer.pdf"] : []),
  ];
  return lines.join(" \\\n  ");
}

/** In single quotes, for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
