/** `patchbay token`: one more token of an administrator's, for whoever lost theirs. */

import { decide } from "../account/decide.ts";
import { DIRECTORY_ID, tokenKind } from "../account/directory.ts";
import { why } from "../store/sqlite/data-directory.ts";
import { databaseIn } from "../store/sqlite/database-file.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import { NotCommitted, OutcomeUnknown, StoreRefused } from "../store/store.ts";
import { newAdminToken, storedToken } from "./admin-token.ts";
import { dataDirectory, type Environment, run, type Terminal, timestamp } from "./run.ts";

export interface TokenOptions {
  readonly data?: string | undefined;
  readonly name?: string | undefined;
}

const actor = { type: "system", id: "patchbay token", name: "patchbay token" } as const;

export function token(options: TokenOptions, environment: Environment, terminal: Terminal): Promise<number> {
  return run(terminal, async () => {
    const data = dataDirectory(options.data, environment);
    const secret = await addToken(data, options.name ?? "admin");
    return `${secret}\n\nThis is shown once. It may do everything, on all accounts of ${data}. Tokens that are lost can be found by name and deleted.`;
  });
}

async function addToken(data: string, name: string): Promise<string> {
  databaseIn(data);
  const store = SqliteStore.open(data);
  try {
    const directory = await store.load(DIRECTORY_ID);
    if (!directory)
      throw new StoreRefused(`The data directory ${data} holds nothing yet. Begin with patchbay init.`);
    const time = timestamp();
    const secret = newAdminToken(name);
    const { id, doc } = storedToken(secret, time);
    const decision = decide(directory, {
      operation: "patchbay token",
      circumstances: { time, actor, requestId: `token-${id}` },
      propose: (state) => [{ kind: tokenKind, slot: state.slotFor(tokenKind.name, id), doc, pointer: "" }],
    });
    if (!decision.ok || !decision.change) throw new Error("A new token was refused.");
    const { epoch, revision } = directory;
    await store.commit({
      state: DIRECTORY_ID,
      epoch,
      base: revision,
      changes: [decision.change],
      deadline: null,
    });
    return secret.value;
  } catch (error) {
    if (!(error instanceof NotCommitted || error instanceof OutcomeUnknown)) throw error;
    throw new StoreRefused(`The data directory ${data} did not take the token: ${why(error)}`);
  } finally {
    await store.close();
  }
}
