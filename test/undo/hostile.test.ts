import { afterAll, describe, expect, test } from "vitest";
import {
  expectNoKeyTwice,
  expectUnknown,
  expectWhatItCanBe,
  type GoodBody,
  placesOf,
} from "../harness/hostile-suite.ts";
import { OWN, startTestServer } from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

const server = await startTestServer();
afterAll(() => server.close());

const bodies = [
  { title: "restoration", path: `${OWN}/restore`, body: { to_revision: 1 } },
  { title: "request for more time", path: `${OWN}/changes/1/extend`, body: { confirm_within: 60 } },
];

describe.each(bodies)("in the body of a $title", ({ path, body }) => {
  const good: GoodBody = {
    body,
    send: (text) => server.ask("POST", path, { body: text }),
    isLegal: () => false,
  };

  test.each(placesOf(body))("$name is what it can be, or refused", async ({ place }) => {
    await expectWhatItCanBe(server, good, place);
  });

  test("no key stands twice", () => expectNoKeyTwice(server, good));

  test.each(["__proto__", "constructor", "to_revisio", ""])("%j is no field", (key) =>
    expectUnknown(server, good, key, ["1", "{}"]),
  );
});

describe("a path of an undo", () => {
  const revisions = [
    "0",
    "-1",
    "1.5",
    "1e3",
    "01",
    "999999999999999",
    "9".repeat(30),
    "%31",
    "x",
    "%00",
    "2%2F",
  ];

  test.each(["revert", "confirm", "extend"])(
    "%s names a change that is there, or is refused",
    async (what) => {
      const body = what === "extend" ? { confirm_within: 60 } : undefined;
      for (const revision of revisions) {
        const ask = () =>
          server.ask("POST", `${OWN}/changes/${revision}/${what}`, body === undefined ? {} : { body });
        const reply = await untouched(server, ask);
        expect(verdict(reply), revision).toMatch(revision === "%31" ? /^409/ : /^4(00|04)/);
      }
    },
  );
});
