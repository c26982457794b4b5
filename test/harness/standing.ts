/** How everything stands, to see that a refusal left no trace. */

import { expect } from "vitest";
import { ACCOUNT, OTHER_ACCOUNT, type Reply, type TestServer } from "./server.ts";

const accounts = [ACCOUNT, OTHER_ACCOUNT];

/** State, revision and log of every account, and the log of the directory. */
export async function standing(server: TestServer): Promise<unknown[]> {
  const asked = accounts.flatMap((id) => [
    server.ask("GET", `/patchbay/v1/accounts/${id}/state`),
    server.ask("GET", `/patchbay/v1/accounts/${id}/changes?limit=100`),
  ]);
  asked.push(server.ask("GET", "/patchbay/v1/changes?limit=100"));
  const replies = await Promise.all(asked);
  return replies.map(({ body }) => body.result);
}

/** Fails if what `act` does leaves a trace. */
export async function untouched<T>(server: TestServer, act: () => Promise<T>): Promise<T> {
  const before = await standing(server);
  const result = await act();
  expect(await standing(server), "a refusal changed something").toEqual(before);
  return result;
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
