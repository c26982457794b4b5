import { freshDatabase } from "../../../test/harness/postgres.ts";
import { storeContract } from "../../../test/harness/store-contract.ts";
import { PostgresStore } from "./postgres-store.ts";

const places = new Map<string, Promise<string>>();

storeContract("PostgreSQL", async (place) => {
  const url = places.get(place) ?? freshDatabase();
  places.set(place, url);
  return PostgresStore.open(await url);
});
