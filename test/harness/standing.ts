/** How everything stands, to see that a refusal left no trace. */

import { expect } from "vitest";
import { ACCOUNT, demo, OTHER_ACCOUNT, type Reply, type TestServer } from "./server.ts";

const places = [
  ...[ACCOUNT, OTHER_ACCOUNT].flatMap((id) => [
    `/patchbay/v1/accounts/${id}/state`,
    `/patchbay/v1/accounts/${id}/changes?limit=100`,
  ]),
  "/patchbay/v1/changes?limit=100",
];

/** State, revision and log of every account, and the log of the directory: the answers as they came. */
export async function standing({ url }: TestServer, token: string = demo.token): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}` };
  return await Promise.all(
    places.map(async (place) => {
      const answer = await fetch(url + place, { headers });
      expect(answer.status, place).toBe(200);
      return await answer.text();
    }),
  );
}

/** Fails if what `act` does leaves a trace. */
export async function untouched<T>(server: TestServer, act: () => Promise<T>): Promise<T> {
  const before = await standing(server);
  const result = await act();
  expectSame(await standing(server), before);
  return result;
}

/** Fails, with what differs, unless everything stands as it did. */
export function expectSame(now: readonly string[], before: readonly string[]): void {
  const read = (texts: readonly string[]) => texts.map((text) => JSON.parse(text));
  if (now.some((text, at) => text !== before[at])) {
    expect(read(now), "a refusal changed something").toEqual(read(before));
  }
}

/** The revision of the demonstration's account. */
export async function revision(server: TestServer): Promise<number> {
  const { body } = await server.ask("GET", `/patchbay/v1/accounts/${ACCOUNT}/state`);
  return body.result.revision;
}

/** `status code` of an answer, such as `200` or `403 10000`. */
export function verdict({ status, body }: Reply): string {
  const codes = (body?.errors ?? []).map(({ code }: { code: number }) => code);
  return [status, ...codes].join(" ");
}
