/** Certificates for tests, signed by themselves: made here, so that no key lies in the repository. */

import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

/** DER: a tag, a length, and what is in it (X.690). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const sized = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...sized]), content]);
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const oid = (...bytes: readonly number[]) => der(0x06, Buffer.from(bytes));
const text = (value: string) => der(0x0c, Buffer.from(value));
const time = (year: number) => der(0x18, Buffer.from(`${year}0101000000Z`));

const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const COMMON_NAME = oid(0x55, 0x04, 0x03);
const SERIAL_NUMBER = oid(0x55, 0x04, 0x05);
const ALTERNATIVE_NAMES = oid(0x55, 0x1d, 0x11);

const address = (name: string) =>
  isIPv4(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name));

let made = 0;

/**
 * A new pair for these names and addresses. No two have the same subject: who trusts both could take one for the
 * other.
 */
export function makeCertificate(name = "patchbay test", ...names: readonly string[]): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = sequence(
    der(0x31, sequence(COMMON_NAME, text(name))),
    der(0x31, sequence(SERIAL_NUMBER, text(randomUUID()))),
  );
  const alternatives = sequence(...["localhost", "127.0.0.1", ...names].map(address));
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ++made])),
    ECDSA_WITH_SHA256,
    subject,
    sequence(time(2020), time(2099)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(sequence(ALTERNATIVE_NAMES, der(0x04, alternatives)))),
  );
  const signature = sign("sha256", content, privateKey);
  const whole = sequence(content, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString("base64").replaceAll(/.{64}/g, "$&\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

/** The key under a passphrase. */
export function encrypted(key: string): string {
  const cipher = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
  return String(createPrivateKey(key).export(cipher));
}

/** Makes every client of this process trust these. */
export function trust(...certificates: readonly Certificate[]): void {
  setDefaultCACertificates([...getCACertificates("default"), ...certificates.map(({ cert }) => cert)]);
}

/** Writes a pair, and tells it as the settings that name its files. */
export function writePair(directory: string, { cert, key }: Certificate) {
  const files = { cert: join(directory, "cert.pem"), key: join(directory, "key.pem") };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return { cert: { text: files.cert, as: "--tls-cert" }, key: { text: files.key, as: "--tls-key" } };
}
