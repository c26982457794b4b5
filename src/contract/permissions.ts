/** Permission groups by name. Ids of the vendor's groups are the vendor's; ours are Patchbay's own. */

export const permissionGroups = {
  magicTransitRead: { id: "967ecf860a244dd1911a0331a0af582a", name: "Magic Transit Read" },
  magicTransitWrite: { id: "0bc09a3cd4b54605990df4e307f138e1", name: "Magic Transit Write" },
  magicWanRead: { id: "17fc856c4ebe49d4bb70f8e4744398cf", name: "Magic WAN Read" },
  magicWanWrite: { id: "a1a7389ba7e441dba95852e10970fcc3", name: "Magic WAN Write" },
  accountSettingsRead: { id: "c1fde68c7bcc44588cbb6ddbc16d6480", name: "Account Settings Read" },
  accountSettingsWrite: { id: "1af1fa2adc104452b74a9a3364202f20", name: "Account Settings Write" },
  patchbayAdmin: { id: "70617463686261790000000000000001", name: "Patchbay Admin" },
  patchbayEdge: { id: "70617463686261790000000000000002", name: "Patchbay Edge" },
  patchbayRead: { id: "70617463686261790000000000000003", name: "Patchbay Read" },
} as const;

export type PermissionGroup = keyof typeof permissionGroups;

/** Any one of the groups suffices. */
export const accepted = {
  readMagic: ["magicWanWrite", "magicWanRead", "magicTransitRead", "magicTransitWrite"],
  writeMagic: ["magicWanWrite", "magicTransitWrite"],
  readLog: ["patchbayRead", "patchbayEdge", "patchbayAdmin"],
  readAudit: ["accountSettingsRead", "accountSettingsWrite", "patchbayRead", "patchbayAdmin"],
  administer: ["patchbayAdmin"],
} as const satisfies Record<string, readonly PermissionGroup[]>;

const byText = new Map<string, { readonly id: string; readonly name: string }>(
  Object.values(permissionGroups).flatMap((group) => [
    [group.id, group],
    [group.name, group],
  ]),
);

/** The group with this id or name. */
export function permissionGroup(
  idOrName: string,
): { readonly id: string; readonly name: string } | undefined {
  return byText.get(idOrName);
}
