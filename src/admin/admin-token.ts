/** The token of an administrator: it may do everything on all accounts, and hand out as much. */

import { randomBytes } from "node:crypto";
import { type Found, type TokenDoc, tokenKind } from "../account/directory.ts";
import { seedWorld } from "../account/seed.ts";
import { permissionGroups } from "../contract/permissions.ts";
import type { SeedToken } from "../contract/seed.ts";
import { ConfigError } from "../store/config-error.ts";
import { hashSecret, newEpoch, newSecret } from "../store/secrets.ts";

/** Is it a group of rights on accounts? Those on a user are for the user's own tokens. */
function isForAccounts({ scope }: { readonly id: string; readonly scope?: string }): boolean {
  return scope !== "user";
}

/** A new one, as a seed tells it: with its secret. */
export function newAdminToken(name: string): SeedToken {
  return {
    id: randomBytes(16).toString("hex"),
    name,
    value: newSecret("cfat_"),
    policies: [
      {
        effect: "allow",
        accounts: ["*"],
        // Nobody can make a token stronger than their own, so an administrator's has every group.
        permission_groups: Object.values(permissionGroups)
          .filter(isForAccounts)
          .map(({ id }) => id),
      },
    ],
  };
}

/** The same as the directory keeps it: with the secret's hash. Throws `ConfigError` if the name is none. */
export function storedToken(token: SeedToken, time: string): Found<TokenDoc> {
  const sources = { time, hash: hashSecret, epoch: newEpoch };
  const world = seedWorld({ accounts: [], tokens: [token] }, sources);
  if (!world.ok) throw new ConfigError(world.problems.map(({ message }) => message).join("\n"));
  const edits = world.states.flatMap(({ change }) => change.edits);
  const after = edits.find(({ kind }) => kind === tokenKind)?.after;
  if (!after) throw new Error("The seed of a token made none.");
  return { id: token.id, doc: after.doc as TokenDoc };
}
