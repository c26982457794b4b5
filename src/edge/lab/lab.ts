/**
 * A network on one machine: a server, a provider's edge and customers' routers in network namespaces, real packets
 * between them. All of it is called `pblab…` and is found again by that.
 */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { DriverName } from "../config.ts";
import { tunnelDevice } from "../devices.ts";
import { CommandFailed, Commands } from "../kernel/commands.ts";
import {
  deleteLinks,
  deleteNamespace,
  isRunning,
  killProcesses,
  linkNames,
  namespaces,
  processesIn,
} from "../kernel/removal.ts";
import { EdgeRefused } from "../options.ts";
import { askStatus } from "../status.ts";
import {
  ACCOUNT,
  BRIDGE,
  LAB_NETWORK,
  type LabLink,
  labEdgeFile,
  labLinks,
  labSeed,
  PANEL,
  PROVIDER,
  SERVER_ADDRESS,
  SERVER_PORT,
  SHARED,
} from "./world.ts";

/** Where a lab keeps its files. */
export const LAB_DIRECTORY = "/run/patchbay-lab";
/** What names of the bridge's ports begin with. */
const PORT = "pbl-";
/** Milliseconds. */
const PATIENCE = 60_000;

interface LabFile {
  readonly interconnects: number;
  readonly driver: DriverName;
  readonly pids: readonly number[];
  readonly token: string;
}

const host = new Commands();
const file = join(LAB_DIRECTORY, "lab.json");

/** The lab that is up, if one is. */
export function findLab(): LabFile | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** Makes it, and resolves when everything is applied. `patchbay` is the command line of this very program. */
export async function up(
  count: number,
  patchbay: readonly [string, ...string[]],
  tell: (sentence: string) => void,
): Promise<LabFile> {
  if (findLab()) throw new EdgeRefused("A lab is up already: patchbay lab down takes it down.");
  const links = labLinks(count);
  const tokens = { operator: randomBytes(20).toString("hex"), edge: randomBytes(20).toString("hex") };
  const driver = await driverToHave();
  if (driver === "userspace")
    tell("This kernel has no GRE: tunnels are a process of Patchbay's own, for labs.");
  mkdirSync(LAB_DIRECTORY, { recursive: true, mode: 0o700 });
  const pids: number[] = [];
  const lab = (): LabFile => ({ interconnects: count, driver, pids, token: tokens.operator });
  writeFileSync(file, JSON.stringify(lab()), { mode: 0o600 });
  const launch = async (commands: Commands, name: string, args: readonly string[]) => {
    const [program, ...first] = patchbay;
    pids.push(await start(commands, program, [...first, ...args], join(LAB_DIRECTORY, `${name}.log`)));
    writeFileSync(file, JSON.stringify(lab()), { mode: 0o600 });
  };
  try {
    tell("Namespaces and cables …");
    await makeNetwork(links);
    tell("The server …");
    const seed = join(LAB_DIRECTORY, "seed.yaml");
    writeFileSync(seed, labSeed(links, tokens), { mode: 0o600 });
    const tokenFile = join(LAB_DIRECTORY, "edge.token");
    writeFileSync(tokenFile, tokens.edge, { mode: 0o600 });
    await launch(host, "server", [
      "serve",
      ...["--host", SERVER_ADDRESS, "--port", String(SERVER_PORT), "--data", join(LAB_DIRECTORY, "data")],
      ...["--seed", seed, "--metrics-port", "off", "--rate-limit", "off", "--health-settle", "5"],
    ]);
    await untilServed(pids[0] ?? 0);
    tell("Customers' routers, which are set up once and follow nobody, and the provider's edge …");
    const [provider, ...customers] = edgesOf(links, driver, tokenFile);
    const [program, ...first] = patchbay;
    for (const { name, namespace, file } of [...customers, provider]) {
      const config = join(LAB_DIRECTORY, `${name}.yaml`);
      writeFileSync(config, file, { mode: 0o600 });
      const commands = new Commands(namespace);
      if (name === provider.name) await launch(commands, name, ["edge", "--config", config]);
      else await commands.run(program, [...first, "edge", "--once", "--config", config]);
    }
    await untilApplied(provider.state);
    return lab();
  } catch (error) {
    await down(() => undefined, "keep the logs");
    throw error;
  }
}

/** Starts what goes on after this process, with its words in a file. Resolves with its process id. */
async function start(
  commands: Commands,
  program: string,
  args: readonly string[],
  log: string,
): Promise<number> {
  const words = openSync(log, "a");
  try {
    const child = commands.start(program, args, { detached: true, stdio: ["ignore", words, words] });
    await once(child, "spawn");
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(words);
  }
}

