/** `patchbay get`: the interconnects there are, as a table or as they were answered. */

import { printable } from "../contract/printable.ts";
import { unknownName } from "../file/plan.ts";
import { type Shown, valueAt } from "../file/shown.ts";
import { CommandFailure } from "./failure.ts";
import { readList } from "./file/account.ts";
import { type Health, readHealth, tellHealth } from "./health.ts";
import { asJson, table } from "./printable.ts";
import { type CommandProcess, type Environment, runCommand, type Session } from "./run.ts";
import type { Common } from "./terminal.ts";

export interface GetOptions extends Common {
  readonly wide?: boolean;
  readonly yaml?: boolean;
  readonly watch?: boolean;
}

export function get(
  names: readonly string[],
  options: GetOptions,
  env: Environment,
  process: CommandProcess,
): Promise<number> {
  return runCommand(options, env, process, async (session) => {
    if (options.watch) {
      const { watch } = await import("./file/watch.ts");
      return watch(
        session,
        (shown, changed, health) => show(session, chosen(shown, names), options, { changed, health }),
        isTable(options),
      );
    }
    const interconnects = chosen(await readList(session.api), names);
    const health = isTable(options) ? await readHealth(session.api) : undefined;
    session.print(await show(session, interconnects, options, { health }));
    return 0;
  });
}

function isTable({ json, yaml }: GetOptions): boolean {
  return json !== true && yaml !== true;
}

/** Those named, by name or id, in the order of the account; all if none is named. */
function chosen(interconnects: readonly Shown[], names: readonly string[]): readonly Shown[] {
  if (names.length === 0) return interconnects;
  const wanted = new Set(names);
  const found = interconnects.filter(({ id, name }) => wanted.has(name) || wanted.has(id));
  const known = new Set(found.flatMap(({ id, name }) => [id, name]));
  const missing = names.filter((name) => !known.has(name));
  if (missing.length === 0) return found;
  const all = interconnects.map(({ name }) => name);
  throw new CommandFailure("Not all that was asked for is there.", {
    problems: missing.map((name) => ({ message: unknownName(name, all) })),
    advice: "patchbay get lists what there is.",
  });
}

interface Column {
  readonly title: string;
  readonly of: (shown: Shown, health: Health | undefined) => unknown;
}

const field = (title: string, path: string): Column => ({ title, of: ({ raw }) => valueAt(raw, path) });

const target: Column = {
  title: "TARGET",
  of: ({ raw, fields }) => valueAt(raw, "health_check.target.effective") ?? fields.get("health_check.target"),
};

const COLUMNS: readonly Column[] = [
  field("NAME", "name"),
  field("VERSION", "version"),
  field("INTERFACE ADDRESS", "interface_address"),
  field("MTU", "mtu"),
  { title: "CHECK", of: checkOf },
  target,
  field("DESCRIPTION", "description"),
];

const WIDE: readonly Column[] = [
  field("ID", "id"),
  ...COLUMNS.slice(0, -1),
  field("INTERFACE ADDRESS 6", "interface_address6"),
  field("GRE", "gre.cloudflare_endpoint"),
  field("COLO", "colo_name"),
  field("RETURN ROUTING", "automatic_return_routing"),
  { title: "ASN", of: ({ fields }) => fields.get("bgp.customer_asn") },
  field("MODIFIED", "modified_on"),
  field("DESCRIPTION", "description"),
];

/** Where the server tells it. */
const HEALTH: Column = { title: "HEALTH", of: (_, health) => health && tellHealth(health) };
const WIDE_HEALTH: readonly Column[] = [
  HEALTH,
  {
    title: "LATENCY",
    of: (_, health) =>
      health?.latency === undefined ? undefined : `${Number(health.latency.toPrecision(3))} ms`,
  },
  {
    title: "LOSS",
    of: (_, health) => (health?.loss === undefined ? undefined : `${Math.round(health.loss * 100)} %`),
  },
];

/** The columns, with health after the name. */
function columnsOf(wide: boolean | undefined, health: boolean): readonly Column[] {
  const columns = wide ? WIDE : COLUMNS;
  const named = columns.findIndex(({ title }) => title === "NAME") + 1;
  const own = wide ? WIDE_HEALTH : [HEALTH];
  return health ? [...columns.slice(0, named), ...own, ...columns.slice(named)] : columns;
}

function checkOf({ raw }: Shown): string {
  if (valueAt(raw, "health_check.enabled") === false) return "off";
  const [rate, type, direction] = ["rate", "type", "direction"].map((name) =>
    valueAt(raw, `health_check.${name}`),
  );
  return [rate, type, direction === "bidirectional" ? "both ways" : undefined].filter(Boolean).join(" ");
}

interface About {
  /** Ids of those to point out. */
  readonly changed?: ReadonlySet<string>;
  readonly health?: ReadonlyMap<string, Health> | undefined;
}

async function show(
  { colors }: Session,
  interconnects: readonly Shown[],
  { json, yaml, wide }: GetOptions,
  { changed = new Set(), health }: About,
): Promise<string> {
  const raw = interconnects.map(withoutSecrets);
  if (json) return asJson({ success: true, interconnects: raw });
  if (yaml) {
    const { stringify } = await import("yaml");
    return stringify({ interconnects: raw }, { lineWidth: 0 });
  }
  if (interconnects.length === 0) return "No interconnects.";
  const columns = columnsOf(wide, health !== undefined);
  const rows = interconnects.map((one) => columns.map(({ of }) => cell(of(one, health?.get(one.id)))));
  const [head = "", ...lines] = table([columns.map(({ title }) => title), ...rows]);
  const shown = lines.map((line, index) =>
    changed.has(interconnects[index]?.id ?? "") ? colors.yellow(line) : line,
  );
  return [colors.bold(head), ...shown].join("\n");
}

function cell(value: unknown): string {
  if (value === undefined || value === null || value === "") return "-";
  return printable(typeof value === "object" ? JSON.stringify(value) : String(value));
}

/** What is printed is piped, kept and shown to others. */
function withoutSecrets({ raw }: Shown): Readonly<Record<string, unknown>> {
  const bgp = raw["bgp"];
  if (!Object(bgp).md5_key) return raw;
  return { ...raw, bgp: { ...Object(bgp), md5_key: "(masked)" } };
}
