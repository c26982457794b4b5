import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { Operator } from "../harness/operator.ts";
import { LIST, startTestServer } from "../harness/server.ts";

const server = await startTestServer();
afterAll(() => server.close());
beforeEach(() => server.reset());

const run = (...args: string[]) => new Operator(server).run(["token", ...args]);
const status = async (token: string) => (await server.ask("GET", LIST, { token })).status;

describe.each([[[]], [["--of-account"]]])("patchbay token, with %j", (of) => {
  test("makes a token whose value alone goes to stdout, tells it in the list, rolls and deletes it", async () => {
    const made = await run(
      "create",
      "pipeline",
      "--group",
      "Magic WAN Read",
      "--expires",
      "2099-01-31",
      ...of,
    );
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining("shown this once") });
    const value = made.stdout.trim();
    expect(value).toMatch(/^\S{40,}$/);
    expect(await status(value)).toBe(200);
    const { stdout } = await run("list", ...of);
    const row = stdout.split("\n").find((line) => line.includes("pipeline")) ?? "";
    const [id = "", ...rest] = row.split(/\s{2,}/);
    expect(rest).toEqual(["pipeline", "active", "2099-01-31T00:00:00Z", "Magic WAN Read"]);
    expect(stdout).not.toContain(value);
    const rolled = (await run("roll", id, "--yes", ...of)).stdout.trim();
    expect([await status(value), await status(rolled)]).toEqual([403, 200]);
    expect((await run("delete", id, "--yes", ...of)).code).toBe(0);
    expect(await status(rolled)).toBe(403);
  });
});

test("asks before a token is rolled or deleted, and does neither where nobody can answer", async () => {
  for (const what of ["roll", "delete"]) {
    const said = await run(what, "ed17574386854bf78a67040be0a770b0");
    expect(said).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("--yes") });
  }
  expect((await run("list")).code).toBe(0);
});

test("says which permission group is not there, and which are; and what is no time", async () => {
  const unknown = await run("create", "x", "--group", "Magic WAN Wirte");
  expect(unknown).toMatchObject({ code: 1, stdout: "" });
  expect(unknown.stderr).toMatch(/no permission group Magic WAN Wirte.*Known: .*Magic WAN Write/s);
  expect((await run("create", "x")).stderr).toContain("--group");
  const late = await run("create", "x", "--group", "Magic WAN Read", "--expires", "soon", "--json");
  expect(JSON.parse(late.stdout)).toMatchObject({ success: false, message: expect.stringContaining("soon") });
});
