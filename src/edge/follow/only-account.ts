import { type Client, Refused } from "./client.ts";

/** The account that a token opens. Throws `Refused` unless it is exactly one, `Unreachable` as any call. */
export async function onlyAccount(client: Client, signal: AbortSignal): Promise<string> {
  const { result } = await client.everyone("/accounts?per_page=5", { signal });
  const ids = Array.isArray(result) ? result.map((one) => String(Object(one).id)) : [];
  const [first] = ids;
  if (first !== undefined && ids.length === 1) return first;
  const many = ids.length === 0 ? "no account" : "several accounts";
  throw new Refused(400, `the token opens ${many}: name one with --account`);
}
