/** UUIDs as the CNI API has them, and the same 32 hexadecimal digits without dashes, as Magic has them. */

export const UUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
const pattern = new RegExp(UUID);

/** The UUID of 32 hexadecimal digits. */
export function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The 32 digits of a UUID, in lower case; `undefined` of what is none. */
export function digitsOf(uuid: string): string | undefined {
  return pattern.test(uuid) ? uuid.replaceAll("-", "").toLowerCase() : undefined;
}

/** The digits of a random UUID (RFC 9562, version 4) from 32 random ones: six bits of them have a fixed meaning. */
export function randomUuidDigits(hex: string): string {
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 12)}4${hex.slice(13, 16)}${variant}${hex.slice(17)}`;
}
