/** What the patterns of a seed's schema mean in words. */

import { type Exception, show } from "../contract/check.ts";
import { explainForm } from "../contract/cni/forms.ts";

/** By where the text stands, and whether it may be repeated. */
const forms: readonly (readonly [place: RegExp, expected: string, secret?: "secret"])[] = [
  [/\/(created_on|modified_on|not_before|expires_on)$/, "a time such as 2026-01-31T12:00:00Z"],
  [/^\/users\/\d+\/email$/, "an e-mail address"],
  [
    /^\/users\/\d+\/key$/,
    "32 to 45 hexadecimal digits in lower case, or cfk_ and 40 to 80 characters",
    "secret",
  ],
  [
    /^\/tokens\/\d+\/value$/,
    "40 characters of A-Z, a-z, 0-9, _ and -, or cfut_ or cfat_ and 40 to 80 of them",
    "secret",
  ],
  [/\/(slots\/\d+\/id|ports\/\d+\/virtual_port_reservation_id)$/, "a UUID"],
  [/\/ports\/\d+\/id$/, "the name of a port, of lower-case letters, digits, _ and -"],
  [
    /\/(id|user|account|(accounts|users)\/\d+|virtual_port_reservation_id)$/,
    "32 hexadecimal digits in lower case",
  ],
];

export const explainSeedForm: Exception = (path, value, problems, pointer) => {
  const form = typeof value === "string" ? forms.find(([place]) => place.test(path)) : undefined;
  if (!form) return /\/(slots|ports)\/\d+\//.test(path) && explainForm(path, value, problems, pointer);
  const [, expected, secret] = form;
  const field = path.slice(path.lastIndexOf("/") + 1);
  problems.add(
    "invalid_value",
    () => ({ field, given: secret ? "not shown" : show(value), expected }),
    pointer,
  );
  return true;
};
