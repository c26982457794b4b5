/** What goes wrong with several servers on one database, while clients ask them. */

import type { CuttingProxy } from "./cutting-proxy.ts";
import type { Fleet } from "./fleet.ts";
import type { PostgresServer } from "./postgres-server.ts";
import type { Chance } from "./random.ts";
import type { Traffic } from "./traffic.ts";

export interface World {
  readonly fleet: Fleet;
  readonly proxy: CuttingProxy;
  /** The primary. */
  database: PostgresServer;
}

type Nemesis = (world: World, traffic: Traffic, chance: Chance) => Promise<void>;

/** Statements in which a connection is cut, as they are named on the wire: those that are always sent, and the others. */
const USUAL = ["append\0", "append\0", "append\0", "check\0"];
const RARE = ["look\0", "lock\0", "after\0", "state\0", "COMMIT\0"];
const ANY_CUT = ["before", "within", "after"] as const;

export const nemeses: Readonly<Record<string, Nemesis>> = {
  "a server is killed": async ({ fleet }, traffic, chance) => {
    const number = chance.pick(fleet.numbers);
    await fleet.kill(number);
    await traffic.after(20, "made", "told");
    await fleet.start(number);
  },

  "all servers but one are killed at once": async ({ fleet }, traffic, chance) => {
    const gone = chance.some(fleet.numbers, fleet.numbers.length - 1);
    await Promise.all(gone.map((number) => fleet.kill(number)));
    await traffic.after(20, "made", "told");
    await Promise.all(gone.map((number) => fleet.start(number)));
  },

  "connections are cut in the middle of what they carry": async ({ proxy }, traffic, chance) => {
    for (const word of RARE) void proxy.cut(word, chance.pick(ANY_CUT));
    const cutting = Array.from({ length: 12 }, () => {
      const cut = chance.pick(["late", ...ANY_CUT] as const);
      return proxy.cut(cut === "late" ? "append\0" : chance.pick(USUAL), cut);
    });
    await Promise.all(cutting);
    await traffic.after(20, "made", "told");
    await proxy.deliver();
  },

  "all connections are cut": async ({ proxy }, traffic) => {
    await traffic.after(5, "made");
    proxy.cutAll();
  },

  "the database is stopped": async ({ database }, traffic) => {
    await database.stop();
    await traffic.after(3, "away");
    await database.start();
  },

  "the database is killed": async ({ database }, traffic) => {
    await database.kill();
    await traffic.after(3, "away");
    await database.start();
  },

  "the database is killed, and back at once": async ({ database }) => {
    await database.kill();
    await database.start();
  },

  "the database is killed for ever, and a standby takes over": async (world, traffic) => {
    const { database, proxy } = world;
    const standby = await database.addStandby();
    await traffic.after(100, "made", "told");
    // As when a machine goes, with everything on it at one moment: a PostgreSQL that loses but its first process shows
    // for a moment what no standby has.
    proxy.shut();
    await database.kill();
    await standby.promote();
    proxy.turnTo(standby.url());
    world.database = standby;
    await database.remove();
  },
};
