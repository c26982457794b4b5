import { type ErrorName, type Problem, problem } from "../contract/errors.ts";

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

/** A refusal for one reason, with the table's sentence filled in. */
export function refuse(
  name: ErrorName,
  values: Readonly<Record<string, string | number>> = {},
  pointer?: string,
): Refusal {
  return new Refusal([problem(name, values, pointer)]);
}
