/** Rules of fields as rows of a table: an update, and what comes of it. */

import { expect } from "vitest";
import { type Form, formHeader } from "./hostile-bodies.ts";
import { ACCOUNT, AMS, ORD, OTHER_ACCOUNT, problems, SIN, type TestServer } from "./server.ts";
import { untouched, verdict } from "./standing.ts";

/** The interconnects by what the rules go by: their version, and the account without flags and prefixes. */
export const interconnects = {
  "1": { account: ACCOUNT, id: ORD },
  "1.5": { account: ACCOUNT, id: AMS },
  "2": { account: ACCOUNT, id: SIN },
  bare: { account: OTHER_ACCOUNT, id: "7d793037a0760186574b0282f2f435e7" },
} as const;

export type Subject = keyof typeof interconnects;

export interface Rule {
  readonly on: Subject;
  readonly update: object;
  readonly form?: Form;
  /** What is shown afterwards, where the update is taken. */
  readonly shown?: object;
  /** `code pointer`, where it is refused. */
  readonly refused?: string;
  /** A part of the refusal's sentence that helps. */
  readonly says?: string | readonly string[];
}

const collection = (account: string) => `/client/v4/accounts/${account}/magic/cf_interconnects`;

export const pathOf = (on: Subject) => `${collection(interconnects[on].account)}/${interconnects[on].id}`;

/** What a rule is about, as the title of its test. */
export const title = ({ on, update }: Rule) => `version ${on}: ${JSON.stringify(update).slice(0, 90)}`;

/** Holds a rule against both operations. */
export async function hold(server: TestServer, rule: Rule): Promise<void> {
  const { on, update, form = "text", shown, refused, says = [] } = rule;
  const { account, id } = interconnects[on];
  const headers = formHeader(form);
  const many = { interconnects: [{ id, ...update }] };
  if (refused === undefined) {
    await server.reset();
    const one = await server.ask("PUT", pathOf(on), { body: update, headers });
    expect(one.body.errors).toEqual([]);
    expect(one.body.result.modified_interconnect).toMatchObject(shown ?? update);
    const read = await server.ask("GET", pathOf(on), { headers });
    expect(read.body.result.interconnect).toEqual(one.body.result.modified_interconnect);
    await server.reset();
    const all = await server.ask("PUT", collection(account), { body: many, headers });
    expect(all.body.errors).toEqual([]);
    expect(all.body.result.modified_interconnects).toMatchObject([shown ?? update]);
    return;
  }
  await server.reset();
  await untouched(server, async () => {
    const one = await server.ask("PUT", pathOf(on), { body: update, headers });
    expect(problems(one)).toEqual([refused]);
    const all = await server.ask("PUT", collection(account), { body: many, headers });
    expect(problems(all)).toEqual([refused.replace(" ", " /interconnects/0")]);
    for (const reply of [one, all]) {
      expect(reply.status).toBe(400);
      for (const part of [says].flat()) expect(reply.body.errors[0].message).toContain(part);
    }
  });
}

/** An interconnect as it is shown after updates, one after the other, from the seed on. */
export async function shownAfter(server: TestServer, on: Subject, form: Form, ...updates: readonly object[]) {
  await server.reset();
  const headers = formHeader(form);
  for (const body of updates)
    expect(verdict(await server.ask("PUT", pathOf(on), { body, headers }))).toBe("200");
  const { body } = await server.ask("GET", pathOf(on), { headers });
  return body.result.interconnect;
}
