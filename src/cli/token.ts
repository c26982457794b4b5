/** `patchbay token list|create|roll|delete`: API tokens of the user who asks, or of the account. */

import { printable } from "../contract/printable.ts";
import type { Api, Reply } from "./api.ts";
import { CommandFailure } from "./failure.ts";
import { tableOf } from "./log/tell.ts";
import { asJson } from "./printable.ts";
import { type CommandProcess, type Environment, runCommand, type Session } from "./run.ts";
import { type Common, confirmed } from "./terminal.ts";

export interface TokenOptions extends Common {
  /** Those of the account itself, not of the user. */
  readonly ofAccount?: boolean;
  readonly yes?: boolean;
}

export interface NewTokenOptions extends TokenOptions {
  readonly group?: readonly string[];
  /** For an edge of the account. */
  readonly edge?: boolean;
  readonly expires?: string;
}

/** The most tokens of one page. */
const PAGE = 50;

function pathOf({ ofAccount }: TokenOptions, api: Api): string {
  return ofAccount === true ? `${api.account}/tokens` : "/user/tokens";
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly expires: string;
  readonly groups: readonly string[];
}

function rowOf(value: unknown): Row {
  const { id, name, status, expires_on, policies } = Object(value);
  const groups: unknown[] = (Array.isArray(policies) ? policies : []).flatMap((policy) => {
    const { permission_groups } = Object(policy);
    return Array.isArray(permission_groups) ? permission_groups : [];
  });
  return {
    id: String(id),
    name: String(name),
    status: String(status ?? ""),
    expires: typeof expires_on === "string" ? expires_on : "never",
    groups: [...new Set(groups.map((group) => String(Object(group).name ?? Object(group).id)))],
  };
}

async function allPages(api: Api, path: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let page = 1; ; page++) {
    const { result }: Reply = await api.call("GET", `${path}?page=${page}&per_page=${PAGE}`);
    const items: unknown[] = Array.isArray(result) ? result : [];
    found.push(...items);
    if (items.length < PAGE) return found;
  }
}

export function listTokens(
  options: TokenOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const { api } = session;
    const tokens = await allPages(api, pathOf(options, api));
    if (options.json) {
      session.print(asJson({ success: true, tokens }));
      return 0;
    }
    const rows = tokens
      .map(rowOf)
      .map(({ id, name, status, expires, groups }) => [
        id,
        printable(name),
        status,
        expires,
        printable(groups.join(", ")),
      ]);
    session.print(tableOf([["ID", "NAME", "STATUS", "EXPIRES", "MAY"], ...rows], session.colors));
    return 0;
  });
}

export function createToken(
  name: string,
  options: NewTokenOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const { api } = session;
    const permission_groups = await groupsNamed(api, options);
    const resources = { [`com.cloudflare.api.account.${api.profile.account}`]: "*" };
    const body = {
      name,
      policies: [{ effect: "allow", resources, permission_groups }],
      ...(options.expires === undefined ? {} : { expires_on: readTime(options.expires) }),
    };
    session.ifInterrupted("It is not known whether the token was made: patchbay token list shows it.");
    return tellSecret(session, await api.call("POST", pathOf(options, api), { body }));
  });
}

export function rollToken(
  id: string,
  options: TokenOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const { api } = session;
    await ask(session, options, `Give token ${id} another value? Whoever uses the one it has is locked out.`);
    session.ifInterrupted("It is not known whether the token was rolled: roll it again.");
    const { result } = await api.call("PUT", `${pathOf(options, api)}/${encodeURIComponent(id)}/value`, {
      body: {},
    });
    return tellSecret(session, { result: { id, value: result } });
  });
}

export function deleteToken(
  id: string,
  options: TokenOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const { api } = session;
    await ask(session, options, `Delete token ${id}? It stops at once.`);
    await api.call("DELETE", `${pathOf(options, api)}/${encodeURIComponent(id)}`);
    if (options.json) session.print(asJson({ success: true, id }));
    else session.note(`Token ${printable(id)} is gone.`);
    return 0;
  });
}

async function ask({ terminal }: Session, { yes }: TokenOptions, question: string): Promise<void> {
  if (yes === true || (await confirmed(terminal, question))) return;
  throw new CommandFailure("Nothing was changed.");
}

/** The value alone to stdout, so that it can go into a file or a variable. */
function tellSecret(session: Session, { result }: Pick<Reply, "result">): number {
  const { id, value } = Object(result);
  if (session.options.json) session.print(asJson({ success: true, id, value }));
  else {
    session.note(`Token ${printable(String(id))}. Its value is shown this once:`);
    session.print(String(value));
  }
  return 0;
}

/** The permission groups of these names, as the server has them. */
async function groupsNamed(api: Api, options: NewTokenOptions): Promise<{ id: string }[]> {
  const names = [...(options.group ?? []), ...(options.edge ? ["Patchbay Edge"] : [])];
  if (names.length === 0) {
    throw new CommandFailure("A token without permissions may do nothing.", {
      advice: 'Name what it may with --group, such as --group "Magic WAN Write", or --edge.',
    });
  }
  const { result } = await api.call("GET", `${pathOf(options, api)}/permission_groups`);
  const known: unknown[] = Array.isArray(result) ? result : [];
  const found = names.map((name) =>
    known.find((group) => [Object(group).name, Object(group).id].includes(name)),
  );
  const missing = names.filter((_, at) => found[at] === undefined);
  if (missing.length === 0) return found.map((group) => ({ id: String(Object(group).id) }));
  const all = known.map((group) => String(Object(group).name)).sort();
  throw new CommandFailure(`There is no permission group ${printable(missing.join(", "))}.`, {
    advice: `Known: ${printable(all.slice(0, 40).join(", "))}${all.length > 40 ? ", …" : ""}.`,
  });
}

function readTime(text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time).toISOString().replace(".000Z", "Z");
  throw new CommandFailure(`--expires is ${printable(text)}, which is no time.`, {
    advice: "Give a day such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z (UTC).",
  });
}