async function driverToHave(): Promise<DriverName> {
  const name = `${BRIDGE}-try`;
  await host.run("ip", ["netns", "add", name]).catch((error) => {
    throw new EdgeRefused(
      `Network namespaces cannot be made here: ${error.message}. A lab needs root on Linux.`,
    );
  });
  try {
    await new Commands(name).run("ip", "link add gre9 type gre local 192.0.2.1 remote 192.0.2.2".split(" "));
    return "kernel";
  } catch (error) {
    if (error instanceof CommandFailed) return "userspace";
    throw error;
  } finally {
    await deleteNamespace(name);
  }
}

async function makeNetwork(links: readonly LabLink[]): Promise<void> {
  const inside = (namespace: string, address: string) => [
    `netns add ${namespace}`,
    `-n ${namespace} link set lo up`,
    `link add ${BRIDGE}-m type veth peer name mgmt netns ${namespace}`,
    `link set ${BRIDGE}-m name ${namespace.replace(`${BRIDGE}-`, PORT)} master ${BRIDGE} up`,
    `-n ${namespace} addr add ${address}/24 dev mgmt`,
    `-n ${namespace} link set mgmt up`,
  ];
  await batch([
    `link add ${BRIDGE} type bridge`,
    `addr add ${SERVER_ADDRESS}/24 dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
  ]);
  // `ip -batch` takes neither namespaces' commands nor their making.
  const machines = [
    inside(PROVIDER, `${LAB_NETWORK}.2`),
    ...links.map(({ namespace, providerSideAddress }) => inside(namespace, providerSideAddress)),
  ];
  for (const line of machines.flat()) await host.run("ip", line.split(" "));
  await host.run("ip", ["netns", "add", PANEL]);
  const panel = new Commands(PANEL);
  for (const { namespace, providerDevice, customerDevice, number, siteAddress } of links) {
    const [near, far] = cableOf(number);
    await panel.run("ip", [
      ...["link", "add", near, "type", "veth"],
      ...["peer", "name", providerDevice, "netns", PROVIDER],
    ]);
    await panel.run("ip", [
      ...["link", "add", far, "type", "veth"],
      ...["peer", "name", customerDevice, "netns", namespace],
    ]);
    const wire = `wire${number}`;
    await batch(
      [
        `link add ${wire} type bridge`,
        ...[near, far].map((end) => `link set ${end} master ${wire} up`),
      ].concat(`link set ${wire} up`),
      panel,
    );
    await batch([`link set ${providerDevice} up`], new Commands(PROVIDER));
    const shared = number <= 2 ? [`addr add ${SHARED}/32 dev lo`] : [];
    const lines = [`link set ${customerDevice} up`, `addr add ${siteAddress}/32 dev lo`, ...shared];
    await batch(lines, new Commands(namespace));
  }
}

/** Both ends of a cable, in the namespace where it can be cut without either machine's doing. */
function cableOf(number: number): readonly [string, string] {
  return [`near${number}`, `far${number}`];
}

async function batch(lines: readonly string[], commands = host): Promise<void> {
  await commands.run("ip", ["-batch", "-"], lines.join("\n"));
}

interface LabEdge {
  readonly name: string;
  readonly namespace: string;
  readonly state: string;
  readonly file: string;
}

function edgesOf(
  links: readonly LabLink[],
  driver: DriverName,
  tokenFile: string,
): readonly [LabEdge, ...LabEdge[]] {
  const state = (name: string) => join(LAB_DIRECTORY, `${name}.state`);
  const provider = {
    name: "edge",
    namespace: PROVIDER,
    state: state("edge"),
    file: labEdgeFile({
      role: "provider",
      name: "lab-edge",
      site: "lab",
      driver,
      state: state("edge"),
      tokenFile,
      map: Object.fromEntries(links.map(({ name, providerDevice }) => [name, providerDevice])),
    }),
  };
  const customers = links.map(({ number, name, namespace, customerDevice }) => ({
    name: `c${number}`,
    namespace,
    state: state(`c${number}`),
    file: labEdgeFile({
      role: "customer",
      name: `customer-${number}`,
      site: `customer-${number}`,
      driver,
      state: state(`c${number}`),
      tokenFile,
      map: { [name]: customerDevice },
      only: [name],
    }),
  }));
  return [provider, ...customers];
}

async function untilServed(pid: number): Promise<void> {
  const began = performance.now();
  while (performance.now() - began < PATIENCE) {
    try {
      await fetch(`http://${SERVER_ADDRESS}:${SERVER_PORT}/`, { signal: AbortSignal.timeout(2_000) });
      return;
    } catch {
      if (!isRunning(pid)) break;
      await setTimeout(50);
    }
  }
  throw new EdgeRefused(`The server did not start: ${join(LAB_DIRECTORY, "server.log")} says why.`);
}

