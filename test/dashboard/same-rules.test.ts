/** What the dashboard says while something is typed, and what the server says of the same: one and the same. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { interconnectView } from "../../src/account/interconnect-view.ts";
import { FIELDS, type Value } from "../../src/file/fields.ts";
import { valueAt } from "../../src/file/shown.ts";
import { basisOf, documentOf } from "../../web/src/pages/change/basis.ts";
import { draft, noDrafts, planOfDrafts } from "../../web/src/pages/change/drafts.ts";
import { bodyOf, judge, troublesOf } from "../../web/src/pages/change/judge.ts";
import { update } from "../harness/arbitraries.ts";
import { ACCOUNT, AMS, LIST, ORD, OWN, SIN, startTestServer, type TestServer } from "../harness/server.ts";

const headers = { "x-magic-new-hc-target": "true" };

describe("the dashboard's judgement of a change", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const readBasis = async () => {
    const { result } = (await server.ask("GET", `${OWN}/state`)).body;
    return basisOf(ACCOUNT, result.interconnects, result);
  };

  /** What can be typed: of the fields that there are, texts, numbers, and lists of texts. */
  const typed = (given: object) =>
    FIELDS.flatMap(({ path }): [string, Value][] => {
      const value = valueAt(given, path);
      const isText = (one: unknown) => typeof one === "string";
      return isText(value) || typeof value === "number" || typeof value === "boolean"
        ? [[path, value as Value]]
        : Array.isArray(value) && value.every(isText)
          ? [[path, value]]
          : [];
    });

  test("is the server's, problem for problem, whatever is typed", async () => {
    let basis = await readBasis();
    const seen = new Set<number>();
    let accepted = 0;
    const fields = fc.tuple(update("text", true), update("text"), update("text"));
    await fc.assert(
      fc.asyncProperty(fields, async (given) => {
        const drafts = [ORD, AMS, SIN].reduce((before, id, index) => {
          const shown = basis.byId.get(id);
          if (!shown) throw new Error(`${id} is gone`);
          return typed(given[index] ?? {}).reduce(
            (after, [path, value]) => draft(after, [shown], path, value),
            before,
          );
        }, noDrafts);
        const planned = planOfDrafts(drafts, basis);
        if (!planned.ok || planned.plan.steps.length === 0) return;
        const { plan } = planned;
        const here = judge(plan, basis);
        const reply = await server.ask("PUT", `${LIST}?validate_only=true`, { body: bodyOf(plan), headers });
        expect(here).toEqual(troublesOf(plan, reply.body.errors));
        for (const { code } of here) seen.add(code);
        if (here.length > 0) return;
        accepted += 1;
        await server.ask("PUT", LIST, { body: bodyOf(plan), headers });
        basis = await readBasis();
      }),
      { numRuns: 250 },
    );
    // It was no empty comparison.
    expect(accepted).toBeGreaterThan(5);
    expect(seen.size).toBeGreaterThan(3);
  });

  test("is made of documents that are shown as the server shows them", async () => {
    const { result } = (await server.ask("GET", `${OWN}/state`)).body;
    for (const shown of result.interconnects) {
      const link = result.links.find((one: { interconnect: string }) => one.interconnect === shown.id);
      const again = JSON.parse(JSON.stringify(interconnectView(shown.id, documentOf(shown, link), "object")));
      expect(again).toEqual(shown);
    }
  });
});
