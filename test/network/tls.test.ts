import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { connect as connectInClear } from "node:net";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import Cloudflare from "cloudflare";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { TlsFiles } from "../../src/server/config.ts";
import { encrypted, makeCertificate, trust, writePair } from "../harness/certificates.ts";
import { serve } from "../harness/command.ts";
import { RawConnection, rawRequest, rawVerdict } from "../harness/raw.ts";
import { ACCOUNT, ask, demo, LIST, ORD, one, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory, temporaryDirectoryForAll } from "../harness/temporary.ts";
import { refusalOf } from "../harness/terminal.ts";

const certificate = makeCertificate("first");
const other = makeCertificate("second");
trust(certificate, other);

/** A server under TLS, closed with the test. */
async function startSecurely(patience = {}): Promise<TestServer> {
  const tls = writePair(temporaryDirectory(), certificate);
  const server = await startTestServer({ tls }, { patience });
  onTestFinished(() => server.close());
  return server;
}

const portOf = ({ url }: TestServer) => Number(new URL(url).port);

/** A handshake of its own, and what came of it. */
async function shakeHands(server: TestServer, options = {}): Promise<TLSSocket> {
  const socket = connect({ port: portOf(server), host: "127.0.0.1", ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

describe("with --tls-cert and --tls-key", () => {
  const directory = temporaryDirectoryForAll();
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ tls: writePair(directory, certificate) });
  });
  afterAll(() => server.close());

  test("the server is at https, for the official client too", async () => {
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const client = new Cloudflare({ apiToken: demo.token, baseURL: `${server.url}/client/v4` });
    const { cfInterconnects } = client.magicTransit;
    const changed = await cfInterconnects.update(ORD, { account_id: ACCOUNT, mtu: 1400 });
    expect(changed.modified_interconnect?.mtu).toBe(1400);
    expect((await cfInterconnects.get(ORD, { account_id: ACCOUNT })).interconnect?.mtu).toBe(1400);
  });

  test("links to pages begin with https, and a page of this server may send requests", async () => {
    const refused = await server.ask("GET", one("0".repeat(32)));
    expect(refused.body.errors[0].documentation_url).toBe(`${server.url}/docs/errors/990024`);
    const page = await fetch(refused.body.errors[0].documentation_url);
    expect(page.status).toBe(200);
    expect((await server.ask("GET", LIST, { headers: { origin: server.url } })).status).toBe(200);
  });

  test("many requests share one connection and one handshake", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const sockets = new Set<unknown>();
    for (let i = 0; i < 20; i++) {
      const asked = request(`${server.url}${LIST}`, {
        agent,
        headers: { authorization: `Bearer ${demo.token}` },
      }).end();
      const [response] = await once(asked, "response");
      response.resume();
      await once(response, "end");
      expect(response.statusCode).toBe(200);
      sockets.add(asked.socket);
    }
    expect(sockets.size).toBe(1);
  });

  test("HTTP/1.1 is what is spoken, and TLS 1.2 and 1.3, nothing older", async () => {
    const newest = await shakeHands(server, { ALPNProtocols: ["h2", "http/1.1"] });
    expect([newest.getProtocol(), newest.alpnProtocol]).toEqual(["TLSv1.3", "http/1.1"]);
    const older = await shakeHands(server, { maxVersion: "TLSv1.2" });
    expect(older.getProtocol()).toBe("TLSv1.2");
    const oldest = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
    await expect(shakeHands(server, oldest)).rejects.toThrow(/protocol version|alert/);
  });

  test("who speaks HTTP in clear, or nothing that is TLS, is cut off, and others do not notice", async () => {
    for (const bytes of [rawRequest({ path: LIST }), Buffer.from("\0".repeat(500)), Buffer.from("x")]) {
      const socket = connectInClear(portOf(server), "127.0.0.1");
      socket.on("error", () => undefined);
      socket.end(bytes);
      socket.resume();
      await once(socket, "close");
    }
    expect((await server.ask("GET", LIST)).status).toBe(200);
  });

  test("CONNECT is refused as in clear", async () => {
    using connection = new RawConnection(server.url);
    await connection.send(rawRequest({ method: "CONNECT", path: "localhost:80" }));
    expect(rawVerdict(await connection.reply())).toBe("405 7001");
    await connection.closed;
  });
});

test("a handshake that never ends is given up, and does not keep the server from stopping", async () => {
  const slow = await startSecurely({ headers: 200 });
  const given = connectInClear(portOf(slow), "127.0.0.1");
  given.on("error", () => undefined);
  await once(given, "close");
  const patient = await startSecurely({ stopping: 100 });
  const hanging = connectInClear(portOf(patient), "127.0.0.1");
  hanging.on("error", () => undefined);
  await once(hanging, "connect");
  expect((await patient.ask("GET", LIST)).status).toBe(200);
  const cutOff = once(hanging, "close");
  await patient.close();
  await cutOff;
});

