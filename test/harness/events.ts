/** Something that happened to a state and changed nothing. */

import type { StateEvent } from "../../src/store/store.ts";

interface Told {
  readonly state: string;
  readonly time: string;
  readonly request_id: string;
  /** Of who asked. */
  readonly name?: string;
}

export function refusalOf({ state, time, request_id, name = "test" }: Told): StateEvent {
  return {
    state,
    event: {
      time,
      actor: { type: "token", id: "t", name },
      request_id,
      address: "192.0.2.1",
      operation: "listInterconnects",
      method: "GET",
      path: "/client/v4",
      status: 403,
      code: 10000,
      message: "Authentication error",
    },
  };
}
