import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JSON_TYPE } from "../../src/contract/openapi/responses.ts";
import { asObject } from "../../src/contract/openapi/schemas.ts";
import { operationNamed } from "../../src/contract/operations.ts";
import { examplePath } from "../../src/contract/reference/curl.ts";
import { systemClock } from "../../src/server/clock.ts";
import { demo } from "../../src/server/demo.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { Away, NotCommitted, Unreadable } from "../../src/store/store.ts";
import { type DescribedOperation, describedOperations, resolveResponse } from "../harness/contract.ts";
import { FaultyHealth } from "../harness/faulty-health.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { MemoryStore } from "../harness/memory-store.ts";
import { askRaw } from "../harness/raw.ts";
import {
  type Ask,
  codes,
  ORD,
  one,
  type Reply,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

/**
 * Whatever operation there is: its example is taken by the demonstration, and it answers with every status
 * that follows from what it is. Each answer is judged by the document as it comes in.
 */

const cases = describedOperations.map((described) => ({
  ...described,
  name: described.operation.operationId,
}));

const answering = (status: number) =>
  cases.filter(({ operation }) => Object.hasOwn(operation.responses, status));

/** Of a database that cannot be reached, which every operation may meet. */
const AWAY = 990123;
/** Of every operation on a shared database; with a data directory, of those that read the log. */
const UNREADABLE = 990122;
/** Of too many bytes of requests and responses under way, which every operation may meet. */
const TOO_MUCH_UNDER_WAY = 990048;

const codesOf = ({ responses }: DescribedOperation["operation"], status: number) => {
  const response = responses[status];
  return (response && resolveResponse(response)["x-error-codes"]) ?? [];
};

/** The document's own example of a request, otherwise as said. */
function example(
  server: TestServer,
  { path, method, operation }: DescribedOperation,
  asked: Ask & { readonly query?: string } = {},
): Promise<Reply> {
  const { query = "", ...rest } = asked;
  const url = examplePath(path, operation);
  const token = operation["x-credential-of"] === "account" ? demo.accountToken : demo.token;
  const body = operation.requestBody?.content[JSON_TYPE]?.example;
  const separated = query === "" ? "" : `${url.includes("?") ? "&" : "?"}${query}`;
  return server.ask(method.toUpperCase(), url + separated, {
    token,
    ...(body === undefined ? {} : { body }),
    ...rest,
  });
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** A change of the demonstration that waits to be confirmed. */
async function waiting(): Promise<void> {
  const headers = { "x-patchbay-confirm-within": "3600" };
  const reply = await server.ask("PUT", one(ORD), { body: { mtu: 1300 }, headers });
  expect(reply.headers.get("x-patchbay-revision")).toBe("2");
}

const arm = () => server.ask("PUT", "/patchbay/v1/faults", { body: { operation: "reset", latency_ms: 1 } });

/** Is it about a change that was made? */
const isOnChange = ({ path, method }: DescribedOperation) =>
  method === "post" && path.includes("/changes/{revision}/");

describe("the example is taken:", () => {
  test.each(cases)("$name", async (described) => {
    if (isOnChange(described)) await waiting();
    if (described.path.includes("{fault}")) await arm();
    const reply = await example(server, described);
    expect(reply.status, JSON.stringify(reply.body)).toBe(200);
    if (described.method !== "get") await server.reset();
  });
});

describe("304 for what the client has:", () => {
  test.each(answering(304))("$name", async (described) => {
    const { headers } = await example(server, described);
    const etag = headers.get("etag") ?? "";
    expect((await example(server, described, { headers: { "if-none-match": etag } })).status).toBe(304);
  });
});

describe("400 for a query parameter that there is not, and without a credential:", () => {
  test.each(cases)("$name", async (described) => {
    expect((await example(server, described, { query: "no_such_parameter=1" })).status).toBe(400);
    expect((await example(server, described, { token: null })).status).toBe(400);
  });
});

describe("400 for a value that a parameter's schema does not take:", () => {
  const rows = cases.flatMap((described) =>
    described.operation.parameters.flatMap(({ name, in: place, schema, allowEmptyValue }) => {
      const { items = schema } = schema;
      const { type, minimum, maximum, enum: values } = asObject(items);
      const wrong = [
        ...(type === "boolean" || type === "integer" || Array.isArray(values)
          ? ["no-such-value", ...(allowEmptyValue ? [] : [""])]
          : []),
        ...(typeof minimum === "number" ? [String(minimum - 1)] : []),
        ...(typeof maximum === "number" ? [String(maximum + 1)] : []),
      ];
      return place === "path" ? [] : wrong.map((value) => ({ ...described, parameter: name, place, value }));
    }),
  );
  test.each(rows)("$name, $parameter: $value", async ({ parameter, place, value, ...described }) => {
    const asked =
      place === "query" ? { query: `${parameter}=${value}` } : { headers: { [parameter]: value } };
    expect((await example(server, described, asked)).status).toBe(400);
  });
});

describe("an empty parameter that may be empty is as if it were left out:", () => {
  const rows = cases.flatMap((described) =>
    described.operation.parameters
      .filter(({ allowEmptyValue }) => allowEmptyValue)
      .map(({ name: parameter }) => ({ ...described, parameter })),
  );
  test.each(rows)("$name, $parameter", async ({ parameter, ...described }) => {
    const [without, empty] = [
      await example(server, described),
      await example(server, described, { query: `${parameter}=` }),
    ];
    expect([empty.status, empty.body]).toEqual([200, without.body]);
  });
});

describe("401 or 403 for a token that nobody has:", () => {
  test.each(cases)("$name", async (described) => {
    const reply = await example(server, described, { token: "z".repeat(40) });
    expect(reply.status).toBe(Object.hasOwn(described.operation.responses, 401) ? 401 : 403);
  });
});

describe("403 for a token that is permitted nothing:", () => {
  const guarded = cases.filter(({ operation }) => operation["x-permission-groups"].length > 0);
  test.each(guarded)("$name", async (described) => {
    const reply = await example(server, described, { token: "demo-other-permission-token-000000000000" });
    expect(reply.status).toBe(403);
  });
});

describe("403 outside of a sandbox:", () => {
  test.each(cases.filter(({ operation }) => operation["x-sandbox-only"]))("$name", async (described) => {
    await using serious = await startTestServer({ sandbox: false });
    expect((await example(serious, described)).status).toBe(403);
  });
});

describe("404 for each name in the path that names nothing:", () => {
  const rows = answering(404).flatMap((described) =>
    described.operation.parameters
      .filter((parameter) => parameter.in === "path")
      .map(({ name }) => ({ ...described, parameter: name })),
  );
  test.each(rows)("$name, $parameter", async ({ parameter, ...described }) => {
    const { operation } = described;
    const parameters = operation.parameters.map((one) =>
      one.name === parameter && one.in === "path" ? { ...one, example: "e".repeat(32) } : one,
    );
    const changed = { ...described, operation: { ...operation, parameters } };
    // A token of the account is none in another, so that one of the operator's has to ask.
    const asked =
      operation["x-credential-of"] === "account" ? { token: "demo-patchbay-read-token-000000000000000" } : {};
    expect((await example(server, changed, asked)).status).toBe(404);
  });
});

describe("408 for a request that does not come whole:", () => {
  test("every operation", async () => {
    await using impatient = await startTestServer(
      {},
      { patience: { headers: 200, request: 200, check: 50 } },
    );
    const replies = cases.map(async ({ name, path, method, operation }) => {
      const reply = await askRaw(
        impatient.url,
        `${method.toUpperCase()} ${examplePath(path, operation)} HTTP/1.1\r\nHost: localhost\r\n`,
      );
      return `${name}: ${reply?.status}`;
    });
    expect(await Promise.all(replies)).toEqual(cases.map(({ name }) => `${name}: 408`));
  });
});

describe("409 while a change waits to be confirmed:", () => {
  const confirmable = cases.filter(({ operation }) =>
    operation.parameters.some(({ name }) => name === "x-patchbay-confirm-within"),
  );
  beforeAll(async () => {
    await server.reset();
    await waiting();
  });
  afterAll(() => server.reset());

  test.each(confirmable.filter((described) => !isOnChange(described)))("$name", async (described) => {
    const reply = await untouched(server, () => example(server, described));
    expect(verdict(reply)).toBe("409 990130");
  });

  test("and for a confirmation of another", async () => {
    expect(confirmable.length).toBeGreaterThan(15);
    for (const described of cases.filter(isOnChange)) {
      const { name, path, operation } = described;
      const url = examplePath(path, operation).replace("/changes/2/", "/changes/1/");
      const body = operation.requestBody?.content[JSON_TYPE]?.example;
      const reply = await server.ask("POST", url, body === undefined ? {} : { body });
      expect(reply.status, name).toBe(409);
    }
  });
});

describe("412 for a condition that does not hold:", () => {
  // There is a change that could be undone.
  beforeAll(() => server.ask("PUT", one(ORD), { body: { mtu: 1300 } }));
  afterAll(() => server.reset());

  test.each(answering(412))("$name", async (described) => {
    expect((await example(server, described, { headers: { "if-match": '"other"' } })).status).toBe(412);
  });
});

describe("413 for a body too large:", () => {
  test.each(answering(413))("$name", async ({ path, method, operation }) => {
    const headers = ["Content-Type: application/json", "Content-Length: 999999999"];
    const reply = await askRaw(server.url, {
      method: method.toUpperCase(),
      path: examplePath(path, operation),
      headers,
    });
    expect(reply?.status).toBe(413);
  });
});

describe("415 for a body that is said to be something else than JSON:", () => {
  test.each(answering(415))("$name", async ({ path, method, operation }) => {
    // Where no body is read, only a type that is none at all is looked at.
    const type = operation.requestBody ? "text/plain" : "x";
    const asked = { headers: { "content-type": type }, body: "{}" };
    expect((await server.ask(method.toUpperCase(), examplePath(path, operation), asked)).status).toBe(415);
  });
});

describe("429 for a credential that has used up its quota:", () => {
  let strict: TestServer;
  beforeAll(async () => {
    strict = await startTestServer({ rateLimit: 1 });
    await strict.ask("GET", "/client/v4/accounts/x/magic/routes");
  });
  afterAll(() => strict.close());

  test.each(answering(429))("$name", async (described) => {
    expect((await example(strict, described)).status).toBe(429);
  });
});

describe("431 for headers too large:", () => {
  test.each(answering(431))("$name", async ({ path, method, operation }) => {
    const headers = [`X-Long: ${"x".repeat(20_000)}`];
    const reply = await askRaw(server.url, {
      method: method.toUpperCase(),
      path: examplePath(path, operation),
      headers,
    });
    expect(reply?.status).toBe(431);
  });
});

describe("500 when something happens that nobody foresaw:", () => {
  let broken: TestServer;
  let stopped = false;
  const now = () => {
    if (stopped) throw new Error("the clock stopped");
    return systemClock.now();
  };
  beforeAll(async () => {
    broken = await startTestServer({}, { clock: { ...systemClock, now } });
    stopped = true;
  });
  afterAll(() => broken.close());

  test.each(cases)("$name", async (described) => {
    expect((await example(broken, described)).status).toBe(500);
  });
});

describe("503 when the store fails:", () => {
  class FailingStore extends FaultyStore {
    failing = false;

    override commit(...[batch]: Parameters<FaultyStore["commit"]>) {
      if (this.failing) return Promise.reject(new NotCommitted("the disk is full"));
      return super.commit(batch);
    }

    override replace(...[world]: Parameters<FaultyStore["replace"]>) {
      if (this.failing) return Promise.reject(new NotCommitted("the disk is full"));
      return super.replace(world);
    }

    override async change(...asked: Parameters<FaultyStore["change"]>) {
      if (this.failing) throw new Unreadable("the disk fails");
      return super.change(...asked);
    }

    override async logSize(...asked: Parameters<FaultyStore["logSize"]>) {
      if (this.failing) throw new Unreadable("the disk fails");
      return super.logSize(...asked);
    }

    override async changesAfter(...asked: Parameters<FaultyStore["changesAfter"]>) {
      return this.failing ? undefined : super.changesAfter(...asked);
    }

    override async changesBefore(...asked: Parameters<FaultyStore["changesBefore"]>) {
      return this.failing ? undefined : super.changesBefore(...asked);
    }
  }
  const health = new FaultyHealth();
  let failing: TestServer;
  /** Of a session to end. The credential in the header takes precedence over it. */
  let cookie = "";
  beforeAll(async () => {
    const store = new FailingStore(await SqliteStore.open(undefined));
    failing = await startTestServer({}, { store, health });
    const signedIn = await failing.ask("POST", "/patchbay/v1/session", { body: { remember: true } });
    cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    health.onNote = () => Promise.reject(new NotCommitted("the disk is full"));
    store.failing = true;
  });
  afterAll(() => failing.close());

  const storing = answering(503).filter(({ operation }) =>
    codesOf(operation, 503).some((code) =>
      code === UNREADABLE
        ? operationNamed(operation.operationId)?.refusals?.includes("store_unreadable")
        : code !== AWAY && code !== TOO_MUCH_UNDER_WAY,
    ),
  );
  test.each(storing)("$name", async (described) => {
    expect((await example(failing, described, { headers: { cookie } })).status).toBe(503);
  });
});

describe("503 while the database that servers share is away:", () => {
  const store = new FaultyStore(new MemoryStore(new Map(), { shared: true }));
  let cut: TestServer;
  beforeAll(async () => {
    cut = await startTestServer({}, { store });
    store.onRead = async () => {
      throw new Away("connection refused");
    };
  });
  afterAll(() => cut.close());

  test.each(cases)("$name", async (described) => {
    const reply = await example(cut, described);
    expect([reply.status, codes(reply)]).toEqual([503, [AWAY]]);
  });
});
