/** For random accounts and edits: what was exported is unchanged, what was applied is done, what was undone is as it was. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { CommandFailure } from "../../src/cli/failure.ts";
import { readInterconnects as readAnswer, TARGETS_AS_OBJECTS } from "../../src/cli/file/account.ts";
import { readInterconnects as readFile } from "../../src/cli/file/read-file.ts";
import { exportJson, exportYaml } from "../../src/cli/file/write-file.ts";
import { nested } from "../../src/file/fields.ts";
import { guardsOf } from "../../src/file/guards.ts";
import { inverseOf, type Plan, planOf, updateOf } from "../../src/file/plan.ts";
import type { Shown } from "../../src/file/shown.ts";
import { type JsonObject, update } from "../harness/arbitraries.ts";
import { IDS, RICH, world } from "../harness/model-world.ts";
import { runs } from "../harness/runs.ts";
import { startTestServer } from "../harness/server.ts";

const LIST = `/client/v4/accounts/${RICH}/magic/cf_interconnects`;
const AT = { server: "http://127.0.0.1/client/v4", account: RICH };

function planFor(text: string, interconnects: readonly Shown[]): Plan {
  const planned = planOf(readFile("f", text), interconnects);
  if (!planned.ok) throw new CommandFailure("no plan", { problems: planned.problems });
  return planned.plan;
}

/** The plan; nothing if the file says what no file may say, as a few of the edits do. */
function tryPlan(text: string, interconnects: readonly Shown[]): Plan | undefined {
  try {
    return planFor(text, interconnects);
  } catch (error) {
    if (error instanceof CommandFailure) return undefined;
    throw error;
  }
}

/** An update as a file says it: text targets, fields under their one name. */
function asFields(update: JsonObject): JsonObject {
  const fields: JsonObject = structuredClone(update);
  delete Object(fields["bgp"]).as_no;
  for (const field of ["colo_name", "version", "created_on", "modified_on", "virtual_port_reservation_id"]) {
    delete fields[field];
  }
  return fields;
}

const edits = fc.uniqueArray(fc.record({ of: fc.nat({ max: IDS.length - 1 }), fields: update("text") }), {
  minLength: 1,
  maxLength: 4,
  selector: ({ of }) => of,
});

describe("for random edits of a random account", () => {
  test("export is unchanged, apply is done, and the inverse puts all back", async () => {
    await using server = await startTestServer({}, { seed: { name: "world", text: JSON.stringify(world) } });
    const ask = (method: string, path: string, body?: unknown) =>
      server.ask(method, path, { headers: TARGETS_AS_OBJECTS, ...(body === undefined ? {} : { body }) });
    const read = async () => readAnswer((await ask("GET", LIST)).body.result.interconnects);
    const send = (plan: Plan) => ask("PUT", LIST, { interconnects: plan.steps.map(updateOf) });
    let applied = 0;
    await fc.assert(
      fc.asyncProperty(edits, async (wanted) => {
        const before = await read();
        const exported = exportYaml(before, AT, undefined);
        expect(planFor(exported, before).steps).toEqual([]);
        expect(planFor(exportJson(before), before).steps).toEqual([]);

        const entries = wanted.flatMap(({ of, fields }) => {
          const one = before.find(({ id }) => id === IDS[of]);
          return one ? [[one.name, { ...asFields(fields), id: one.id }]] : [];
        });
        const text = stringify({ interconnects: Object.fromEntries(entries) });
        const plan = tryPlan(text, before);
        if (!plan) return;
        const sent = await send(plan);
        const after = await read();
        if (sent.status !== 200) {
          expect(exportYaml(after, AT, undefined)).toBe(exported);
          return;
        }
        applied += plan.steps.length > 0 ? 1 : 0;
        expect(planFor(text, after).steps).toEqual([]);
        // The plan told all that can be written and has changed, and nothing else.
        expect(changed(before, after)).toEqual(
          plan.steps.flatMap(({ id, fields }) => fields.map(({ path }) => `${id} ${path}`)).sort(),
        );

        const { plan: back, lost } = inverseOf(plan);
        const undone = await send(back);
        if (undone.status === 200 && lost.length === 0) {
          expect(meaning(await read())).toEqual(meaning(before));
        }
      }),
      { numRuns: runs(400) },
    );
    expect(applied).toBeGreaterThan(runs(30));
  });
});

/** Fields by path that differ, as `id path`. */
function changed(before: readonly Shown[], after: readonly Shown[]): string[] {
  const [one, other] = [before, after].map((list) => new Map(meaning(list)));
  return [...new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])])]
    .filter((key) => one?.get(key) !== other?.get(key))
    .sort();
}

/** What is set; a text that is empty and one that is not there mean the same. */
function meaning(list: readonly Shown[]): [string, string][] {
  return list.flatMap(({ id, fields }) =>
    [...fields].flatMap(([path, value]): [string, string][] =>
      value === "" || (Array.isArray(value) && value.length === 0)
        ? []
        : [[`${id} ${path}`, JSON.stringify(value)]],
    ),
  );
}

describe("guards", () => {
  const account = (count: number): Shown[] =>
    Array.from({ length: count }, (_, index) => ({
      id: `${index}`,
      name: `pni_${index}`,
      fields: new Map([["mtu", 1476]]),
      raw: {},
    }));
  const planned = (total: number, changed: number) => {
    const interconnects = Object.fromEntries(
      Array.from({ length: changed }, (_, index) => [`pni_${index}`, nested([["mtu", 1400]])]),
    );
    return guardsOf(planFor(JSON.stringify({ interconnects }), account(total)));
  };

  test("stand over more than 30 % of at least 10 interconnects", () => {
    expect(planned(9, 9)).toEqual([]);
    expect(planned(10, 3)).toEqual([]);
    expect(planned(10, 4)).toEqual([
      "It changes 4 of the account's 10 interconnects (40 %, more than 30 %).",
    ]);
    expect(planned(1000, 300)).toEqual([]);
    expect(planned(1000, 301)).toHaveLength(1);
  });
});
