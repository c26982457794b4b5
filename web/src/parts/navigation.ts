/** The pages of an account that the navigation leads to. */

import { may, type Session, type SessionAccount } from "../api/session.ts";

/** The routes of an account that need no more than the account. */
export type AccountPage = "/dashboard/$account/interconnects" | "/dashboard/$account/history";

export interface Destination {
  readonly label: string;
  readonly to: AccountPage;
  /** Is it there for whoever is signed in? */
  readonly offered: (session: Session, account: SessionAccount) => boolean;
}

export const destinations: readonly Destination[] = [
  {
    label: "Interconnects",
    to: "/dashboard/$account/interconnects",
    offered: (_, account) => may(account, "readMagic"),
  },
  {
    label: "History",
    to: "/dashboard/$account/history",
    offered: (_, account) => may(account, "readLog"),
  },
];