async function untilApplied(state: string): Promise<void> {
  const began = performance.now();
  for (;;) {
    const status = await askStatus(state).catch(() => undefined);
    if (status?.configuration.status === "applied") return;
    if (performance.now() - began > PATIENCE) {
      const said = status?.configuration.problems.map(({ reason }) => reason).join(" ") ?? "";
      throw new EdgeRefused(`The edge did not come up; ${state.replace(/state$/, "log")} says why. ${said}`);
    }
    await setTimeout(100);
  }
}

/** Cuts a cable, or mends it. `name` is the interconnect's. */
export async function setCable(name: string, state: "down" | "up"): Promise<void> {
  const lab = findLab();
  if (!lab) throw new EdgeRefused("No lab is up: patchbay lab up makes one.");
  const link = labLinks(lab.interconnects).find((one) => one.name === name);
  if (!link) {
    const names = labLinks(lab.interconnects).map((one) => one.name);
    throw new EdgeRefused(`The lab has no ${name}: it has ${names.join(", ")}.`);
  }
  const ends = cableOf(link.number).map((end) => `link set ${end} ${state}`);
  await batch(ends, new Commands(PANEL));
}

/** Removes everything that a lab created, also an incomplete one, and resolves when nothing of it exists any more. */
export async function down(
  tell: (sentence: string) => void,
  logs: "keep the logs" | "all" = "all",
): Promise<boolean> {
  const lab = findLab();
  // A process id may belong to another program by now.
  const ours = (lab?.pids ?? []).filter((pid) => commandOf(pid).includes(LAB_DIRECTORY));
  await killProcesses(() => ours);
  const names = (await namespaces().catch(() => [])).filter((name) => name.startsWith(`${BRIDGE}-`));
  for (const name of names) await killProcesses(() => processesIn(name));
  // A link of this machine would be removed with its other end only some time after that end's namespace.
  const isOurs = (link: string) => link === BRIDGE || link.startsWith(`${BRIDGE}-`) || link.startsWith(PORT);
  const links = (await linkNames().catch(() => [])).filter(isOurs);
  if (links.length > 0) await deleteLinks(isOurs);
  for (const name of names) {
    await deleteNamespace(name);
    tell(`${name} is gone.`);
  }
  if (logs === "all") rmSync(LAB_DIRECTORY, { recursive: true, force: true });
  else rmSync(file, { force: true });
  return lab !== undefined || names.length > 0 || links.length > 0;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** What to try now, as lines to paste. */
export function whatToTry({ token, interconnects }: LabFile): string {
  const [first, second] = labLinks(interconnects);
  const names = labLinks(interconnects).map(({ name }) => name);
  const lines = [
    `The lab is up: a server at http://${SERVER_ADDRESS}:${SERVER_PORT}, a provider's edge, and ${interconnects} customers' routers`,
    `with the interconnects ${names.join(", ")}.`,
    "",
    "  # speak to its server",
    `  export CLOUDFLARE_BASE_URL=http://${SERVER_ADDRESS}:${SERVER_PORT}/client/v4 \\`,
    `    CLOUDFLARE_ACCOUNT_ID=${ACCOUNT} CLOUDFLARE_API_TOKEN=${token}`,
    "  patchbay get",
    "",
    "  # real packets, to the site behind the first router",
    `  ip netns exec ${PROVIDER} ping -c 3 ${first?.siteAddress}`,
    "",
    "  # an MTU by the API, seen on the device",
    `  patchbay set ${first?.name} mtu=1400 --yes`,
    `  ip netns exec ${PROVIDER} ip link show ${tunnelDevice(first?.id ?? "")}`,
    "",
    "  # cut a link: its health goes down, and with two of them traffic to their common address moves over",
    ...(second ? [`  ip netns exec ${PROVIDER} ping -i 0.2 -w 10 ${SHARED} &`] : []),
    `  patchbay lab cut ${first?.name}; sleep 3; patchbay get; patchbay lab heal ${first?.name}`,
    "",
    "  # a bad change, undone because the edge sees it",
    `  patchbay set ${first?.name} gre.cloudflare_endpoint=203.0.113.99 --force --confirm-within 60s --revert-on down --yes`,
    "  patchbay history",
    "",
    "  # what the edge says of itself",
    `  patchbay edge status --state ${LAB_DIRECTORY}/edge.state`,
    "",
    "  patchbay lab down",
  ];
  return lines.join("\n");
}
