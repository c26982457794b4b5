/** Asks the server one thing after the other, each only where the one before leaves it open. */

import { type Profile, rootOf } from "../profile.ts";
import { judgeAddress, judgeClock, judgeFailure } from "./address.ts";
import type { Answer, Finding } from "./finding.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Milliseconds to wait for an answer. */
const PATIENCE = 15_000;

/** The vendor's names of the groups; any one of them suffices. */
const READ = ["Magic WAN Read", "Magic WAN Write", "Magic Transit Read", "Magic Transit Write"];
const WRITE = ["Magic WAN Write", "Magic Transit Write"];
const LOG = ["Patchbay Read", "Patchbay Admin"];

export async function examine(
  profile: Profile,
  env: Environment,
  now: () => number,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const ask = (method: string, url: string, body?: unknown) => exchange(profile, method, url, body);
  const verify = `${profile.baseUrl}/user/tokens/verify`;
  let first: Answer;
  const before = now();
  try {
    first = await ask("GET", verify);
  } catch (error) {
    return [judgeFailure(error, profile.baseUrl, env)];
  }
  found.push(judgeAddress(profile.baseUrl, first));
  if (found.at(-1)?.state === "wrong") return found;
  found.push(...judgeClock(first.headers.get("date"), before, now()));
  if (first.status === 429) return [...found, blocked(first)];
  const account = `${profile.baseUrl}/accounts/${profile.account}`;
  const verified = first.status === 200 ? first : await ask("GET", `${account}/tokens/verify`);
  const token = judgeToken(verified.status === 200 ? verified : first, now());
  found.push(token);
  if (token.state === "wrong") return found;
  const list = `${account}/magic/cf_interconnects`;
  const read = await ask("GET", list);
  if (read.status === 429) return [...found, blocked(read)];
  const seen = await judgeAccount(read, profile, ask);
  found.push(seen);
  if (seen.state === "wrong") return found;
  found.push(judgeRight("read", read, READ));
  // Of an empty list nothing can change, and it is only validated.
  found.push(
    judgeRight("write", await ask("PUT", `${list}?validate_only=true`, { interconnects: [] }), WRITE),
  );
  found.push(
    judgeLog(await ask("GET", `${rootOf(profile)}/patchbay/v1/accounts/${profile.account}/changes?limit=1`)),
  );
  const left = /r=(\d+);t=(\d+)/.exec(read.headers.get("ratelimit") ?? "");
  if (left) {
    const message = `${left[1]} requests are left for ${left[2]} s.`;
    found.push({ state: Number(left[1]) < 20 ? "note" : "well", about: "limit", message });
  }
  return found;
}

async function exchange(profile: Profile, method: string, url: string, body: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${profile.token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(PATIENCE),
    redirect: "manual",
  });
  const text = await response.text();
  const { status, headers } = response;
  try {
    const parsed: unknown = JSON.parse(text);
    const { errors, messages, result } = Object(parsed);
    const { code, message } = Object(errors?.[0] ?? messages?.[0]);
    return { status, headers, code, message: String(message ?? "no reason given"), result };
  } catch {
    return { status, headers, code: undefined, message: "something that is no JSON", result: undefined };
  }
}

function blocked({ headers }: Answer): Finding {
  const after = headers.get("retry-after");
  return {
    state: "wrong",
    about: "limit",
    message: "The token has made too many requests, and is refused for a while.",
    todo: `Wait${after === null ? "" : ` ${after} s`}, and look for a script that asks too often with the same token.`,
  };
}

function judgeToken({ status, message, result }: Answer, now: number): Finding {
  const { status: told, not_before: from, expires_on: to } = Object(result);
  const wrong = (sentence: string, todo: string): Finding => ({
    state: "wrong",
    about: "token",
    message: sentence,
    todo,
  });
  if (status !== 200) {
    return wrong(
      `The server does not know the token: ${message} (${status}).`,
      "Check that it was copied whole and belongs to this server: patchbay login.",
    );
  }
  if (told === "expired")
    return wrong(`It expired at ${to ?? "a time that is over"}.`, "Make a new one, then patchbay login.");
  if (told === "disabled") return wrong("It is disabled.", "Have it enabled again, or make a new one.");
  if (typeof from === "string" && Date.parse(from) > now)
    return wrong(`It is not valid before ${from}.`, "Wait until then, or use another one.");
  const days = typeof to === "string" ? (Date.parse(to) - now) / 86_400_000 : Number.POSITIVE_INFINITY;
  if (days < 14) return { state: "note", about: "token", message: `It is valid, and expires at ${to}.` };
  return { state: "well", about: "token", message: "It is valid." };
}

async function judgeAccount(
  read: Answer,
  profile: Profile,
  ask: (method: string, url: string) => Promise<Answer>,
): Promise<Finding> {
  const about = "account";
  if (read.status === 200) return { state: "well", about, message: "It is known." };
  if (read.status === 404)
    return {
      state: "wrong",
      about,
      message: `The server knows no account ${profile.account}: ${read.message}.`,
      todo: "Check the account's id: patchbay login.",
    };
  // A token that may list accounts tells whether it was given this one at all.
  const { status, result } = await ask("GET", `${profile.baseUrl}/accounts?per_page=50`);
  const ids: unknown[] = status === 200 && Array.isArray(result) ? result.map((one) => Object(one).id) : [];
  if (ids.includes(profile.account)) return { state: "well", about, message: "It is known." };
  if (ids.length > 0)
    return {
      state: "wrong",
      about,
      message: `The token is for ${ids.length} other account${ids.length === 1 ? "" : "s"}, not for ${profile.account}.`,
      todo: "Add this account to the token, or name one of its accounts: patchbay login.",
    };
  return {
    state: "note",
    about,
    message: "Whether the token was given this account, the server does not tell.",
  };
}

function judgeRight(
  about: "read" | "write",
  { status, code, message }: Answer,
  groups: readonly string[],
): Finding {
  const what = about === "read" ? "reads" : "changes";
  if (status === 403) {
    return {
      state: "wrong",
      about,
      message: `The token ${about === "read" ? "does not read" : "does not change"} the account's interconnects: ${message} (${code}).`,
      todo: `Give it the permission group ${groups[0]} for this account.`,
      missing: groups,
    };
  }
  if (status >= 500 || status === 429)
    return {
      state: "wrong",
      about,
      message: `The server failed: ${message} (${status}).`,
      todo: "Try again in a minute; if it stays so, tell who runs the server.",
    };
  return { state: "well", about, message: `The token ${what} the account's interconnects.` };
}

function judgeLog({ status, code, message }: Answer): Finding {
  const about = "log";
  if (status === 200)
    return { state: "well", about, message: "It is a Patchbay, and the token reads its log of changes." };
  if (status === 403 && code === 10000)
    return {
      state: "wrong",
      about,
      message: "It is a Patchbay, but the token does not read its log of changes.",
      todo: `Give it the permission group ${LOG[0]}: history, diff, blame and confirm need it.`,
      missing: LOG,
    };
  if (status === 404)
    return {
      state: "note",
      about,
      message:
        "It is no Patchbay: history, diff, blame, revert and restore are not there, and a confirmed commit is undone by this end.",
    };
  return { state: "note", about, message: `Whether it is a Patchbay does not show: ${message} (${status}).` };
}
