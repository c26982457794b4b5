/**
 * A virtual machine with Debian's own kernel, in software alone (QEMU's TCG): it sees the files of this machine, writes to
 * memory only, and is gone with the test. There the kernel has GRE, and everything else that Debian's has.
 *
 * What it boots is Debian's package of the cloud kernel, downloaded, unpacked beside the toolchain and never installed.
 */

import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VIRTIOFSD = "/usr/lib/qemu/virtiofsd";
const PROGRAMS = ["qemu-system-x86_64", "busybox", "cpio", "depmod", "dpkg", "apt-get", "apt-cache"];
/** Needed before the machine sees files; all others are loaded by the kernel when something asks for them. */
const FIRST_MODULES = ["virtio_pci", "virtiofs", "overlay"];
/** Not asked for by name when they are missing. */
const SECOND_MODULES = ["tun", "veth", "nf_tables", "ip_gre", "ip6_gre"];

/** Why there can be no virtual machine here. */
export class NoMachine extends Error {}

/** A kernel, ready to boot. */
export interface Bootable {
  readonly kernel: string;
  readonly initrd: string;
  /** Its modules, a folder of this machine. */
  readonly modules: string;
}

/** Finds the kernel or fetches it. Throws `NoMachine`. */
export async function bootable(): Promise<Bootable> {
  if (process.platform !== "linux" || process.arch !== "x64") throw new NoMachine("it takes Linux on x86-64");
  if (process.getuid?.() !== 0) throw new NoMachine("it takes root");
  const missing = [
    ...PROGRAMS.filter((program) => !isOnPath(program)),
    ...(existsSync(VIRTIOFSD) ? [] : [VIRTIOFSD]),
  ];
  if (missing.length > 0) throw new NoMachine(`not installed: ${missing.join(", ")}`);
  const folder = join(cacheFolder(), "virtual-machine");
  try {
    if (kernelIn(folder) === undefined) await fetchKernel(folder);
    const kernel = kernelIn(folder);
    if (kernel === undefined) throw new Error(`none in ${folder}`);
    const initrd = join(folder, `initrd-${createHash("sha256").update(INIT).digest("hex").slice(0, 16)}`);
    if (!existsSync(initrd)) await makeInitrd(folder, initrd);
    return { kernel, initrd, modules: join(folder, "lib/modules") };
  } catch (error) {
    throw new NoMachine(`no kernel for it: ${error instanceof Error ? error.message : error}`);
  }
}

function isOnPath(program: string): boolean {
  return `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`
    .split(":")
    .some((folder) => existsSync(join(folder, program)));
}

function cacheFolder(): string {
  const toolchain = join(ROOT, ".toolchain");
  // Where it really is: a link leads elsewhere in the machine, which sees the files in a folder of its own.
  return existsSync(toolchain) ? realpathSync(toolchain) : join(tmpdir(), "patchbay-toolchain");
}

function kernelIn(folder: string): string | undefined {
  const boot = join(folder, "boot");
  const name = existsSync(boot) ? readdirSync(boot).find((file) => file.startsWith("vmlinuz-")) : undefined;
  return name && join(boot, name);
}

