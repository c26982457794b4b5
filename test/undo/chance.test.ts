/** Random changes and their undoing: what is undone is as it was, byte for byte. */

import { afterAll, expect, test } from "vitest";
import { Chance } from "../harness/random.ts";
import { isLong } from "../harness/runs.ts";
import { AMS, LIST, ORD, OWN, ROUTES, SIN, startTestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

const RUNS = isLong ? 500 : 20;

const server = await startTestServer();
afterAll(() => server.close());

/** Everything that an account is, as text, without when its parts were last changed. */
async function standing(): Promise<string> {
  const { body } = await server.ask("GET", `${OWN}/state`);
  const { revision: _, epoch: __, ...objects } = body.result;
  const sorted = (list: { id?: string; name?: string }[]) =>
    list.toSorted((a, b) => String(a.id ?? a.name).localeCompare(String(b.id ?? b.name)));
  const text = JSON.stringify({ ...objects, routes: sorted(objects.routes) }, (key, value) =>
    key === "modified_on" ? undefined : value,
  );
  return text;
}

function fields(chance: Chance, tag: string): object {
  const all: Record<string, unknown> = {
    name: `pni_${tag}`,
    description: chance.pick(["", `text ${tag}`]),
    mtu: chance.between(600, 1400),
    health_check: {
      rate: chance.pick(["low", "mid", "high"]),
      type: chance.pick(["request", "reply"]),
      ...chance.pick([{}, { target: chance.pick(["", "203.0.113.9", "198.51.100.7"]) }]),
    },
  };
  return Object.fromEntries(
    chance.some(Object.keys(all), chance.between(1, 3)).map((name) => [name, all[name]]),
  );
}

/** One random change; which may be refused, or change nothing. */
async function change(chance: Chance, tag: string): Promise<void> {
  const ids = chance.some([ORD, AMS, SIN], chance.between(1, 3));
  const route = {
    prefix: `192.0.2.${chance.below(200)}/32`,
    nexthop: "10.213.0.9",
    priority: chance.between(1, 9),
  };
  switch (chance.below(6)) {
    case 0:
      await server.ask("POST", ROUTES, { body: route });
      return;
    case 1: {
      const { body } = await server.ask("GET", ROUTES);
      const [first] = body.result.routes;
      if (first) await server.ask("DELETE", `${ROUTES}/${first.id}`);
      return;
    }
    default: {
      const elements = ids.map((id, index) => ({ id, ...fields(chance, `${tag}_${index}`) }));
      await server.ask("PUT", LIST, { body: { interconnects: elements } });
    }
  }
}

test(`after any of ${RUNS} series of changes, undone one by one or at once, all is as it was`, async () => {
  for (let run = 1; run <= RUNS; run++) {
    const chance = new Chance(run);
    await server.reset();
    const texts = [await standing()];
    for (let step = 0; step < chance.between(1, 6); step++) {
      await change(chance, `${run}_${step}`);
      const { body } = await server.ask("GET", `${OWN}/changes?limit=1`);
      const revision: number = body.result_info.revision;
      texts[revision - 1] = await standing();
    }
    const newest = texts.length;
    const to = chance.between(1, newest);
    if (chance.below(2) === 0) {
      const reply = await server.ask("POST", `${OWN}/restore`, { body: { to_revision: to } });
      expect(verdict(reply), `run ${run}, back to ${to}`).toBe("200");
    } else {
      for (let revision = newest; revision > to; revision--) {
        const reply = await server.ask("POST", `${OWN}/changes/${revision}/revert`);
        expect(verdict(reply), `run ${run}, undoing ${revision}`).toBe("200");
      }
    }
    expect(await standing(), `run ${run}, at ${to}`).toBe(texts[to - 1]);
  }
});