test("localhost is answered on each of its addresses, by servers that are all alike", async () => {
  const tls = writePair(temporaryDirectory(), certificate);
  await using server = await startTestServer({ host: "localhost", tls });
  expect(server.url).toMatch(/^https:\/\/localhost:\d+$/);
  for (const address of ["127.0.0.1", "::1"]) {
    const url = `https://${address.includes(":") ? `[${address}]` : address}:${portOf(server)}`;
    using connection = new RawConnection(url);
    await connection.send(Buffer.concat([rawRequest({ path: LIST }), Buffer.from("garbage\r\n\r\n")]));
    const first = await connection.reply();
    // Not every machine has IPv6.
    if (address === "::1" && first === undefined) continue;
    expect([rawVerdict(first), rawVerdict(await connection.reply())]).toEqual(["200", "400 990005"]);
  }
});

test("the command serves it, and its greeting says https", async () => {
  const directory = temporaryDirectory();
  const { cert, key } = writePair(directory, certificate);
  const env = { PATCHBAY_TLS_CERT: cert.text, PATCHBAY_TLS_KEY: key.text };
  const args = ["--port", "0", "--metrics-port", "0", "--data", join(directory, "data")];
  const server = await serve(args, { env });
  expect(server.said.stdout).toMatch(/^Patchbay answers at https:\/\/127\.0\.0\.1:\d+$/m);
  expect(server.said.stdout).toMatch(/^ {2}metrics {4}http:\/\/127\.0\.0\.1:\d+\/metrics$/m);
  expect(server.said.stdout).toContain(`curl ${server.url}/client/v4`);
  expect((await ask(server.url, "GET", LIST)).status).toBe(200);
  expect(await server.end("SIGTERM")).toEqual({ code: 0, signal: null });
});

describe("at the start, a pair that cannot serve is refused with one plain sentence", () => {
  const broken = (whole: string) => whole.slice(0, whole.length / 2);
  const cases: [string, (files: TlsFiles) => void, RegExp][] = [
    [
      "the key of another certificate",
      ({ key }) => writeFileSync(key.text, other.key),
      /^The key of PATCHBAY_TLS_KEY, .*key\.pem, is not that of the certificate of --tls-cert, .*cert\.pem\.$/,
    ],
    [
      "half a certificate",
      ({ cert }) => writeFileSync(cert.text, broken(certificate.cert)),
      /^The file of --tls-cert, .*cert\.pem, does not begin with a whole certificate in PEM form\.$/,
    ],
    [
      "half a certificate after a whole one",
      ({ cert }) => writeFileSync(cert.text, certificate.cert + broken(other.cert)),
      /^The certificate of --tls-cert, .*cert\.pem, cannot be used: .*\.$/,
    ],
    [
      "an empty file",
      ({ cert }) => writeFileSync(cert.text, ""),
      /^The file of --tls-cert, .*cert\.pem, does not begin with a whole certificate in PEM form\.$/,
    ],
    [
      "half a key",
      ({ key }) => writeFileSync(key.text, broken(certificate.key)),
      /^The file of PATCHBAY_TLS_KEY, .*key\.pem, does not hold a whole private key in PEM form\.$/,
    ],
    [
      "a key under a passphrase",
      ({ key }) => writeFileSync(key.text, encrypted(certificate.key)),
      /^The key of PATCHBAY_TLS_KEY, .*key\.pem, is encrypted, and nobody is there to type its passphrase\.$/,
    ],
    [
      "the two exchanged",
      ({ cert, key }) => {
        writeFileSync(cert.text, certificate.key);
        writeFileSync(key.text, certificate.cert);
      },
      /^The file of --tls-cert, .*cert\.pem, does not begin with a whole certificate in PEM form\.$/,
    ],
  ];

  test.each(cases)("%s", async (_, spoil, sentence) => {
    const directory = temporaryDirectory();
    const files = writePair(directory, certificate);
    spoil(files);
    const options = { port: "0", metricsPort: "off", logLevel: "silent", data: join(directory, "data") };
    const env = { PATCHBAY_TLS_KEY: files.key.text };
    expect(await refusalOf({ ...options, tlsCert: files.cert.text }, env)).toMatch(sentence);
  });

  test.each([
    [{ tlsCert: "missing.pem" }, "--tls-cert needs --tls-key, the certificate's key, beside it."],
    [{ tlsKey: "missing.pem" }, "--tls-key needs --tls-cert, the key's certificate, beside it."],
    [
      { tlsCert: "missing.pem", tlsKey: "missing.pem" },
      "The file of --tls-cert cannot be read: ENOENT: no such file or directory, open 'missing.pem'.",
    ],
    [{ tlsCert: "" }, "--tls-cert is empty."],
  ])("%j", async (options, sentence) => {
    expect(await refusalOf({ port: "0", metricsPort: "off", data: temporaryDirectory(), ...options })).toBe(
      sentence,
    );
  });
});
