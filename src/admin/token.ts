/** `patchbay token`: one more token of an administrator's, for whoever lost theirs. */

import { decide } from "../account/decide.ts";
import { DIRECTORY_ID, tokenKind } from "../account/directory.ts";
import type { SeedToken } from "../contract/seed.ts";
import { why } from "../store/sqlite/data-directory.ts";
import { databaseIn } from "../store/sqlite/database-file.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import { Conflict, NotCommitted, OutcomeUnknown, type Store, StoreRefused } from "../store/store.ts";
import { newAdminToken, storedToken } from "./admin-token.ts";
import {
  type DataPlace,
  dataPlace,
  type Environment,
  type PlaceOptions,
  run,
  type Terminal,
  timestamp,
} from "./run.ts";

export interface TokenOptions extends PlaceOptions {
  readonly name?: string | undefined;
}

const actor = { type: "system", id: "patchbay token", name: "patchbay token" } as const;

export function token(options: TokenOptions, environment: Environment, terminal: Terminal): Promise<number> {
  return run(terminal, async () => {
    const place = dataPlace(options, environment);
    const secret = await addToken(place, options.name ?? "admin");
    return `${secret}\n\nThis is shown once. It may do everything, on all accounts of ${place.name}. Tokens that are lost can be found by name and deleted.`;
  });
}

/** How often it is tried where servers change the directory meanwhile. */
const MOST_TRIES = 20;

async function addToken(place: DataPlace, name: string): Promise<string> {
  const secret = newAdminToken(name);
  const store = await openStore(place);
  try {
    for (let tries = 1; ; tries++) {
      try {
        await commitToken(store, place, secret);
        return secret.value;
      } catch (error) {
        if (!(error instanceof Conflict) || tries === MOST_TRIES) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof NotCommitted || error instanceof OutcomeUnknown || error instanceof Conflict))
      throw error;
    throw new StoreRefused(`${place.what} did not take the token: ${why(error)}`);
  } finally {
    await store.close();
  }
}

async function openStore(place: DataPlace): Promise<Store> {
  if (place.database !== undefined) {
    const { PostgresStore } = await import("../store/postgres/postgres-store.ts");
    return PostgresStore.open(place.database);
  }
  databaseIn(place.data);
  return SqliteStore.open(place.data);
}

async function commitToken(store: Store, place: DataPlace, secret: SeedToken): Promise<void> {
  const directory = await store.load(DIRECTORY_ID);
  if (!directory) throw new StoreRefused(`${place.what} holds nothing yet. Begin with patchbay init.`);
  const time = timestamp();
  const { id, doc } = storedToken(secret, time);
  const decision = decide(directory, {
    operation: "patchbay token",
    circumstances: { time, actor, requestId: `token-${id}` },
    propose: (state) => [{ kind: tokenKind, slot: state.slotFor(tokenKind.name, id), doc, pointer: "" }],
  });
  if (!decision.ok || !decision.change) throw new Error("A new token was refused.");
  const { epoch, revision: base } = directory;
  await store.commit({ state: DIRECTORY_ID, epoch, base, changes: [decision.change], deadline: null });
}
