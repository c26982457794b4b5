import { type Memory, MemoryStore } from "./memory-store.ts";
import { storeContract } from "./store-contract.ts";

const places = new Map<string, Memory>();

storeContract("The store of other tests", (place) => {
  const memory = places.get(place) ?? new Map();
  places.set(place, memory);
  return new MemoryStore(memory);
});
