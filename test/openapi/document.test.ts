import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { type ErrorEntry, errorTable } from "../../src/contract/errors.ts";
import { families } from "../../src/contract/families.ts";
import type { OperationObject, ParameterObject } from "../../src/contract/openapi/document.ts";
import { isLogged, namesInPath, parametersOf } from "../../src/contract/openapi/parameters-of.ts";
import { JSON_TYPE } from "../../src/contract/openapi/responses.ts";
import type { Operation } from "../../src/contract/operation.ts";
import { operations } from "../../src/contract/operations.ts";
import {
  conditions,
  confirmHeaders,
  headerParameters,
  pathParameters,
  queryParameters,
  reasonHeader,
} from "../../src/contract/parameters.ts";
import { describedOperations, published, resolveResponse, validatorAt } from "../harness/contract.ts";

const all = Object.entries<Operation>(operations);

test("the document is OpenAPI 3.1, as an independent validator sees it", async () => {
  const validator = new Validator();
  const result = await validator.validate(JSON.parse(JSON.stringify(published)));
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  expect(validator.version).toBe("3.1");
});

test("it has every operation, by name, method and path, and no other", () => {
  const listed = all.map(
    ([name, { method, path }]) => `${name} ${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`,
  );
  const told = describedOperations.map(
    ({ method, path, operation }) => `${operation.operationId} ${method.toUpperCase()} ${path}`,
  );
  expect(told.sort()).toEqual(listed.sort());
});

test("each operation is of one family", () => {
  const names = families.flatMap((family) => Object.keys(family.operations));
  expect(names.sort()).toEqual(Object.keys(operations).sort());
});

test("every reference leads somewhere", () => {
  const references = [...JSON.stringify(published).matchAll(/"\$ref":"#([^"]+)"/g)].map(
    ([, pointer]) => pointer ?? "",
  );
  expect(references.length).toBeGreaterThan(50);
  for (const pointer of new Set(references)) {
    const found = pointer
      .split("/")
      .slice(1)
      .reduce<unknown>((at, key) => Reflect.get(Object(at), key), published);
    expect(found, pointer).toBeDefined();
  }
});

test("every schema is one of JSON Schema 2020-12", () => {
  const operationsOf = describedOperations.map(({ operation }) => operation);
  const schemas = [
    ...Object.values(published.components.schemas),
    ...operationsOf.flatMap(({ parameters }) => parameters.map(({ schema }) => schema)),
    ...operationsOf.flatMap(({ requestBody }) =>
      Object.values(requestBody?.content ?? {}).map(({ schema }) => schema),
    ),
    ...operationsOf
      .flatMap(({ responses }) => Object.values(responses).map(resolveResponse))
      .flatMap(({ content = {} }) => Object.values(content).map(({ schema }) => schema)),
  ];
  const ajv = new Ajv2020({ strict: false });
  for (const schema of schemas) expect(ajv.validateSchema(schema), JSON.stringify(schema)).toBe(true);
});

