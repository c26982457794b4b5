/** A step from what is to what should be. */

import type { TunnelSpec } from "../drivers/driver.ts";

export interface Step {
  /** A sentence for people. */
  readonly what: string;
  /** As one would type them. */
  readonly commands: readonly string[];
  /** Names of interconnects whose traffic it interrupts. */
  readonly interrupts: readonly string[];
}

/** When a step has its turn. What frees a name or an address comes first, what nobody uses any more last. */
export const PHASES = [
  "free",
  "change",
  "add",
  "carry",
  "addresses",
  "routes",
  "rules",
  "settings",
  "tables",
  "remove",
  "bird",
] as const;
export type Phase = (typeof PHASES)[number];

export type Action =
  | { readonly kind: "ip"; readonly lines: readonly string[]; readonly removes: boolean }
  | { readonly kind: "carry"; readonly tunnels: readonly TunnelSpec[] }
  | { readonly kind: "setting"; readonly key: string; readonly value: string }
  /** Without a text the table goes. */
  | { readonly kind: "table"; readonly table: string; readonly text: string | undefined }
  | { readonly kind: "bird"; readonly text: string | undefined };

export interface PlannedStep extends Step {
  readonly phase: Phase;
  readonly action: Action;
  /** Identifiers of interconnects that are without it if it fails; none: the edge as a whole. */
  readonly interconnects: readonly string[];
  /** After it, routes and addresses of devices may have gone: they are looked at again. */
  readonly unsettles: boolean;
}

interface Words {
  readonly what: string;
  readonly interconnects?: readonly string[];
  readonly interrupts?: readonly string[];
  readonly unsettles?: boolean;
}

export function ipStep(phase: Phase, lines: readonly string[], words: Words): PlannedStep {
  return {
    phase,
    what: words.what,
    commands: lines.map((line) => `ip ${line}`),
    interrupts: words.interrupts ?? [],
    interconnects: words.interconnects ?? [],
    unsettles: words.unsettles ?? false,
    action: { kind: "ip", lines, removes: phase === "remove" || phase === "free" },
  };
}

export function otherStep(
  phase: Phase,
  action: Exclude<Action, { kind: "ip" }>,
  commands: readonly string[],
  words: Words,
): PlannedStep {
  return {
    phase,
    what: words.what,
    commands,
    interrupts: words.interrupts ?? [],
    interconnects: words.interconnects ?? [],
    unsettles: words.unsettles ?? false,
    action,
  };
}

export function inOrder(steps: readonly PlannedStep[]): readonly PlannedStep[] {
  const byPhase = Map.groupBy(steps, ({ phase }) => phase);
  return PHASES.flatMap((phase) => byPhase.get(phase) ?? []);
}
