import type { EdgeAccount } from "../account.ts";
import type { EdgeOptions } from "../options.ts";

/** As much of an account as an edge carries, with what its own file tells of links. */
export function followedPart(
  account: EdgeAccount,
  { only, links }: Pick<EdgeOptions, "only" | "links">,
): EdgeAccount {
  if (!only && links.size === 0) return account;
  const interconnects = account.interconnects
    .filter(({ id, name }) => !only || only.has(id) || only.has(name))
    .map((one) => (links.has(one.name) ? { ...one, link: links.get(one.name) } : one));
  return { ...account, interconnects };
}
