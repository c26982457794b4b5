/** `patchbay login`, `logout` and `profiles`: servers and credentials by name, in a file of mode 600. */

import { printable } from "../contract/printable.ts";
import { type Api, ServerRefusal } from "./api.ts";
import { askLine, readSecret } from "./asking.ts";
import { verifyToken } from "./credential.ts";
import { CommandFailure } from "./failure.ts";
import { listPath } from "./file/account.ts";
import { tableOf } from "./log/tell.ts";
import { asJson } from "./printable.ts";
import { CLOUDFLARE, profilesFile, readProfiles, type StoredProfile, writeProfiles } from "./profile.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";
import type { Common } from "./terminal.ts";

export interface LoginOptions extends Common {
  readonly baseUrl?: string;
  readonly account?: string;
  readonly tokenStdin?: boolean;
}

export function login(options: LoginOptions, env: Environment, terminal: CommandProcess): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    session.ifInterrupted("Interrupted. Nothing was kept.");
    const name = options.profile ?? (env["PATCHBAY_PROFILE"] || "default");
    // Said before anything is typed, if the file cannot be used.
    const profiles = readProfiles(env);
    const known = profiles[name];
    const usual = known?.baseUrl ?? CLOUDFLARE;
    const baseUrl = readBaseUrl(
      options.baseUrl ?? ((await askLine(terminal, `Base URL [${usual}]: `)) || usual),
    );
    const account = readAccount(
      options.account ??
        ((await askLine(terminal, `Account${known ? ` [${known.account}]` : ""}: `)) ||
          (known?.account ?? "")),
    );
    const token = options.tokenStdin
      ? await readSecret(terminal)
      : await askLine(terminal, "API token (not shown): ", true);
    if (token === "") throw new CommandFailure("There is no token. Nothing was kept.");
    const profile: StoredProfile = { baseUrl, account, token };
    const interconnects = await prove(session.apiOf({ name, ...profile }));
    writeProfiles(env, { ...profiles, [name]: profile });
    const kept = { success: true, profile: name, base_url: baseUrl, account, file: profilesFile(env) };
    if (options.json) session.print(asJson(kept));
    else {
      session.note(
        `The token is good, and sees ${interconnects} interconnects. Kept as ${name} in ${profilesFile(env)}.`,
      );
      if (name !== "default") session.note(`patchbay get --profile ${name}`);
    }
    return 0;
  });
}

/** Nothing is kept that does not work. Resolves with how many interconnects there are. */
async function prove(api: Api): Promise<number> {
  const status = await verifyToken(api);
  if (status !== "active") {
    throw new CommandFailure(`The token is ${status}. Nothing was kept.`, {
      advice: "Make a new token, or have this one renewed.",
    });
  }
  try {
    const { result } = await api.call("GET", listPath(api));
    const { interconnects } = Object(result);
    return Array.isArray(interconnects) ? interconnects.length : 0;
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
    throw new CommandFailure("The token is good, but does not read this account. Nothing was kept.", {
      problems: error.problems,
      advice: "Check the account's id, and that the token has the permission group Magic WAN Read for it.",
    });
  }
}

function readBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new CommandFailure(`${JSON.stringify(text)} is no base URL.`, {
      advice: `It looks like ${CLOUDFLARE} or http://127.0.0.1:8787/client/v4.`,
    });
  }
  if (url.username !== "" || url.password !== "")
    throw new CommandFailure("A base URL holds no name and no password.");
  const path = url.pathname.replace(/\/+$/, "");
  // What is typed most is the address that `patchbay serve` prints.
  return `${url.origin}${path === "" ? "/client/v4" : path}`;
}

function readAccount(text: string): string {
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  throw new CommandFailure(`${JSON.stringify(text)} is no account: that is 32 hexadecimal digits.`, {
    advice: "Cloudflare's dashboard shows it in its address; a Patchbay prints it when it starts.",
  });
}

export function logout(options: Common, env: Environment, terminal: CommandProcess): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const name = options.profile ?? (env["PATCHBAY_PROFILE"] || "default");
    const { [name]: gone, ...kept } = readProfiles(env);
    if (!gone) {
      throw new CommandFailure(`There is no profile ${name} in ${profilesFile(env)}.`, {
        advice: "patchbay profiles tells those there are.",
      });
    }
    writeProfiles(env, kept);
    if (options.json) session.print(asJson({ success: true, profile: name }));
    else session.note(`${name} is forgotten here. Its token works on: delete it where it was made.`);
    return 0;
  });
}

/** Those that there are, without their tokens. */
export function profiles(options: Common, env: Environment, terminal: CommandProcess): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const all = Object.entries(readProfiles(env)).map(([name, { baseUrl, account }]) => ({
      name,
      base_url: baseUrl,
      account,
    }));
    if (options.json) session.print(asJson({ success: true, profiles: all }));
    else if (all.length === 0) session.note("There are none. patchbay login makes one.");
    else {
      const rows = all.map(({ name, base_url, account }) =>
        [name, base_url, account].map((text) => printable(text)),
      );
      session.print(tableOf([["PROFILE", "BASE URL", "ACCOUNT"], ...rows], session.colors));
    }
    return 0;
  });
}
