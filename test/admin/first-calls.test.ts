import { join } from "node:path";
import { expect, test } from "vitest";
import { firstCalls, SERVER } from "../../src/admin/first-calls.ts";
import { runInProcess, serve } from "../harness/command.ts";
import { paste } from "../harness/paste.ts";
import { ask } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const ACCOUNT = "0f".repeat(16);

test("the five calls have what a shell needs, and nothing that it would take for its own", () => {
  const calls = firstCalls(ACCOUNT);
  expect(calls).toHaveLength(5);
  for (const { method, path, line } of calls) {
    // echo instead of curl: the words that the shell makes of the line.
    const words = paste(line.replace(/^curl/, "printf '%s\\n'"), { TOKEN: "secret" }).split("\n");
    const body = words.at(-2) ?? "";
    expect(words).toEqual([
      ...["-X", method, SERVER + path],
      ...["-H", "Authorization: Bearer secret", "-H", "Content-Type: application/json"],
      ...["-d", body, ""],
    ]);
    expect(JSON.parse(body)).toBeTypeOf("object");
  }
});

test("the five calls, pasted, turn what init made into an account with an interconnect", async () => {
  const data = join(temporaryDirectory(), "data");
  const { stdout } = await runInProcess(["init", "--data", data]);
  const token = /^export TOKEN=(\S+)$/m.exec(stdout)?.[1] ?? "";
  const lines = stdout.split("\n").filter((line) => line.startsWith("curl "));
  expect(lines).toHaveLength(5);
  const { url } = await serve(["--data", data, "--port", "0", "--metrics-port", "off"]);
  const answers = lines.map((line) => JSON.parse(paste(line.replace(SERVER, url), { TOKEN: token })));
  for (const answer of answers) expect(answer).toMatchObject({ success: true, errors: [] });

  const [account, , , automation, interconnect] = answers.map(({ result }) => result);
  const list = `/client/v4/accounts/${account.id}/magic/cf_interconnects`;
  const { status, body } = await ask(url, "GET", list, { token: automation.value });
  expect([status, body.result.interconnects]).toEqual([200, [expect.objectContaining({ name: "first" })]]);
  expect(body.result.interconnects[0].id).toBe(interconnect.id);
  const change = await ask(url, "PUT", list, {
    token: automation.value,
    body: { interconnects: [{ id: interconnect.id, mtu: 1400 }] },
  });
  expect(change.body.result).toMatchObject({ modified: true });
  // The token for automation is for nothing else.
  const settings = `/patchbay/v1/accounts/${account.id}/settings`;
  expect((await ask(url, "GET", settings, { token: automation.value })).status).toBe(403);
});
