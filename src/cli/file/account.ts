/** An account's interconnects as a server shows them. */

import { createHash } from "node:crypto";
import { fieldsOf, member, type Shown } from "../../file/shown.ts";
import type { Api, Reply } from "../api.ts";
import { CommandFailure } from "../failure.ts";

/** Asks for targets as objects, which tell what was saved from what follows from it. */
export const TARGETS_AS_OBJECTS = { "x-magic-new-hc-target": "true" } as const;

/** What a plan was made on: the history of a Patchbay, or the objects themselves, by id each its hash. */
export type Binding =
  | { readonly epoch: string; readonly revision: number }
  | { readonly objects: Readonly<Record<string, string>> };

export interface AccountShown {
  readonly interconnects: readonly Shown[];
  /** Of the list, where the server tells one. */
  readonly etag: string | undefined;
  readonly binding: Binding;
}

export function listPath(api: Api): string {
  return `${api.account}/magic/cf_interconnects`;
}

function list(api: Api): Promise<Reply> {
  return api.call("GET", listPath(api), { headers: TARGETS_AS_OBJECTS });
}

/** The interconnects alone, for who only looks. */
export async function readList(api: Api): Promise<readonly Shown[]> {
  const { result } = await list(api);
  return readInterconnects(member(result, "interconnects"));
}

/** The interconnects, and what a plan on them is bound to. */
export async function readAccount(api: Api): Promise<AccountShown> {
  const { result, headers } = await list(api);
  const interconnects = readInterconnects(member(result, "interconnects"));
  const etag = headers.get("etag") ?? undefined;
  // A Patchbay's tag is the epoch and the revision of the list's last change: one answer, so both are of what was read.
  const told = /^"(.+)-(\d+)"$/.exec(etag ?? "");
  const [, epoch, revision] = told ?? [];
  const binding =
    epoch !== undefined && revision !== undefined && (await api.isPatchbay())
      ? { epoch, revision: Number(revision) }
      : { objects: Object.fromEntries(interconnects.map(({ id, raw }) => [id, hashOf(raw)])) };
  return { interconnects, etag: "epoch" in binding ? etag : undefined, binding };
}

export function sameBinding(one: Binding, other: Binding): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

/** Names that a sentence lists. */
const NAMED = 5;

/** What has moved between what a plan is bound to and the account as it is now; `nameOf` knows those that are gone. */
export function movedWords(
  before: Binding,
  { binding: now, interconnects }: Pick<AccountShown, "binding" | "interconnects">,
  nameOf: (id: string) => string | undefined = () => undefined,
): string {
  if ("epoch" in before && "epoch" in now) {
    if (before.epoch !== now.epoch) return "the account's history is another (a reset, a restore or a load)";
    return `the plan is of revision ${before.revision}, the newest is ${now.revision}`;
  }
  if ("epoch" in before || "epoch" in now) return "the server is another";
  const names = new Map(interconnects.map(({ id, name }) => [id, name]));
  const ids = new Set([...Object.keys(before.objects), ...Object.keys(now.objects)]);
  const moved = [...ids].flatMap((id) => {
    const [was, is] = [before.objects[id], now.objects[id]];
    if (was === is) return [];
    const name = names.get(id) ?? nameOf(id) ?? id;
    return [was === undefined ? `${name} is new` : is === undefined ? `${name} is gone` : `${name} changed`];
  });
  const more = moved.length > NAMED ? ` and ${moved.length - NAMED} more` : "";
  return `they are no longer as they were read: ${moved.slice(0, NAMED).join(", ")}${more}`;
}

/** The interconnects of an answer. Throws `CommandFailure` if it is none. */
export function readInterconnects(given: unknown): Shown[] {
  if (!Array.isArray(given)) throw strange("no list of interconnects");
  return given.map((raw: unknown) => {
    const id = member(raw, "id");
    const name = member(raw, "name");
    if (typeof id !== "string" || typeof name !== "string")
      throw strange("an interconnect without id or name");
    return { id, name, fields: fieldsOf(raw), raw: Object(raw) };
  });
}

function strange(what: string): CommandFailure {
  return new CommandFailure(`The server answered with ${what}.`, {
    advice: "Look whether the address is that of the interconnects API: patchbay doctor tells.",
  });
}

/** JSON in which equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}

export function hashOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
