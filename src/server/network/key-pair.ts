/** The certificate and key of TLS, read from their files and looked at before they are used. */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { ConfigError, type Given, type TlsFiles } from "../config.ts";

/** What clients older than this speak has known weaknesses (RFC 8996). */
export const OLDEST_TLS = "TLSv1.2";

export interface KeyPair {
  /** The chain, in PEM, the server's own certificate first. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The end of the certificate's life, as it says itself. */
  readonly validTo: string;
}

/** Reads a pair. Throws `ConfigError` with one sentence if it cannot serve. */
export function readKeyPair({ cert, key }: TlsFiles): KeyPair {
  const pair = { cert: readPart(cert), key: readPart(key) };
  const certificate = parseCertificate(pair.cert, cert);
  if (!certificate.checkPrivateKey(parseKey(pair.key, key))) {
    throw new ConfigError(
      `The key of ${key.as}, ${key.text}, is not that of the certificate of ${cert.as}, ${cert.text}.`,
    );
  }
  try {
    createSecureContext({ ...pair, minVersion: OLDEST_TLS });
  } catch (error) {
    throw new ConfigError(`The certificate of ${cert.as}, ${cert.text}, cannot be used: ${reason(error)}.`);
  }
  return { ...pair, validTo: certificate.validToDate.toISOString() };
}

function readPart({ text: file, as }: Given): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError(`The file of ${as} cannot be read: ${reason(error)}.`);
  }
}

function parseCertificate(pem: Buffer, { text: file, as }: Given): X509Certificate {
  try {
    // The class reads DER too, but TLS does not.
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return new X509Certificate(pem);
  } catch {
    // Told below, in words.
  }
  throw new ConfigError(`The file of ${as}, ${file}, does not begin with a whole certificate in PEM form.`);
}

function parseKey(pem: Buffer, { text: file, as }: Given): KeyObject {
  if (pem.includes("ENCRYPTED")) {
    throw new ConfigError(
      `The key of ${as}, ${file}, is encrypted, and nobody is there to type its passphrase.`,
    );
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new ConfigError(`The file of ${as}, ${file}, does not hold a whole private key in PEM form.`);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
