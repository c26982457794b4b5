/** Permission groups by name. Ids of the vendor's groups are the vendor's; ours are Patchbay's own. */

/** What a group's rights are on: accounts, or the user that a token belongs to. */
export type Scope = "account" | "user";

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  /** One of the vendor's product categories. */
  readonly category: "network_services" | "account_and_billing" | "other";
}

const magic = { scope: "account", category: "network_services" } as const;
const account = { scope: "account", category: "account_and_billing" } as const;
const user = { scope: "user", category: "account_and_billing" } as const;
const own = { scope: "account", category: "other" } as const;

export const permissionGroups = {
  magicTransitRead: { id: "967ecf860a244dd1911a0331a0af582a", name: "Magic Transit Read", ...magic },
  magicTransitWrite: { id: "0bc09a3cd4b54605990df4e307f138e1", name: "Magic Transit Write", ...magic },
  magicWanRead: { id: "17fc856c4ebe49d4bb70f8e4744398cf", name: "Magic WAN Read", ...magic },
  magicWanWrite: { id: "a1a7389ba7e441dba95852e10970fcc3", name: "Magic WAN Write", ...magic },
  accountSettingsRead: { id: "c1fde68c7bcc44588cbb6ddbc16d6480", name: "Account Settings Read", ...account },
  accountSettingsWrite: {
    id: "1af1fa2adc104452b74a9a3364202f20",
    name: "Account Settings Write",
    ...account,
  },
  accountApiTokensRead: {
    id: "eb56a6953c034b9d97dd838155666f06",
    name: "Account API Tokens Read",
    ...account,
  },
  accountApiTokensWrite: {
    id: "5bc3f8b21c554832afc660159ab75fa4",
    name: "Account API Tokens Write",
    ...account,
  },
  apiTokensRead: { id: "0cc3a61731504c89b99ec1be78b77aa0", name: "API Tokens Read", ...user },
  apiTokensWrite: { id: "686d18d5ac6c441c867cbf6771e58a0a", name: "API Tokens Write", ...user },
  userDetailsRead: { id: "8acbe5bb0d54464ab867149d7f7cf8ac", name: "User Details Read", ...user },
  userDetailsWrite: { id: "55a5e17cc99e4a3fa1f3432d262f2e55", name: "User Details Write", ...user },
  patchbayAdmin: { id: "70617463686261790000000000000001", name: "Patchbay Admin", ...own },
  patchbayEdge: { id: "70617463686261790000000000000002", name: "Patchbay Edge", ...own },
  patchbayRead: { id: "70617463686261790000000000000003", name: "Patchbay Read", ...own },
} as const satisfies Record<string, Group>;

export type PermissionGroup = keyof typeof permissionGroups;

/** Any one of the groups suffices. */
export const accepted = {
  readMagic: ["magicWanWrite", "magicWanRead", "magicTransitRead", "magicTransitWrite"],
  writeMagic: ["magicWanWrite", "magicTransitWrite"],
  readLog: ["patchbayRead", "patchbayEdge", "patchbayAdmin"],
  reportHealth: ["patchbayEdge", "patchbayAdmin"],
  readHealth: [
    "magicWanWrite",
    "magicWanRead",
    "magicTransitRead",
    "magicTransitWrite",
    "patchbayRead",
    "patchbayEdge",
    "patchbayAdmin",
  ],
  readAudit: ["accountSettingsRead", "accountSettingsWrite", "patchbayRead", "patchbayAdmin"],
  administer: ["patchbayAdmin"],
  /** And what the undone change itself took, unless one administers. */
  undo: ["magicWanWrite", "magicTransitWrite", "patchbayAdmin"],
  readAccount: ["accountSettingsWrite", "accountSettingsRead"],
  writeAccount: ["accountSettingsWrite"],
  readAccountTokens: ["accountApiTokensWrite", "accountApiTokensRead"],
  writeAccountTokens: ["accountApiTokensWrite"],
  readUser: ["userDetailsWrite", "userDetailsRead"],
  writeUser: ["userDetailsWrite"],
  readUserTokens: ["apiTokensWrite", "apiTokensRead"],
  writeUserTokens: ["apiTokensWrite"],
} as const satisfies Record<string, readonly PermissionGroup[]>;

const byText = new Map<string, Group>(
  Object.values(permissionGroups).flatMap((group) => [
    [group.id, group],
    [group.name, group],
  ]),
);

/** The group with this id or name. */
export function permissionGroup(idOrName: string): Group | undefined {
  return byText.get(idOrName);
}