describe("the tables of parameters", () => {
  test.each(all)("have every name of %s", (_, operation) => {
    const conditional = operation.conditional ? Object.keys(conditions.reading) : [];
    const used = [
      ...namesInPath(operation.path),
      ...operation.query,
      ...(operation.headers ?? []),
      ...conditional,
      ...(isLogged(operation) ? Object.keys(reasonHeader) : []),
      ...(operation.confirmable ? Object.keys(confirmHeaders) : []),
    ];
    expect(
      parametersOf(operation)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...used].sort());
  });

  const tables = {
    pathParameters,
    queryParameters,
    headerParameters,
    reasonHeader,
    confirmHeaders,
    ...conditions,
  };
  test.each(Object.entries(tables))("%s tells each in a sentence", (_, table) => {
    for (const [name, { description }] of Object.entries(table))
      expect(description, name).toMatch(/^[A-Z`].*\.$/s);
  });

  test("have no name that no operation uses", () => {
    const used = new Set(all.flatMap(([, operation]) => parametersOf(operation).map(({ name }) => name)));
    for (const table of Object.values(tables))
      for (const name of Object.keys(table)) expect(used).toContain(name);
  });
});

const cases = describedOperations.map((described) => ({
  ...described,
  name: described.operation.operationId,
}));

describe.each(cases)("$name", ({ path, method, operation }) => {
  const place = ["paths", path, method];

  test("is told in words", () => {
    expect(operation.summary).toMatch(/^[A-Z]/);
    if (operation.description !== undefined) expect(operation.description).toMatch(/\.$/);
  });

  test("has an example for each path parameter and each that is required, which its schema takes", () => {
    for (const [index, { name, required, example }] of operation.parameters.entries()) {
      if (required) expect(example, name).toBeDefined();
      if (example !== undefined) expectValid(example, [...place, "parameters", String(index), "schema"]);
    }
  });

  test("has examples that their schemas take", () => {
    const body = operation.requestBody?.content[JSON_TYPE];
    if (operation.requestBody?.required) expect(body?.example).toBeDefined();
    if (body?.example !== undefined) {
      expectValid(body?.example, [...place, "requestBody", "content", JSON_TYPE, "schema"]);
    }
    const { content } = resolveResponse(operation.responses[200] ?? { description: "" });
    if (content?.[JSON_TYPE]) {
      expectValid(content[JSON_TYPE].example, [...place, "responses", "200", "content", JSON_TYPE, "schema"]);
    }
  });

  test("answers with a body unless it says that there is none", () => {
    const listed: Operation | undefined = all.find(([name]) => name === operation.operationId)?.[1];
    const { content } = resolveResponse(operation.responses[200] ?? { description: "" });
    expect(content === undefined).toBe(listed?.empty === true);
  });

  test("tells the codes of each refusal, and each code's page is there", () => {
    const known = new Set(Object.values<ErrorEntry>(errorTable).map(({ code }) => code));
    for (const [status, response] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue;
      const codes = resolveResponse(response)["x-error-codes"] ?? [];
      expect(codes.length, status).toBeGreaterThan(0);
      for (const code of codes) expect(known).toContain(code);
    }
  });
});

function expectValid(value: unknown, place: readonly string[]): void {
  const validator = validatorAt(...place);
  expect(validator(value), `${JSON.stringify(value)}: ${JSON.stringify(validator.errors)}`).toBe(true);
}

test("refusals list the codes that may follow the first, whatever status those have alone", () => {
  const codesOf = (id: string, status: number) => {
    const described = describedOperations.find(({ operation }) => operation.operationId === id);
    const response = described?.operation.responses[status];
    return response ? resolveResponse(response)["x-error-codes"] : undefined;
  };
  expect(codesOf("createCni", 400)).toContain(990070);
  expect(codesOf("revertChange", 409)).toEqual(
    expect.arrayContaining([990027, 990028, 990045, 990076, 990081]),
  );
  // What is refused before values are judged is refused alone.
  expect(codesOf("createCni", 403)).not.toContain(990070);
});

test("a schema that two parts share stands once", () => {
  const names = Object.keys(published.components.schemas);
  expect(names).toEqual(expect.arrayContaining(["Interconnect", "StaticRoute", "ChangeRecord", "Failure"]));
  expect(JSON.stringify(published.paths)).not.toContain('"interface_address6":{"type"');
});

test("conditions are told as what they do to a read and to a write", () => {
  const header = (id: string, name: string): ParameterObject | undefined => {
    const found: OperationObject | undefined = describedOperations.find(
      ({ operation }) => operation.operationId === id,
    )?.operation;
    return found?.parameters.find((parameter) => parameter.name === name);
  };
  expect(header("getRoute", "if-none-match")?.description).toContain("304");
  expect(header("updateRoute", "if-none-match")?.description).toContain("412");
});
