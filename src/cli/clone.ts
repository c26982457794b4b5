/** `patchbay clone`: an account, read and never written, as the seed of a local world with the same ids. */

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { seedWorld } from "../account/seed.ts";
import { printable } from "../contract/printable.ts";
import { ServerRefusal } from "./api.ts";
import { type Copied, seedAccount } from "./clone/seed-of.ts";
import { CommandFailure, type Told } from "./failure.ts";
import { listPath, readInterconnects, TARGETS_AS_OBJECTS } from "./file/account.ts";
import { asJson, count } from "./printable.ts";
import { findProfile, type Profile, readProfiles, type StoredProfile, writeProfiles } from "./profile.ts";
import { type CommandProcess, type Environment, runCommand, type Session } from "./run.ts";
import type { Common } from "./terminal.ts";

export interface CloneOptions extends Common {
  readonly fromProfile: string;
  readonly to: string;
  readonly withKeys?: boolean;
  /** Keeps a profile for the local world. */
  readonly asProfile?: string;
}

/** Where `patchbay serve` listens unless told otherwise. */
const LOCAL = "http://127.0.0.1:8787/client/v4";

const GROUPS = [
  "Magic WAN Write",
  "Magic WAN Read",
  "Account Settings Write",
  "Account Settings Read",
  "Patchbay Admin",
  "Patchbay Read",
];

export function clone(options: CloneOptions, env: Environment, terminal: CommandProcess): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const profile = findProfile(options.fromProfile, env);
    const profiles = readProfiles(env);
    judgeLocalName(options.asProfile, profiles);
    const { copied, skipped } = await copy(profile, options.withKeys === true, session);
    const token = { id: randomBytes(16).toString("hex"), value: `cfat_${randomBytes(24).toString("hex")}` };
    const { account, problems, left } = judge(copied, token);
    const text = fileText(profile, { accounts: [account], tokens: [tokenOf(token)] });
    try {
      writeFileSync(options.to, text, { mode: 0o600, flag: "wx" });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const there = "code" in error && error.code === "EEXIST";
      throw new CommandFailure(
        there ? `There is a ${options.to} already.` : `${options.to} cannot be written: ${error.message}`,
        there ? { advice: "Name a new file, or remove it." } : {},
      );
    }
    if (problems.length > 0) {
      throw new CommandFailure(`${options.to} is written, but patchbay serve would refuse it.`, {
        problems,
        advice:
          "Correct these values in the file, or take the interconnects out. The account itself was only read.",
      });
    }
    const { asProfile } = options;
    if (asProfile !== undefined) {
      const local = { baseUrl: LOCAL, account: account.id, token: token.value };
      writeProfiles(env, { ...profiles, [asProfile]: local });
    }
    const leftOut = [
      ...skipped,
      ...left,
      ...copied.withoutKey.map((name) => `${name}: bgp.md5_key, a secret`),
    ];
    if (options.json) {
      const { id, interconnects, routes } = account;
      const told = { account: id, interconnects: interconnects.length, routes: routes.length };
      session.print(asJson({ success: true, file: options.to, ...told, left_out: leftOut }));
      return 0;
    }
    session.note(
      `${options.to} holds ${count(account.interconnects.length, "interconnect")} and ${count(account.routes.length, "route")}, with the same ids, and a token: keep it to yourself.`,
    );
    for (const what of leftOut) session.note(`Left out: ${printable(what)}`);
    session.note(`Start it:\n  patchbay serve --seed ${options.to} --data ${options.to}.data --sandbox`);
    session.note(
      asProfile === undefined
        ? `Keep its token:\n  grep -o 'cfat_[0-9a-f]*' ${options.to} | patchbay login --profile local --base-url ${LOCAL} --account ${account.id} --token-stdin`
        : `Speak to it:\n  patchbay get --profile ${asProfile}`,
    );
    return 0;
  });
}

/** A profile of another server stays: its token may be kept nowhere else. */
function judgeLocalName(name: string | undefined, profiles: Readonly<Record<string, StoredProfile>>): void {
  const known = name === undefined ? undefined : profiles[name];
  if (!known || known.baseUrl === LOCAL) return;
  throw new CommandFailure(`There is a profile ${name} already, of ${known.baseUrl}.`, {
    advice: `Name another one, or forget that: patchbay logout --profile ${name}`,
  });
}

/** Reads by the vendor's API alone, so that any server of it can be copied. */
async function copy(profile: Profile, keys: boolean, session: Session) {
  const api = session.apiOf(profile);
  const { result } = await api.call("GET", listPath(api), { headers: TARGETS_AS_OBJECTS });
  const interconnects = readInterconnects(Object(result).interconnects);
  const skipped: string[] = [];
  let routes: unknown[] = [];
  try {
    const listed = Object((await api.call("GET", `${api.account}/magic/routes`)).result).routes;
    if (Array.isArray(listed)) routes = listed;
  } catch (error) {
    if (!(error instanceof ServerRefusal) || error.status >= 500) throw error;
    skipped.push(`the static routes: the server refused them (${error.status})`);
  }
  const name = `Copy of ${profile.name}`.slice(0, 100);
  const copied = seedAccount(profile.account, name, interconnects, routes.map(Object), keys);
  return { copied, skipped };
}

interface LocalToken {
  readonly id: string;
  readonly value: string;
}

function tokenOf({ id, value }: LocalToken) {
  const accounts = ["*"];
  return { id, name: "local", value, policies: [{ effect: "allow", accounts, permission_groups: GROUPS }] };
}

/**
 * Judged by the rules that `patchbay serve` loads it by. A route over what is not copied, such as an IPsec tunnel, is
 * left out.
 */
function judge({ account }: Copied, token: LocalToken) {
  const sources = {
    time: new Date().toISOString().replace("Z", "000Z"),
    hash: (text: string) => text,
    epoch: () => "",
  };
  const world = (routes: typeof account.routes) =>
    seedWorld({ accounts: [{ ...account, routes }], tokens: [tokenOf(token)] }, sources);
  const first = world(account.routes);
  if (first.ok) return { account, problems: [], left: [] };
  const refused = new Map<number, string>();
  for (const { pointer = "", message } of first.problems) {
    const at = /^\/accounts\/0\/routes\/(\d+)/.exec(pointer)?.[1];
    if (at !== undefined) refused.set(Number(at), message);
  }
  const routes = account.routes.filter((_, index) => !refused.has(index));
  const left = [...refused].map(([index, why]) => `route ${account.routes[index]?.["prefix"]}: ${why}`);
  const second = world(routes);
  const problems: Told[] = second.ok
    ? []
    : second.problems.map(({ message, pointer }) => ({
        message: nameAt(account.interconnects, pointer) + message,
        ...(pointer === undefined ? {} : { pointer }),
      }));
  return { account: { ...account, routes }, problems, left };
}

function nameAt(interconnects: readonly Readonly<Record<string, unknown>>[], pointer = ""): string {
  const at = /^\/accounts\/0\/interconnects\/(\d+)/.exec(pointer)?.[1];
  return at === undefined ? "" : `${interconnects[Number(at)]?.["name"]}: `;
}

function fileText({ account, baseUrl }: Profile, seed: object): string {
  const about = `# Account ${account} as ${new URL(baseUrl).origin} told it on ${new Date().toISOString().slice(0, 16)}Z, for patchbay serve --seed.\n# The token is for the local server alone.\n`;
  return about + stringify(seed, { lineWidth: 0, version: "1.1" });
}
