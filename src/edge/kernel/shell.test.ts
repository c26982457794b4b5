import { expect, test } from "vitest";
import { runInShell } from "./shell.ts";

const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
const run = async (words: readonly string[], input = "", patience = 10_000) => {
  for (;;) {
    const ended = runInShell(words, PATH, input, patience);
    if (ended) return ended;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

test("tells what was printed, what was complained of, and the exit code", async () => {
  const script = "cat; printf 'more'; echo 'it was bad' >&2; exit 7";
  expect(await run(["sh", "-c", script], "read me\n")).toEqual({
    code: 7,
    stdout: "read me\nmore",
    stderr: "it was bad\n",
  });
  expect(await run(["true"])).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("takes words and input as they are", async () => {
  const words = ["printf", "%s|", "it's", "$HOME", "a b", "`id`", "", "ü", "\\"];
  expect((await run(words)).stdout).toBe("it's|$HOME|a b|`id`||ü|\\|");
  const input = `${"$HOME `id` ü ' \\ \n".repeat(20_000)}last`;
  expect((await run(["cat"], input)).stdout).toBe(`${input}\n`);
  expect((await run(["wc", "-c"])).stdout.trim()).toBe("0");
});

test("says of what is not there, and of what a signal ended, that it has no exit code", async () => {
  expect(await run(["no-such-program"])).toEqual({
    code: undefined,
    stdout: "",
    stderr: expect.stringContaining("not found"),
  });
  expect((await run(["sh", "-c", "kill -9 $$"])).code).toBeUndefined();
});

test("gives a command up that does not end, and goes on with others", async () => {
  expect(await run(["sleep", "60"], "", 100)).toEqual({
    code: undefined,
    stdout: "",
    stderr: "did not end within 0.1 seconds",
  });
  expect((await run(["echo", "here"])).stdout).toBe("here\n");
});

test("runs some at a time, each with its own answer, and no more than that", async () => {
  const begun = [1, 2, 3, 4].map((number) =>
    runInShell(["sh", "-c", `sleep 0.1; echo ${number}`], PATH, "", 10_000),
  );
  expect(begun.map((one) => one !== undefined)).toEqual([true, true, true, false]);
  const ended = await Promise.all(begun);
  expect(ended.map((one) => one?.stdout)).toEqual(["1\n", "2\n", "3\n", undefined]);
});
