/** Which server, which account, with which credential: from the environment or a named profile. */

import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CommandFailure } from "./failure.ts";

/** Cloudflare's own. */
export const CLOUDFLARE = "https://api.cloudflare.com/client/v4";

export interface Profile {
  /** The profile's name, or `environment`. */
  readonly name: string;
  /** Of the vendor's API, without a slash at the end: `http://127.0.0.1:8787/client/v4`. */
  readonly baseUrl: string;
  readonly account: string;
  readonly token: string;
}

/** What a file of profiles holds of each. */
export type StoredProfile = Omit<Profile, "name">;

/** The server without the path of the vendor's API: where what is Patchbay's own begins. */
export function rootOf({ baseUrl }: Pick<Profile, "baseUrl">): string {
  return baseUrl.replace(/\/client\/v4$/, "");
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `$XDG_CONFIG_HOME/patchbay/profiles.json`, or `~/.config/patchbay/profiles.json`. */
export function profilesFile(env: Environment): string {
  const directory = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return join(directory, "patchbay", "profiles.json");
}

/**
 * The profile of a command: `--profile NAME`, else `PATCHBAY_PROFILE`, else the environment's
 * `CLOUDFLARE_API_TOKEN`, `CLOUDFLARE_ACCOUNT_ID` and `CLOUDFLARE_BASE_URL` (Cloudflare's own unless set), else
 * the profile named `default`. Throws `CommandFailure` with what is missing.
 */
export function findProfile(name: string | undefined, env: Environment): Profile {
  const wanted = name ?? (env["PATCHBAY_PROFILE"] || undefined);
  if (wanted !== undefined) {
    const stored = readProfiles(env)[wanted];
    if (stored) return { name: wanted, ...stored };
    throw new CommandFailure(`There is no profile ${wanted} in ${profilesFile(env)}.`, {
      advice: `patchbay login --profile ${wanted}`,
    });
  }
  const token = env["CLOUDFLARE_API_TOKEN"];
  const account = env["CLOUDFLARE_ACCOUNT_ID"];
  if (token && account) {
    const baseUrl = (env["CLOUDFLARE_BASE_URL"] || CLOUDFLARE).replace(/\/+$/, "");
    return { name: "environment", baseUrl, account, token };
  }
  const missing = [
    token ? undefined : "CLOUDFLARE_API_TOKEN",
    account ? undefined : "CLOUDFLARE_ACCOUNT_ID",
  ].filter((one) => one !== undefined);
  if (missing.length === 2) {
    const stored = readProfiles(env)["default"];
    if (stored) return { name: "default", ...stored };
  }
  throw new CommandFailure(`No server is named: ${missing.join(" and ")} not set, and no --profile given.`, {
    advice:
      "patchbay login --profile NAME, or set CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID and, for a Patchbay, CLOUDFLARE_BASE_URL.",
  });
}

/** All profiles by name; none if there is no file. Refuses a file that others may read. */
export function readProfiles(env: Environment): Readonly<Record<string, StoredProfile>> {
  const file = profilesFile(env);
  let text: string;
  try {
    const { mode } = statSync(file);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new CommandFailure(`${file} can be read by others, but holds tokens.`, {
        advice: `chmod 600 ${file}`,
      });
    }
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw new CommandFailure(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (isProfiles(parsed)) return parsed;
  } catch {
    // Told below.
  }
  throw new CommandFailure(`${file} is no file of profiles.`, { advice: "Correct it or remove it." });
}

function isProfiles(value: unknown): value is Readonly<Record<string, StoredProfile>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((one) =>
      ["baseUrl", "account", "token"].every((field) => typeof Object(one)[field] === "string"),
    )
  );
}

/** Keeps profiles, in a file that its owner alone may read. */
export function writeProfiles(env: Environment, profiles: Readonly<Record<string, StoredProfile>>): void {
  const file = profilesFile(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const at = `${file}.${process.pid}`;
  writeFileSync(at, `${JSON.stringify(profiles, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(at, 0o600);
  renameSync(at, file);
}