/** Unpacks it aside and then puts it in its place, where perhaps somebody else has done so meanwhile. */
async function fetchKernel(folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const aside = mkdtempSync(`${folder}-`);
  try {
    const { stdout } = await run("apt-cache", ["depends", "linux-image-cloud-amd64"]);
    const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
    if (name === undefined) throw new Error("Debian's packages have no linux-image-cloud-amd64");
    process.stderr.write(`Downloading ${name} (packet tests run in a virtual machine with it) …\n`);
    await run("apt-get", ["--quiet", "download", name], { cwd: aside, timeout: 120_000 });
    const archive = readdirSync(aside).find((file) => file.endsWith(".deb"));
    if (archive === undefined) throw new Error(`${name} was not downloaded`);
    await run("dpkg", ["-x", archive, "."], { cwd: aside });
    rmSync(join(aside, archive));
    const [release = ""] = readdirSync(join(aside, "lib/modules"));
    await run("depmod", ["-b", aside, release]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(aside, folder);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

async function makeInitrd(folder: string, initrd: string): Promise<void> {
  const [release = ""] = readdirSync(join(folder, "lib/modules"));
  const tree = mkdtempSync(join(folder, "tree-"));
  for (const name of ["bin", "sbin", "dev", "proc", "sys", "host", "upper", "root", "lib/modules"])
    mkdirSync(join(tree, name), { recursive: true });
  const busybox = (await run("sh", ["-c", "command -v busybox"])).stdout.trim();
  copyFileSync(busybox, join(tree, "bin/busybox"));
  writeFileSync(join(tree, "init"), INIT, { mode: 0o755 });
  // `modprobe -D` prints `insmod FILE` for each that is needed, in order.
  const { stdout } = await run("modprobe", [
    "-d",
    folder,
    "-S",
    release,
    "--show-depends",
    "-a",
    ...FIRST_MODULES,
  ]);
  const files = [...stdout.matchAll(/^insmod (\S+)/gm)].map(([, file = ""]) => file);
  files.forEach((file, index) => {
    copyFileSync(file, join(tree, "lib", `${String(index).padStart(2, "0")}.ko`));
  });
  await run("sh", ["-c", `find . | cpio --quiet -o -H newc > ${tree}.cpio`], { cwd: tree });
  renameSync(`${tree}.cpio`, initrd);
  rmSync(tree, { recursive: true });
}

/**
 * The machine's first process. The kernel looks for its modules where it began, not where the tests see the files, so they are
 * bound there. `patchbay.run` and `patchbay.modules` on the kernel's command line are paths of the host.
 */
const INIT = `#!/bin/busybox sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
/bin/busybox --install -s /bin
ln -s /bin/busybox /sbin/modprobe
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for word in $(cat /proc/cmdline); do case $word in patchbay.*) export "\${word#patchbay.}";; esac; done
for module in /lib/*.ko; do insmod $module 2>/dev/null; done
mount -t virtiofs -o ro root /host || poweroff -f
mount --bind /host$modules /lib/modules
modprobe -a ${SECOND_MODULES.join(" ")}
mount -t tmpfs tmpfs /upper; mkdir /upper/upper /upper/work
mount -t overlay -o lowerdir=/host,upperdir=/upper/upper,workdir=/upper/work overlay /root
cp /host$run /upper/run
for part in proc sys dev; do mount --move /$part /root/$part; done
for part in run dev/shm; do mkdir -p /root/$part; mount -t tmpfs tmpfs /root/$part; done
cp /upper/run /root/run/patchbay
stty raw < /root/dev/ttyS1
chroot /root /bin/sh /run/patchbay
code=$?; echo; echo "patchbay: ended with $code"
poweroff -f
`;

export interface Ending {
  /** The exit code of the script; undefined if the machine stopped, or was stopped, before it ended. */
  readonly code: number | undefined;
  /** What the script wrote to /dev/ttyS1. */
  readonly result: string;
  /** The console: what it printed. */
  readonly printed: string;
}

/** Boots, runs a shell script as root and takes the machine down. `patience` in milliseconds. */
export async function inVirtualMachine(
  { kernel, initrd, modules }: Bootable,
  script: string,
  patience: number,
): Promise<Ending> {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-vm-"));
  const path = (name: string) => join(folder, name);
  writeFileSync(path("run"), script);
  writeFileSync(path("result"), "");
  const files = spawn(
    VIRTIOFSD,
    [
      `--socket-path=${path("files")}`,
      "-f",
      ..."source=/,cache=always,sandbox=chroot,no_posix_lock".split(",").flatMap((option) => ["-o", option]),
    ],
    { stdio: "ignore" },
  );
  try {
    await socketOf(files, path("files"));
    const machine = spawn(
      "qemu-system-x86_64",
      [
        ..."-accel tcg,thread=multi,tb-size=512 -cpu Nehalem -smp 2 -m 1024".split(" "),
        ..."-object memory-backend-memfd,id=mem,size=1024M,share=on -numa node,memdev=mem".split(" "),
        ...["-chardev", `socket,id=files,path=${path("files")}`],
        ...["-device", "vhost-user-fs-pci,chardev=files,tag=root"],
        ..."-nographic -no-reboot -nodefaults -serial stdio".split(" "),
        ...["-serial", `file:${path("result")}`, "-kernel", kernel, "-initrd", initrd],
        "-append",
        `console=ttyS0 quiet panic=-1 mitigations=off patchbay.run=${path("run")} patchbay.modules=${modules}`,
      ],
      { stdio: ["ignore", "pipe", "pipe"], timeout: patience, killSignal: "SIGKILL" },
    );
    let printed = "";
    for (const stream of [machine.stdout, machine.stderr])
      stream.on("data", (chunk: Buffer) => {
        printed += chunk.toString();
      });
    await new Promise((resolve, reject) => machine.on("close", resolve).on("error", reject));
    const code = /^patchbay: ended with (\d+)/m.exec(printed)?.[1];
    return {
      code: code === undefined ? undefined : Number(code),
      result: readFileSync(path("result"), "utf8"),
      printed,
    };
  } finally {
    files.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for the socket of the process that serves the files. */
async function socketOf(files: ReturnType<typeof spawn>, socket: string): Promise<void> {
  let ended = false;
  files.on("close", () => {
    ended = true;
  });
  while (!existsSync(socket)) {
    if (ended) throw new Error("virtiofsd ended at once");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
