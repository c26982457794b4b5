import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import Cloudflare from "cloudflare";
import { beforeEach, describe, expect, test } from "vitest";
import { serve as serveHere } from "../src/server/serve.ts";
import { runInProcess, serve, serveInProcess } from "./harness/command.ts";
import { paste } from "./harness/paste.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { ACCOUNT, AMS, ask, demo, LIST, ORD, OWN, one } from "./harness/server.ts";
import { temporaryDirectory } from "./harness/temporary.ts";
import { FakeTerminal, onlySentence } from "./harness/terminal.ts";
import { idOf } from "./harness/worlds.ts";

let directory: string;
let data: string;
beforeEach(() => {
  directory = temporaryDirectory();
  data = join(directory, "data");
});

const PORTS = 500;

/** A seed file of one's own, with credentials that nobody knows. */
function ownSeed(): string {
  const file = join(directory, "seed.yaml");
  writeFileSync(file, makeSeed(PORTS));
  return file;
}

/** Options of a server that takes no fixed port. */
const free = (...more: readonly string[]) => ["--port", "0", "--metrics-port", "0", "--data", data, ...more];

async function mtuOf(url: string, id: string = ORD, token: string = demo.token): Promise<number> {
  return (await ask(url, "GET", one(id), { token })).body.result.interconnect.mtu;
}

/** The sentence with which the command refuses to start. */
async function refusal(args: readonly string[]): Promise<string> {
  return onlySentence(await runInProcess(["serve", ...args]));
}

describe("the greeting", () => {
  test("tells address, data, metrics, account and credentials, of which each is right", async () => {
    const { said, url } = await serveInProcess(free());
    const metrics = /metrics {4}(\S+)/.exec(said.stdout)?.[1] ?? "";
    expect(said.stdout.split("\n").slice(0, 9)).toEqual([
      "",
      `Patchbay answers at ${url}`,
      `  data       ${data}, new; POST /patchbay/v1/reset goes back to the seed`,
      `  dashboard  ${url}/dashboard`,
      `  metrics    ${metrics}`,
      `  account    ${demo.account}`,
      `  token      ${demo.token}`,
      `  or         ${demo.email} with key ${demo.key}`,
      "",
    ]);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(metrics)).status).toBe(200);
    expect((await ask(url, "GET", LIST)).status).toBe(200);
    const headers = { "x-auth-email": demo.email, "x-auth-key": demo.key };
    expect((await ask(url, "GET", LIST, { token: null, headers })).status).toBe(200);
  });

  test("ends with commands that, pasted into a shell, make a change and show it", async () => {
    const { said, url } = await serve(free());
    const commands = said.stdout.split("\n").filter((line) => line.startsWith("curl "));
    expect(commands).toHaveLength(2);
    const [change = "", show = ""] = commands;
    const before = await mtuOf(url);

    const changed = JSON.parse(paste(change));
    expect(changed).toMatchObject({ success: true, result: { modified: true } });
    expect(await mtuOf(url)).not.toBe(before);
    const answer = await ask(url, "GET", one(ORD));
    expect(answer.body.result.interconnect).toMatchObject({ description: "Changed by me", mtu: 1400 });

    const [newest] = JSON.parse(paste(show)).result;
    expect(newest.objects[0].fields).toMatchObject({ mtu: { before, after: 1400 } });
  });

  test("shows neither credentials nor commands for a world of one's own", async () => {
    const { said, url } = await serveInProcess(free("--seed", ownSeed()));
    expect(said.stdout).toContain(`data       ${data}, new\n`);
    expect(said.stdout).not.toMatch(/token|key|curl|reset/);
    expect((await ask(url, "GET", LIST)).status).toBe(403);
    expect((await ask(url, "GET", LIST, { token: OWN_TOKEN })).status).toBe(200);
  });
});

