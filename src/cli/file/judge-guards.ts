import { CommandFailure } from "../failure.ts";

/** Throws where a guard stands and `--force` was not given. */
export function judgeGuards(guards: readonly string[], force: boolean | undefined): void {
  if (guards.length === 0 || force === true) return;
  throw new CommandFailure("This plan needs --force.", {
    problems: guards.map((message) => ({ message })),
    advice:
      "Look at the plan once more, then give --force; with --confirm-within 5m it is undone unless you confirm it.",
  });
}
