/** Tables of nftables, settings of the kernel and the file for BIRD. */

import { createHash } from "node:crypto";
import type { EdgeConfig } from "../config.ts";
import type { Desired, EdgeProblem } from "../desired/desired.ts";
import { TABLES, tables } from "../desired/tables.ts";
import type { Actual } from "./actual.ts";
import type { LinkPlan } from "./links.ts";
import type { Made } from "./made.ts";
import { otherStep, type PlannedStep } from "./step.ts";

export function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** A table is replaced if its text is another, or if it is listed otherwise than after it was applied. */
export function planTables(
  desired: Desired,
  actual: Actual,
  made: Made,
  links: LinkPlan,
  config: EdgeConfig,
): PlannedStep[] {
  const there = [...desired.interconnects.values()].filter(({ device }) => links.present.has(device));
  const wanted = tables(there, config.role);
  // Rules that name a device do not know it again when it was made anew.
  const anew = [...links.gone].some((device) => links.present.has(device));
  return TABLES.flatMap((table) => {
    const text = wanted.get(table);
    const listed = actual.tables.get(table);
    const known = made.tables[table];
    if (text === undefined) {
      if (listed === undefined || known === undefined) return [];
      const what = `Remove the rules of table ${table}.`;
      const action = { kind: "table", table, text } as const;
      return [otherStep("tables", action, [`nft delete table ${table}`], { what })];
    }
    const same = known?.text === digest(text);
    if (same && listed !== undefined && known.listing === listed && !(anew && table.startsWith("netdev")))
      return [];
    const why = listed === undefined ? "Make" : same ? "Repair" : "Replace";
    return [
      otherStep("tables", { kind: "table", table, text }, [`nft -f - <<'.'\n${transaction(table, text)}.`], {
        what: `${why} the rules of table ${table}.`,
      }),
    ];
  });
}

/** For `nft -f`: the table goes, which needs that it is there, and comes anew. */
export function transaction(table: string, text: string | undefined): string {
  return `table ${table}\ndelete table ${table}\n${text ?? ""}`;
}

export function planSettings(
  desired: Desired,
  actual: Actual,
  links: LinkPlan,
  config: EdgeConfig,
): { readonly steps: readonly PlannedStep[]; readonly problems: readonly EdgeProblem[] } {
  const steps: PlannedStep[] = [];
  const problems: EdgeProblem[] = [];
  for (const { key, value, fits, device, why } of desired.sysctls) {
    const anew = device !== undefined && (links.gone.has(device) || !actual.links.has(device));
    if (device !== undefined && !links.present.has(device)) continue;
    const now = actual.sysctls.get(key);
    if (!anew && (now === undefined || fits.includes(now))) continue;
    const name = key.replaceAll("/", ".");
    if (device === undefined && !config.manageSysctls)
      problems.push({
        reason: `${why} The setting ${name} is ${now} and should be ${fits.join(" or ")}: set it, or let the agent (--manage-sysctls).`,
      });
    else
      steps.push(
        otherStep("settings", { kind: "setting", key, value }, [`sysctl -w ${key}=${value}`], {
          what: `Set ${name} to ${value}${now === undefined ? "" : `, which is ${now}`}.`,
        }),
      );
  }
  return { steps, problems };
}

export function planBird(desired: Desired, actual: Actual, made: Made, config: EdgeConfig): PlannedStep[] {
  const { bird } = config;
  if (!bird || desired.bird === undefined) return [];
  // Where no session is, a file is only left as it is known to BIRD already.
  const empty = desired.interconnects.size === 0 && made.bird === undefined;
  if (desired.bird === actual.bird || empty) return [];
  const reload = bird.reload ? [birdCommand(bird.control).join(" ")] : [];
  return [
    otherStep("bird", { kind: "bird", text: desired.bird }, [`write ${bird.include}`, ...reload], {
      what: `Write the sessions of BGP for BIRD to ${bird.include}.`,
    }),
  ];
}

export function birdCommand(control: string | undefined): readonly string[] {
  return ["birdc", ...(control === undefined ? [] : ["-s", control]), "configure"];
}