describe("told to stop", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "by %s, it finishes what is under way, ends who waits, and exits with 0",
    async (signal) => {
      const server = await serve(free("--seed", ownSeed(), "--log-level", "info"));
      const { url } = server;
      const token = OWN_TOKEN;
      // A follower that would wait for half a minute, and an update that is on its way.
      const following = ask(url, "GET", `${OWN}/changes?after=1&wait=30`, { token });
      await waitForRequest(url);
      const interconnects = Array.from({ length: PORTS }, (_, number) => ({ id: idOf(number), mtu: 1400 }));
      const updating = slowly(url, JSON.stringify({ interconnects }));
      await updating.underWay;

      const ending = server.end(signal);
      const followed = await following;
      expect([followed.status, followed.body.result]).toEqual([200, []]);
      updating.finish();
      expect((await updating.answer).startsWith("HTTP/1.1 200 OK\r\n")).toBe(true);
      expect(await ending).toEqual({ code: 0, signal: null });
      expect(server.said.stderr.trimEnd().split("\n").at(-1)).toContain('"msg":"stopped"');

      const again = await serveInProcess(free("--log-level", "silent"));
      expect(await mtuOf(again.url, idOf(PORTS - 1), token)).toBe(1400);
    },
  );

  test("as soon as it has greeted, it does", async () => {
    const terminal = new FakeTerminal();
    terminal.hear = () => terminal.stops.get("SIGTERM")?.();
    const options = { port: "0", metricsPort: "off", data, logLevel: "silent" };
    expect(await serveHere(options, {}, terminal)).toBe(0);
    expect([...terminal.stops.keys()]).toEqual([]);
  });

  /** Waits until the server has answered something that was sent after what else is on its way. */
  async function waitForRequest(url: string): Promise<void> {
    expect((await ask(url, "GET", LIST, { token: OWN_TOKEN })).status).toBe(200);
  }

  /** An update whose last byte is held back until the server is known to have the rest. */
  function slowly(url: string, body: string) {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const underWay = Promise.withResolvers<void>();
    const answer = new Promise<string>((resolve, reject) => {
      let text = "";
      socket.setEncoding("latin1");
      socket.on("data", (more) => {
        text += more;
        if (text.startsWith("HTTP/1.1 100 ")) {
          text = "";
          socket.write(body.slice(0, -1), () => underWay.resolve());
        }
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
    // The server says that it has the headers, so the request is under way.
    socket.write(
      `PUT ${LIST} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${OWN_TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
    );
    return { underWay: underWay.promise, finish: () => void socket.write(body.slice(-1)), answer };
  }
});

describe("what was changed", () => {
  test("is there after stopping and starting, as the greeting says", async () => {
    const first = await serveInProcess(free());
    await ask(first.url, "PUT", one(ORD), { body: { mtu: 1400 } });
    const before = (await ask(first.url, "GET", `${OWN}/state`)).body;
    await first.end("SIGTERM");
    const second = await serveInProcess(free());
    expect(second.said.stdout).toContain(`data       ${data}, as it was left; POST`);
    expect((await ask(second.url, "GET", `${OWN}/state`)).body).toEqual(before);
  });

  test("is kept when another seed is given, which is for an empty directory", async () => {
    const first = await serveInProcess(free());
    await ask(first.url, "PUT", one(ORD), { body: { mtu: 1400 } });
    await first.end("SIGTERM");
    const second = await serveInProcess(free("--seed", ownSeed()));
    expect(second.said.stdout).toContain("as it was left");
    expect(await mtuOf(second.url)).toBe(1400);
  });

  test("stays with the one server of its directory: a second one is refused", async () => {
    const { url } = await serve(free());
    expect(await refusal(free())).toBe(
      `The data directory ${data} is in use by another Patchbay. Stop that one, or give this one its own with --data.`,
    );
    expect((await ask(url, "GET", LIST)).status).toBe(200);
  });

  test("is not touched when the directory is damaged, and the operator is told", async () => {
    const first = await serveInProcess(free());
    await first.end("SIGTERM");
    const file = join(data, "patchbay.db");
    writeFileSync(file, readFileSync(file).subarray(0, 20_480));
    expect(await refusal(free())).toBe(
      `The data directory ${data} cannot be used: a file of it is damaged, or not Patchbay's (database disk image is malformed). Nothing was changed. Bring back a backup with patchbay restore.`,
    );
    expect(readFileSync(file)).toHaveLength(20_480);
  });

  test("as the vendor's page says, then by the official client, is there after kill -9", async () => {
    const account_id = ACCOUNT;
    const first = await serve(free());
    // The page's own curl line, with the host replaced.
    const page = await ask(first.url, "PUT", LIST, { body: "{}" });
    expect(page.status).toBe(200);
    expect(page.body).toEqual({
      result: { modified_interconnects: [], modified: false },
      success: true,
      errors: [],
      messages: [],
    });
    const changed = await client(first).bulkUpdate({
      account_id,
      body: {
        interconnects: [
          { id: ORD, mtu: 1400 },
          { id: AMS, description: "changed with the other one" },
        ],
      },
    });
    expect(changed.modified).toBe(true);
    expect(await first.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });

    const second = await serveInProcess(free());
    const { interconnects } = await client(second).list({ account_id });
    expect(interconnects?.slice(0, 2)).toEqual(changed.modified_interconnects);
    expect(interconnects?.[0]?.mtu).toBe(1400);
    expect(interconnects?.[1]?.description).toBe("changed with the other one");
  });

  function client({ url }: { readonly url: string }) {
    const apiToken = demo.token;
    return new Cloudflare({ apiToken, baseURL: `${url}/client/v4` }).magicTransit.cfInterconnects;
  }
});
