/** What the directory knows of those who stand in an account's audit log. */

import { accountKind, tokenKind, userKind } from "../directory.ts";
import type { State } from "../state.ts";
import type { Surroundings, TokenOwner } from "./entry.ts";

/** As the directory is now: of a token that is gone the log still tells id and name, but not the owner. */
export function surroundingsOf(account: string, directory: State): Surroundings {
  const name = textOf(directory, accountKind.name, account, "name");
  return {
    account: { id: account, ...(name !== undefined && { name }) },
    ownerOf: (token) => ownerOf(directory, token),
  };
}

/** Whose a token is, as the directory is now. */
export function ownerOf(directory: State, token: string): TokenOwner | undefined {
  const owner = Object(directory.get(tokenKind.name, token)?.doc["owner"]);
  const { user, account } = owner as { user?: unknown; account?: unknown };
  if (typeof account === "string") return { type: "account", id: account };
  if (typeof user !== "string") return undefined;
  const email = textOf(directory, userKind.name, user, "email");
  return { type: "user", id: user, ...(email !== undefined && { email }) };
}

function textOf(directory: State, kind: string, id: string, field: string): string | undefined {
  const value = directory.get(kind, id)?.doc[field];
  return typeof value === "string" ? value : undefined;
}
