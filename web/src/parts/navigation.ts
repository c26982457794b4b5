/** The pages of an account that the navigation leads to. */

import { may, type Session, type SessionAccount, seesInterconnects } from "../api/session.ts";

/** The routes of an account that need no more than the account. */
export type AccountPage =
  | "/dashboard/$account/interconnects"
  | "/dashboard/$account/change"
  | "/dashboard/$account/history"
  | "/dashboard/$account/topology"
  | "/dashboard/$account/inspector";

export interface Destination {
  readonly label: string;
  readonly to: AccountPage;
  /** Is it there for whoever is signed in? */
  readonly offered: (session: Session, account: SessionAccount) => boolean;
}

/** Faults and what was asked are shown to administrators, in a sandbox. */
export function mayInspect({ administers, sandbox }: Session): boolean {
  return administers && sandbox;
}

export const destinations: readonly Destination[] = [
  {
    label: "Interconnects",
    to: "/dashboard/$account/interconnects",
    offered: (_, account) => seesInterconnects(account),
  },
  {
    label: "Change",
    to: "/dashboard/$account/change",
    offered: (_, account) => may(account, "writeMagic"),
  },
  {
    label: "History",
    to: "/dashboard/$account/history",
    offered: (_, account) => may(account, "readLog"),
  },
  {
    label: "Topology",
    to: "/dashboard/$account/topology",
    offered: (_, account) => seesInterconnects(account),
  },
  {
    label: "Inspector",
    to: "/dashboard/$account/inspector",
    offered: mayInspect,
  },
];
