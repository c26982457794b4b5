/** The seed data of the mixed load: three accounts, an operator's token, and a token of the hostile clients. */

import { ACCOUNT, COUNT, seedText } from "../world.ts";

/** An account with its paths. */
export interface Place {
  readonly id: string;
  /** Interconnects. */
  readonly count: number;
  readonly list: string;
  readonly own: string;
}

function place(id: string, count: number): Place {
  return {
    id,
    count,
    list: `/client/v4/accounts/${id}/magic/cf_interconnects`,
    own: `/patchbay/v1/accounts/${id}`,
  };
}

/** Receives reads, updates and rollbacks. */
export const busy = place(ACCOUNT, COUNT);
/** Receives confirmed changes only: while one waits, its account accepts no other change. Most long polls wait here. */
export const calm = place("ca1".padEnd(32, "0"), 1_000);
/** The only account that the hostile clients' token has rights in. */
export const attacked = place("bad".padEnd(32, "0"), 100);
export const places = [busy, calm, attacked] as const;

export const OPERATOR = "bench-operator-token-0000000000000000000";
export const HOSTILE = "bench-hostile-token-00000000000000000000";

/** JSON, which is YAML. */
export function mixedSeed(): string {
  const rights = ["Magic WAN Write", "Patchbay Admin", "Patchbay Read", "Account Settings Read"];
  const policies = (accounts: readonly string[]) => [
    { effect: "allow", accounts, permission_groups: rights },
  ];
  return JSON.stringify({
    accounts: places.map(({ id, count }, index) => ({
      ...JSON.parse(seedText(count)).accounts[0],
      id,
      name: `bench ${index}`,
    })),
    users: [],
    tokens: [
      { id: "f".repeat(32), name: "operator", value: OPERATOR, policies: policies(["*"]) },
      { id: "e".repeat(32), name: "hostile", value: HOSTILE, policies: policies([attacked.id]) },
    ],
  });
}
