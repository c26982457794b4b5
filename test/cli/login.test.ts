import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noTerminal } from "../harness/cli.ts";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { needs } from "../harness/needs.ts";
import { Operator } from "../harness/operator.ts";
import { ACCOUNT, demo, startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
let operator: Operator;
let file: string;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());
beforeEach(() => {
  operator = new Operator();
  file = join(operator.home, ".config", "patchbay", "profiles.json");
});

const given = (url: string) => ["login", "--base-url", url, "--account", ACCOUNT, "--token-stdin"];

describe("patchbay login", () => {
  test("keeps what works, in a file of its owner's alone, and other commands use it", async () => {
    const said = await operator.run([...given(server.url), "--profile", "lab"], `${demo.token}\n`);
    expect(said).toMatchObject({ code: 0, stdout: "" });
    expect(said.stderr).toContain(`sees 3 interconnects. Kept as lab in ${file}.`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      lab: { baseUrl: `${server.url}/client/v4`, account: ACCOUNT, token: demo.token },
    });
    expect((await operator.run(["history", "--profile", "lab"])).code).toBe(0);
    const listed = await operator.run(["profiles"]);
    expect(listed.stdout).toContain(`lab      ${server.url}/client/v4`);
    expect(listed.stdout + said.stderr).not.toContain(demo.token);
  });

  test("keeps one beside the other, and forgets one alone", async () => {
    await operator.run(given(server.url), demo.token);
    await operator.run([...given(`${server.url}/client/v4/`), "--profile", "lab"], demo.token);
    const names = async () =>
      (await operator.json(["profiles"])).profiles.map(({ name }: { name: string }) => name);
    expect(await names()).toEqual(["default", "lab"]);
    expect((await operator.run(["logout", "--profile", "lab"])).code).toBe(0);
    expect(await names()).toEqual(["default"]);
    expect((await operator.run(["logout", "--profile", "lab"])).stderr).toContain("There is no profile lab");
  });

  test("works with Cloudflare's own", async () => {
    await using double = await startCloudflareDouble();
    expect((await operator.run(given(double.url), double.token)).code).toBe(0);
    expect(double.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /client/v4/user/tokens/verify",
      `GET /client/v4/accounts/${ACCOUNT}/magic/cf_interconnects`,
    ]);
  });

  test.each([
    ["a token that nobody knows", "x".repeat(40), "The token is unknown to the server."],
    ["an expired one", "demo-expired-token-000000000000000000000", "The token is expired."],
    [
      "one that does not read the account",
      "demo-other-permission-token-000000000000",
      "does not read this account. Nothing was kept.",
    ],
    ["none", "", "There is no token on stdin."],
    ["two", "a b", "There is more than a token on stdin."],
  ])("keeps nothing of %s", async (_, token, sentence) => {
    const said = await operator.run(given(server.url), token);
    expect([said.code, existsSync(file)]).toEqual([1, false]);
    expect(said.stderr).toContain(sentence);
  });

  test.each([
    ["--base-url", "ftp://example.net", "is no base URL"],
    ["--base-url", "not a url", "is no base URL"],
    ["--base-url", "http://me:secret@example.net", "holds no name and no password"],
    ["--account", "mine", "is no account"],
  ])("refuses %s %s before it asks anybody", async (option, value, sentence) => {
    const said = await operator.run([...given(server.url), option, value], demo.token);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(sentence);
  });

  test("asks nobody where there is no terminal", async () => {
    const said = await operator.run(["login"]);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("There is no terminal to ask at.");
  });

  test("does not use a file that others may read", async () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "{}");
    chmodSync(file, 0o644);
    const said = await operator.run(given(server.url), demo.token);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(`chmod 600 ${file}`);
    expect(readFileSync(file, "utf8")).toBe("{}");
  });

  describe("at a terminal", () => {
    test("asks, and does not show the token", needs(noTerminal), async () => {
      const { code, screen } = await operator.drawProcess(
        ["login"],
        [
          ["Base URL [https://api.cloudflare.com/client/v4]: ", `${server.url}\r`],
          ["Account: ", `${ACCOUNT}\r`],
          ["API token (not shown): ", `${demo.token}\r`],
        ],
      );
      expect(code).toBe(0);
      expect(screen).toContain("Kept as default");
      expect(screen).not.toContain(demo.token.slice(0, 6));
      expect(JSON.parse(readFileSync(file, "utf8")).default.token).toBe(demo.token);
    });

    test("ctrl-c keeps nothing, and says so", async () => {
      const { code, screen } = await operator.draw(
        ["login", "--base-url", server.url, "--account", ACCOUNT],
        [["API token (not shown): ", "half\u0003"]],
      );
      expect([code, existsSync(file)]).toEqual([130, false]);
      expect(screen).toContain("Interrupted. Nothing was kept.");
    });
  });
});
