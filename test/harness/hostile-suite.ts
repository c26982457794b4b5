/** What is done to every place of a good body, whatever operation it is for. */

import { expect } from "vitest";
import { objectsIn, type Path, pathsOf, pointer, withAt, withMember } from "./hostile-bodies.ts";
import { problems, type Reply, type TestServer } from "./server.ts";
import { untouched, verdict } from "./standing.ts";

export const LONG = JSON.stringify("x".repeat(100_000));
const odd = ["null", "true", "0", "-1", "1.5", "1e400", '""', '"x"', "[]", "{}", "[[]]", '{"a":1}', LONG];

/** A body that is taken as it is, and how it is sent. */
export interface GoodBody {
  readonly body: unknown;
  readonly send: (text: string) => Promise<Reply>;
  /** Is an odd value, as JSON, one that its place takes? */
  readonly isLegal: (place: Path, json: string) => boolean;
}

/** The places of a body, each with a name for its test. */
export const placesOf = (body: unknown) =>
  pathsOf(body).map((place) => ({ place, name: pointer(place) || "the body itself" }));

/** Does a refusal speak of a place, or of what is around or in it? `as_no` is `customer_asn` by its old name. */
function speaksOf(reply: Reply, at: string): boolean {
  const place = at.replace("customer_asn", "as_no");
  return reply.body.errors.some(({ source }: { source?: { pointer: string } }) => {
    const told = (source?.pointer ?? "").replace("customer_asn", "as_no");
    return place.startsWith(told) || told.startsWith(place);
  });
}

/** At one place, every odd value is taken where it may stand, and else refused for that place. */
export async function expectWhatItCanBe(
  server: TestServer,
  { body, send, isLegal }: GoodBody,
  place: Path,
): Promise<void> {
  await server.reset();
  const taken = odd.filter((json) => isLegal(place, json));
  await untouched(server, async () => {
    for (const json of odd) {
      if (taken.includes(json)) continue;
      const reply = await send(withAt(body, place, json));
      const shown = `${json.slice(0, 20)} at ${pointer(place)}: ${JSON.stringify(reply.body).slice(0, 500)}`;
      expect(reply.status, shown).toBe(400);
      expect(speaksOf(reply, pointer(place)), shown).toBe(true);
    }
  });
  for (const json of taken) {
    const reply = await send(withAt(body, place, json));
    expect(verdict(reply), `${json.slice(0, 20)} at ${pointer(place)}`).toBe("200");
    await server.reset();
  }
}

/** A key that stands twice is refused at its place, at every depth. */
export async function expectNoKeyTwice(server: TestServer, { body, send }: GoodBody): Promise<void> {
  await untouched(server, async () => {
    for (const place of pathsOf(body)) {
      const key = place.at(-1);
      if (typeof key !== "string") continue;
      const reply = await send(withMember(body, place.slice(0, -1), key, "null"));
      expect(problems(reply)).toEqual([`990015 ${pointer(place)}`]);
    }
  });
}

/** A key is one that is not known, at every depth, whatever of these stands under it. */
export async function expectUnknown(
  server: TestServer,
  { body, send }: GoodBody,
  key: string,
  values: readonly string[],
): Promise<void> {
  await untouched(server, async () => {
    for (const place of objectsIn(body)) {
      for (const json of values) {
        const reply = await send(withMember(body, place, key, json));
        expect(problems(reply)).toEqual([`990020 ${pointer([...place, key])}`]);
        expect(reply.body.errors[0].message).toContain(`There is no field ${JSON.stringify(key)} here.`);
      }
    }
  });
}
