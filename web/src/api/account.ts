/** The account as one consistent whole, and its health: what all pages are made of. */

import { queryOptions, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { Cni } from "../../../src/contract/cni/cni.ts";
import type { ListedPort } from "../../../src/contract/cni/port.ts";
import type { AdministeredSlot } from "../../../src/contract/cni/slot.ts";
import type { AccountHealth } from "../../../src/contract/health.ts";
import type { Interconnect } from "../../../src/contract/interconnect.ts";
import type { LinkBelow } from "../../../src/contract/log.ts";
import { ask } from "./client.ts";
import { may, type SessionAccount, useSession } from "./session.ts";

export type { AccountHealth, Interconnect };

export interface AccountState {
  /** None where the token may not read the log; then changes are found by asking again. */
  readonly position: { readonly epoch: string; readonly revision: number } | undefined;
  readonly interconnects: readonly Interconnect[];
  /** By interconnect: the site of the slot below it. */
  readonly sites: ReadonlyMap<string, string>;
  /** None where the token may not read the log. */
  readonly below: Below | undefined;
}

/** What interconnects run over. */
export interface Below {
  readonly slots: readonly AdministeredSlot[];
  readonly ports: readonly ListedPort[];
  readonly cnis: readonly Cni[];
  readonly links: readonly LinkBelow[];
}

interface StateAnswer extends Below {
  readonly epoch: string;
  readonly revision: number;
  readonly interconnects: readonly Interconnect[];
}

export const ownPath = (account: string) => `/patchbay/v1/accounts/${account}`;
export const magicPath = (account: string) => `/client/v4/accounts/${account}/magic/cf_interconnects`;
/** The form of `health_check.target` that tells both of what was asked for and what is in force. */
export const targetForm = { "x-magic-new-hc-target": "true" } as const;

/** How often is asked again what cannot be followed, in milliseconds. */
const ASK_AGAIN = 30_000;
/** How long the state is kept that no page shows, which is followed all the same. */
const KEPT = 300_000;

export const stateKey = (account: string) => ["account", account, "state"] as const;

export function stateQuery(account: SessionAccount) {
  const follows = may(account, "readLog");
  return queryOptions({
    queryKey: stateKey(account.id),
    queryFn: ({ signal }) => (follows ? readState(account.id, signal) : readList(account.id, signal)),
    // Followed by the log (`live.ts`), so never read again without a reason.
    staleTime: follows ? Number.POSITIVE_INFINITY : ASK_AGAIN,
    refetchInterval: follows ? false : ASK_AGAIN,
    gcTime: KEPT,
  });
}

async function readState(account: string, signal: AbortSignal): Promise<AccountState> {
  const { result } = await ask<StateAnswer>(`${ownPath(account)}/state`, { signal });
  const { epoch, revision, interconnects, slots, ports, cnis, links } = result;
  const siteOf = new Map(slots.map(({ id, site }) => [id, site]));
  const siteOfPort = new Map(
    ports.map(({ id, slot_id, region }) => [id, siteOf.get(slot_id ?? "") ?? region ?? ""]),
  );
  const siteOfName = new Map(
    cnis.map((cni) => [cni.magic.conduit_name, siteOfPort.get(cni.interconnect) ?? ""]),
  );
  const sites = new Map(
    interconnects.flatMap(({ id, name }) => {
      const site = siteOfName.get(name);
      return site ? [[id, site] as const] : [];
    }),
  );
  return {
    position: { epoch, revision },
    interconnects,
    sites,
    below: { slots, ports, cnis, links },
  };
}

async function readList(account: string, signal: AbortSignal): Promise<AccountState> {
  const { result } = await ask<Pick<StateAnswer, "interconnects">>(magicPath(account), {
    signal,
    headers: targetForm,
  });
  return { position: undefined, interconnects: result.interconnects, sites: new Map(), below: undefined };
}

export async function readInterconnect(
  account: string,
  id: string,
  signal: AbortSignal,
): Promise<Interconnect> {
  const path = `${magicPath(account)}/${id}`;
  const { result } = await ask<{ interconnect: Interconnect }>(path, { signal, headers: targetForm });
  return result.interconnect;
}

/**
 * Health is asked for this often at most, in milliseconds, and takes no more than a fiftieth of the time; but this often
 * at least, since what took long may have taken so once.
 */
const HEALTH_EVERY = 5_000;
const HEALTH_SHARE = 50;
const HEALTH_SELDOM = 20_000;

export interface TimedHealth {
  readonly health: AccountHealth;
  /** Milliseconds that the answer took. */
  readonly took: number;
}

export function healthQuery(account: SessionAccount) {
  return queryOptions({
    queryKey: ["account", account.id, "health"] as const,
    enabled: may(account, "readHealth"),
    staleTime: HEALTH_EVERY,
    queryFn: async ({ signal }): Promise<TimedHealth> => {
      const began = performance.now();
      const { result } = await ask<AccountHealth>(`${ownPath(account.id)}/health`, { signal });
      return { health: result, took: performance.now() - began };
    },
    refetchInterval: ({ state }) =>
      Math.min(HEALTH_SELDOM, Math.max(HEALTH_EVERY, HEALTH_SHARE * (state.data?.took ?? 0))),
  });
}

/** The account of the page's address. Only below the frame, which shows nothing without it. */
export function useAccount(): SessionAccount {
  const { account: id } = useParams({ from: "/dashboard/$account" });
  const session = useSession();
  return session?.accounts.find((one) => one.id === id) ?? { id, name: "", may: [] };
}

export function useAccountState() {
  return useQuery(stateQuery(useAccount()));
}

export function useHealth() {
  return useQuery(healthQuery(useAccount()));
}
