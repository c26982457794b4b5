import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  expectNoKeyTwice,
  expectUnknown,
  expectWhatItCanBe,
  type GoodBody,
  LONG,
  placesOf,
} from "../harness/hostile-suite.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

const FAULTS = "/patchbay/v1/faults";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** For an operation that these tests do not use. */
const operation = "updateRoute";
const bodies = [
  { title: "that answers", body: { operation, status: 503, latency_ms: 1, times: 2 } },
  { title: "that drops", body: { operation, drop: "after", times: 2 } },
];

describe.each(bodies)("in the body of a fault $title", ({ body }) => {
  const send = (text: string) => server.ask("PUT", FAULTS, { body: text });
  const good: GoodBody = { body, send, isLegal: () => false };

  test("without anything wrong, it is taken", async () => {
    await server.reset();
    expect(verdict(await send(JSON.stringify(body)))).toBe("200");
  });

  test.each(placesOf(body))("$name is what it can be, or refused", async ({ place }) => {
    await expectWhatItCanBe(server, good, place);
    expect((await server.ask("GET", FAULTS)).body.result.faults).toEqual([]);
  });

  test("a key that stands twice is refused at its place", () => expectNoKeyTwice(server, good));

  test.each(["__proto__", "constructor", "toString", "", "a/b~c", "0", "💥"])(
    "a key named %j is one that is not known",
    (key) => expectUnknown(server, good, key, ['{"times":1,"polluted":true}', LONG]),
  );

  test.each(["{", "[1,]", "NaN", "", '{"operation":[]}}'])("%j is no JSON", async (text) => {
    expect(verdict(await untouched(server, () => send(text)))).toBe("400 1022");
  });
});
