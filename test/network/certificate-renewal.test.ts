import { once } from "node:events";
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { readKeyPair } from "../../src/server/network/key-pair.ts";
import { KeyPairWatch } from "../../src/server/network/key-pair-watch.ts";
import { type Certificate, makeCertificate, trust, writePair } from "../harness/certificates.ts";
import { RawConnection, rawRequest, rawVerdict } from "../harness/raw.ts";
import { LIST, ORD, one, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const first = makeCertificate("first");
const second = makeCertificate("second");
const third = makeCertificate("third");
trust(first, second, third);

/** Lines of a log, of which each can be waited for. */
class Log {
  readonly lines: { msg: string; level: number }[] = [];
  #arrived = Promise.withResolvers<void>();

  write(line: string): void {
    this.lines.push(JSON.parse(line));
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }

  /** The next line from there on that says this. */
  async find(wanted: RegExp, from = 0): Promise<string> {
    for (;;) {
      const found = this.lines.slice(from).find(({ msg }) => wanted.test(msg));
      if (found) return found.msg;
      await this.#arrived.promise;
    }
  }
}

let directory: string;
let log: Log;
beforeEach(() => {
  directory = temporaryDirectory();
  log = new Log();
});

/** A server with the files of a folder. */
async function start(tls: ReturnType<typeof writePair>): Promise<TestServer> {
  const server = await startTestServer({ tls, logLevel: "info" }, { logTo: log });
  onTestFinished(() => server.close());
  return server;
}

/** The name on the certificate that a new handshake gets. */
async function presented({ url }: TestServer): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1" });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

const RENEWED = /^new certificate in use$/;

/** Writes beside and moves into place, as careful programs do. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

describe("a new pair is used for new handshakes", () => {
  test("written over the old one, certificate first or key first", async () => {
    const tls = writePair(directory, first);
    const server = await start(tls);
    expect(await presented(server)).toBe("first");
    writeFileSync(tls.cert.text, second.cert);
    writeFileSync(tls.key.text, second.key);
    await log.find(RENEWED);
    expect(await presented(server)).toBe("second");
    const seen = log.lines.length;
    writeFileSync(tls.key.text, third.key);
    writeFileSync(tls.cert.text, third.cert);
    await log.find(RENEWED, seen);
    expect(await presented(server)).toBe("third");
  });

  test("moved into place", async () => {
    const tls = writePair(directory, first);
    const server = await start(tls);
    replace(tls.cert.text, second.cert);
    replace(tls.key.text, second.key);
    await log.find(RENEWED);
    expect(await presented(server)).toBe("second");
  });

  test("by links that are swapped one by one, as certbot does", async () => {
    const [live, archive] = [join(directory, "live"), join(directory, "archive")];
    mkdirSync(live);
    mkdirSync(archive);
    const link = (version: number, { cert, key }: Certificate) => {
      writeFileSync(join(archive, `fullchain${version}.pem`), cert);
      writeFileSync(join(archive, `privkey${version}.pem`), key);
      for (const part of ["fullchain", "privkey"]) {
        rmSync(join(live, `${part}.pem`), { force: true });
        symlinkSync(`../archive/${part}${version}.pem`, join(live, `${part}.pem`));
      }
    };
    link(1, first);
    const cert = { text: join(live, "fullchain.pem"), as: "--tls-cert" };
    const server = await start({ cert, key: { text: join(live, "privkey.pem"), as: "--tls-key" } });
    link(2, second);
    await log.find(RENEWED);
    expect(await presented(server)).toBe("second");
  });

  test("by one link to a folder that is swapped, as Kubernetes does", async () => {
    const put = (version: string, certificate: Certificate) => {
      mkdirSync(join(directory, version));
      writePair(join(directory, version), certificate);
      symlinkSync(version, join(directory, "..data_tmp"));
      renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
    };
    put("..2026_01", first);
    for (const part of ["cert.pem", "key.pem"]) symlinkSync(`..data/${part}`, join(directory, part));
    const cert = { text: join(directory, "cert.pem"), as: "--tls-cert" };
    const server = await start({ cert, key: { text: join(directory, "key.pem"), as: "--tls-key" } });
    put("..2026_02", second);
    rmSync(join(directory, "..2026_01"), { recursive: true });
    await log.find(RENEWED);
    expect(await presented(server)).toBe("second");
    const seen = log.lines.length;
    put("..2026_03", third);
    await log.find(RENEWED, seen);
    expect(await presented(server)).toBe("third");
  });

  test("from a folder that is removed and made again", async () => {
    const folder = join(directory, "pair");
    mkdirSync(folder);
    const files = writePair(folder, first);
    const used: string[] = [];
    const [complained, renewed] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
    const watch = new KeyPairWatch({
      files,
      pair: readKeyPair(files),
      use: ({ cert }) => {
        used.push(String(cert));
        renewed.resolve();
      },
      complain: complained.resolve,
      interval: 50,
    });
    onTestFinished(() => watch.close());
    rmSync(folder, { recursive: true });
    expect(await complained.promise).toContain("cannot be read: ENOENT");
    mkdirSync(folder);
    writePair(folder, second);
    await renewed.promise;
    expect(used).toEqual([second.cert]);
  });
});

describe("a pair that cannot be used", () => {
  const spoilt: [string, (tls: ReturnType<typeof writePair>) => void, RegExp][] = [
    ["a key of another", ({ key }) => writeFileSync(key.text, second.key), /is not that of the certificate/],
    [
      "half a certificate",
      ({ cert }) => writeFileSync(cert.text, second.cert.slice(0, 300)),
      /does not begin with a whole certificate/,
    ],
    ["half a key", ({ key }) => writeFileSync(key.text, second.key.slice(0, 80)), /whole private key/],
    ["no certificate", ({ cert }) => unlinkSync(cert.text), /cannot be read: ENOENT/],
  ];

  test.each(spoilt)(
    "%s keeps the old pair and is told in one line, until it is whole",
    async (_, spoil, told) => {
      const tls = writePair(directory, first);
      const server = await start(tls);
      spoil(tls);
      expect(await log.find(told)).toMatch(/ The certificate from before stays in use\.$/);
      expect(await presented(server)).toBe("first");
      // Signs of change without any say nothing new.
      for (let i = 0; i < 3; i++) writeFileSync(join(directory, `other-${i}`), "");
      writePair(directory, second);
      await log.find(RENEWED);
      expect(await presented(server)).toBe("second");
      expect(log.lines.filter(({ level }) => level >= 40)).toHaveLength(1);
    },
  );
});

test("connections from before are neither dropped nor asked to begin anew", async () => {
  const tls = writePair(directory, first);
  const server = await start(tls);
  using connection = new RawConnection(server.url);
  await connection.send(rawRequest({ path: LIST }));
  expect(rawVerdict(await connection.reply())).toBe("200");
  using waiting = new RawConnection(server.url);
  const body = JSON.stringify({ mtu: 1400 });
  const change = rawRequest({ method: "PUT", path: one(ORD), body });
  await waiting.send(change.subarray(0, change.length - 4));
  writePair(directory, second);
  await log.find(RENEWED);
  await waiting.send(change.subarray(change.length - 4));
  expect(rawVerdict(await waiting.reply())).toBe("200");
  await connection.send(rawRequest({ path: one(ORD) }));
  expect((await connection.reply())?.body.result.interconnect.mtu).toBe(1400);
  expect(await presented(server)).toBe("second");
});

test("a session from before does not bring the old certificate back", async () => {
  const tls = writePair(directory, first);
  const server = await start(tls);
  const place = { port: Number(new URL(server.url).port), host: "127.0.0.1" };
  const before = connect({ ...place, maxVersion: "TLSv1.2" });
  await once(before, "secureConnect");
  const session = before.getSession();
  before.destroy();
  writePair(directory, second);
  await log.find(RENEWED);
  const after = connect({ ...place, maxVersion: "TLSv1.2", ...(session && { session }) });
  await once(after, "secureConnect");
  expect(after.isSessionReused()).toBe(false);
  expect(after.getPeerCertificate().subject.CN).toBe("second");
  after.destroy();
});
