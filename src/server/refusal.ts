import { type ErrorName, type Problem, problem } from "../contract/errors.ts";
import type { Actor } from "../contract/log.ts";

/** Ends a request with a refusal. Thrown where a request is read, caught where it is answered. */
export class Refusal extends Error {
  readonly problems: readonly Problem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(problems: readonly Problem[], headers: Readonly<Record<string, string>> = {}) {
    super(problems[0]?.message ?? "refused");
    this.problems = problems;
    this.headers = headers;
  }
}

/** The refusal of a known credential, for want of a right. */
export class Denial extends Refusal {
  readonly actor: Actor;
  /** Is it an account's business that this credential was refused there? */
  readonly concerns: (account: string) => boolean;

  constructor(problem: Problem, actor: Actor, concerns: (account: string) => boolean = () => true) {
    super([problem]);
    this.actor = actor;
    this.concerns = concerns;
  }
}

/** A refusal for one reason, with the table's sentence filled in. */
export function refuse(
  name: ErrorName,
  values: Readonly<Record<string, string | number>> = {},
  pointer?: string,
): Refusal {
  return new Refusal([problem(name, values, pointer)]);
}
