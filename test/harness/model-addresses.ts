/** Addresses the slow and obvious way, over texts: what the model judges by. */

/** The four octets of an IPv4 address. */
export function octetsOf(text: string): number[] | undefined {
  const parts = text.split(".");
  const octets = parts.map(Number);
  const plain = parts.every(
    (part, n) => /^[0-9]+$/.test(part) && String(octets[n]) === part && Number(part) < 256,
  );
  return plain && parts.length === 4 ? octets : undefined;
}

/** The 32 hex digits of an IPv6 address. */
export function digitsOf(text: string): string | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return groups.map((group) => group.toLowerCase().padStart(4, "0")).join("");
}

/** An address as it is shown. */
export function canonical(text: string): string | undefined {
  if (octetsOf(text)) return text;
  const groups = digitsOf(text)
    ?.match(/.{4}/g)
    ?.map((group) => group.replace(/^0+(?=.)/, ""));
  if (!groups) return undefined;
  for (let length = 8; length >= 2; length--) {
    for (let start = 0; start + length <= 8; start++) {
      if (groups.slice(start, start + length).some((group) => group !== "0")) continue;
      return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
    }
  }
  return groups.join(":");
}

export interface Cidr {
  readonly address: string;
  readonly length: number;
  /** All bits of the address, as a text of 0 and 1. */
  readonly bits: string;
}

export function cidrOf(text: string): Cidr | undefined {
  const [address = "", written = "", ...rest] = text.split("/");
  const length = Number(written);
  if (rest.length > 0 || String(length) !== written || length < 0) return undefined;
  const octets = octetsOf(address);
  const bits = octets
    ? octets.map((octet) => octet.toString(2).padStart(8, "0")).join("")
    : [...(digitsOf(address) ?? "")]
        .map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, "0"))
        .join("");
  return bits === "" || length > bits.length ? undefined : { address, length, bits };
}

/** All addresses of a small IPv4 subnet. */
export function membersOf(text: string): string[] {
  const [address = "", length] = text.split("/");
  const [a, b, c, d = 0] = octetsOf(address) ?? [];
  const size = length === "31" ? 2 : 4;
  const first = d - (d % size);
  return Array.from({ length: size }, (_, n) => `${a}.${b}.${c}.${first + n}`);
}

/** The provider's host of an interface subnet, and the customer's. */
export function endsOf(text: string): { own: string; other: string } {
  const [own = "", length] = text.split("/");
  const members = membersOf(text);
  const hosts = length === "31" ? members : members.slice(1, 3);
  return { own, other: hosts.find((host) => host !== own) ?? "" };
}

/** Is it in 10/8, 172.16/12, 192.168/16 or 169.254.240/20? */
export function isPrivate(address: string): boolean {
  const [a = 0, b = 0, c = 0] = octetsOf(address) ?? [];
  if (a === 172) return b >= 16 && b <= 31;
  return a === 10 || (a === 192 && b === 168) || (a === 169 && b === 254 && c >= 240);
}

export function isHost(text: string): boolean {
  const [first] = octetsOf(text) ?? [];
  if (first !== undefined) return first !== 0 && first !== 127 && first < 224;
  const digits = digitsOf(text);
  return digits !== undefined && !/^0{31}[01]$/.test(digits) && !digits.startsWith("ff");
}
