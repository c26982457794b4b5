/** The credentials printed in the vendor's own documentation, and the rest of the demonstration's. */
export const demo = {
  account: "023e105f4ecef8ad9ca31a8372d0c353",
  interconnect: "c4a7362d577a6c3019a474fd6f485821",
  route: "a1b2c3d4e5f60718293a4b5c6d7e8f90",
  email: "user@example.com",
  key: "144c9defac04969c7bfad8efaa8ea194",
  token: "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY",
  /** Belongs to the account, so that it can check itself there. */
  accountToken: "demo-token-of-the-account-00000000000000",
  /** The user that there is to be changed and deleted. */
  other: { email: "colleague@example.com", key: "c01eade5c01eade5c01eade5c01eade5" },
  /** Every token of `seeds/demo.yaml`. They are public, so all of them bind the server to loopback. */
  tokens: [
    "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY",
    "demo-magic-read-only-token-0000000000000",
    "demo-transit-read-only-token-00000000000",
    "demo-transit-write-token-000000000000000",
    "demo-wan-write-token-0000000000000000000",
    "demo-other-account-token-000000000000000",
    "demo-other-permission-token-000000000000",
    "demo-expired-token-000000000000000000000",
    "demo-not-yet-valid-token-000000000000000",
    "demo-disabled-token-00000000000000000000",
    "demo-wrong-address-token-000000000000000",
    "demo-denied-token-0000000000000000000000",
    "demo-patchbay-read-token-000000000000000",
    "demo-patchbay-edge-token-000000000000000",
    "demo-second-token-of-the-user-0000000000",
    "demo-token-of-the-account-00000000000000",
  ],
} as const;
