/** Worlds as seed files, for tests that need more, or others, than the demonstration. */

import { ACCOUNT } from "./server.ts";
import { addressOf, idOf } from "./worlds.ts";

/** A credential that is nobody's demonstration. */
export const OWN_TOKEN = "own-token-of-the-tests-000000000000000-0";
export const OWN_EMAIL = "operator@example.net";
export const OWN_KEY = "0123456789abcdef0123456789abcdef01234567";

/** An account with that many interconnects `pni_0`, `pni_1`, …, one token that may do everything, and one user. */
export function makeSeed(interconnects: number): string {
  const lines = ["accounts:", `  - id: ${ACCOUNT}`, "    name: Generated", "    interconnects:"];
  for (let number = 0; number < interconnects; number++) {
    lines.push(
      `      - id: "${idOf(number)}"`,
      `        name: pni_${number}`,
      '        version: "1"',
      `        description: Port ${number} of many`,
      `        interface_address: ${addressOf(number)}`,
      "        gre: { cloudflare_endpoint: 203.0.113.1 }",
      "        health_check: { rate: low, type: request, target: 203.0.113.1 }",
    );
  }
  lines.push(
    "users:",
    `  - { id: "${idOf(1)}", email: ${OWN_EMAIL}, key: ${OWN_KEY}, accounts: [${ACCOUNT}] }`,
    "tokens:",
    `  - id: "${idOf(1)}"`,
    "    name: everything",
    `    value: ${OWN_TOKEN}`,
    "    policies:",
    "      - effect: allow",
    '        accounts: ["*"]',
    "        permission_groups: [Magic WAN Write, Patchbay Admin, Patchbay Read]",
  );
  return `${lines.join("\n")}\n`;
}
