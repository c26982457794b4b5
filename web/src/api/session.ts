/** Who is signed in, and what that allows. */

import { useSyncExternalStore } from "react";
import type { AccountRight, Session } from "../../../src/contract/session.ts";
import { ApiFailure, ask, authenticateBy } from "./client.ts";

const SESSION = "/patchbay/v1/session";
/** Says that there may be a cookie, so that nobody is asked for one that there is not. */
const REMEMBERED = "patchbay.remembered";

export type { AccountRight, Session };
export type SessionAccount = Session["accounts"][number];

/** What a page without a credential may know. */
export interface SignInOffer {
  readonly demo: { readonly token: string } | null;
  readonly sandbox: boolean;
}

let current: Session | undefined;
const listeners = new Set<() => void>();

function set(session: Session | undefined): void {
  current = session;
  for (const listener of listeners) listener();
}

export function currentSession(): Session | undefined {
  return current;
}

export function useSession(): Session | undefined {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, currentSession);
}

export async function readOffer(signal?: AbortSignal): Promise<SignInOffer> {
  const { result } = await ask<SignInOffer>("/patchbay/v1/sign-in", signal ? { signal } : {});
  return result;
}

/** Throws the server's refusal. With `remember` the session outlives the page, until the browser is closed. */
export async function signIn(token: string, remember: boolean): Promise<Session> {
  const { result } = await ask<Session>(SESSION, { method: "POST", body: { remember }, token });
  if (remember) {
    localStorage.setItem(REMEMBERED, "yes");
    authenticateBy(result.csrf === null ? {} : { csrf: result.csrf });
  } else {
    localStorage.removeItem(REMEMBERED);
    authenticateBy({ token });
  }
  set(result);
  return result;
}

/** The session that is there or that the browser remembers, if there is one. */
export async function findSession(): Promise<Session | undefined> {
  if (current || localStorage.getItem(REMEMBERED) === null) return current;
  try {
    const { result } = await ask<Session>(SESSION);
    authenticateBy(result.csrf === null ? {} : { csrf: result.csrf });
    set(result);
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status === 0 || error.status >= 500) throw error;
    localStorage.removeItem(REMEMBERED);
  }
  return current;
}

export async function signOut(): Promise<void> {
  try {
    if (localStorage.getItem(REMEMBERED) !== null) await ask(SESSION, { method: "DELETE" });
  } catch (error) {
    // The session may have ended before, for example at sign-out in another browser window.
    if (!(error instanceof ApiFailure && error.isSignedOut)) throw error;
  } finally {
    forgetSession(true);
  }
}

/** Is told when a session is over; `wanted` says that whoever was signed in ended it here. */
let atEnd: (wanted: boolean) => void = () => undefined;

export function onSessionEnd(listener: (wanted: boolean) => void): void {
  atEnd = listener;
}

/** It is over: expired, revoked, or ended. */
export function forgetSession(wanted = false): void {
  localStorage.removeItem(REMEMBERED);
  authenticateBy({});
  set(undefined);
  atEnd(wanted);
}

export function may(account: SessionAccount | undefined, right: AccountRight): boolean {
  return account?.may.includes(right) ?? false;
}

/** By the vendor's list, or by the state that the log is of. */
export function seesInterconnects(account: SessionAccount): boolean {
  return may(account, "readMagic") || may(account, "readLog");
}

/** The account to begin with: the first in which interconnects may be seen. */
export function firstAccount(session: Session): SessionAccount | undefined {
  return session.accounts.find(seesInterconnects) ?? session.accounts[0];
}
