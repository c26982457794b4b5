// The system packages that tests need, which `npm test` names and, where it may, installs.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Where programs are that only root's PATH names. */
export const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin"];

const NETWORKS = "test/edge/packets/, test/edge/*-network.test.ts";
const VIRTUAL_MACHINE = "test/edge/in-a-virtual-machine.test.ts";

/**
 * A package of Debian that tests use: the program or file that shows whether it is installed, and the tests that are
 * skipped without it.
 * @typedef {{ name: string, file: string, tests: string, long?: boolean }} Package
 */

/** @type {readonly Package[]} */
export const PACKAGES = [
  {
    name: "strace",
    file: "strace",
    tests: "test/sync-before-answer.test.ts, test/admin/order-of-syncs.test.ts",
  },
  { name: "nftables", file: "nft", tests: NETWORKS },
  { name: "iproute2", file: "ip", tests: NETWORKS },
  { name: "iputils-ping", file: "ping", tests: NETWORKS },
  { name: "tcpdump", file: "tcpdump", tests: "test/edge/packets/" },
  { name: "tshark", file: "tshark", tests: "test/edge/packets/probes-over-gre.test.ts" },
  {
    name: "python3-scapy",
    file: "/usr/lib/python3/dist-packages/scapy",
    tests: "test/edge/packets/probes-over-gre.test.ts",
  },
  { name: "qemu-system-x86", file: "qemu-system-x86_64", tests: VIRTUAL_MACHINE },
  { name: "cpio", file: "cpio", tests: VIRTUAL_MACHINE },
  { name: "busybox-static", file: "busybox", tests: VIRTUAL_MACHINE },
  { name: "kmod", file: "depmod", tests: VIRTUAL_MACHINE },
  { name: "chromium", file: "chromium", tests: "test/dashboard/" },
  // Daemons, which not everybody wants on their machine.
  { name: "bird2", file: "bird", tests: "test/edge/long/bird.test.ts", long: true },
  {
    name: "openvswitch-switch",
    file: "ovs-vswitchd",
    tests: "test/edge/long/open-vswitch.test.ts",
    long: true,
  },
];

const FORBID = "PATCHBAY_TEST_INSTALL=off";

/**
 * What is to be installed, and what is said before: each missing package with the tests that need it.
 * @param {readonly Package[]} missing
 * @param {{ isDebian: boolean, isRoot: boolean, forbidden: boolean }} machine
 * @returns {{ install: boolean, text: string }}
 */
export function announce(missing, { isDebian, isRoot, forbidden }) {
  const obstacle = forbidden
    ? `${FORBID} is set`
    : !isDebian
      ? "only packages of Debian are installed automatically"
      : isRoot
        ? undefined
        : "only root can install packages";
  const first =
    obstacle === undefined
      ? `Installing system packages that tests need (to forbid it, set ${FORBID}):`
      : `These packages are missing, and their tests are skipped (${obstacle}):`;
  const lines = missing.map(({ name, tests }) => `  ${name.padEnd(18)} for ${tests}`);
  return { install: obstacle === undefined, text: [first, ...lines].join("\n") };
}

/**
 * Installs the packages that tests need and that are missing, if the process is root on Debian. Otherwise those tests are
 * skipped.
 * @param {boolean} long
 */
export function installForTests(long) {
  const missing = PACKAGES.filter(
    ({ file, long: only }) => (long || only !== true) && onPath(file) === undefined,
  );
  if (missing.length === 0) return;
  const apt = existsSync("/etc/debian_version") ? onPath("apt-get") : undefined;
  const { install, text } = announce(missing, {
    isDebian: apt !== undefined,
    isRoot: process.getuid?.() === 0,
    forbidden: process.env.PATCHBAY_TEST_INSTALL === "off",
  });
  console.error(text);
  if (!install || apt === undefined) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const names = missing.map(({ name }) => name);
  for (const args of [["update"], ["install", "--yes", "--no-install-recommends", ...names]]) {
    const { status, stderr } = spawnSync(apt, ["--quiet", ...args], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 300_000,
    });
    if (status !== 0) console.error(`apt-get ${args[0]} failed: ${stderr.trim()}`);
  }
  const still = missing.filter(({ file }) => onPath(file) === undefined).map(({ name }) => name);
  if (still.length > 0) console.error(`Not installed, so that their tests are skipped: ${still.join(", ")}`);
}

/**
 * @param {string} program or a file
 */
export function onPath(program) {
  if (isAbsolute(program)) return existsSync(program) ? program : undefined;
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}
