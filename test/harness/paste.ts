/** What is printed for pasting into a shell, pasted. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { temporaryDirectory } from "./temporary.ts";

/** Runs a line in a shell, with the curl of this machine or, where there is none, one that does as much of it. */
export function paste(line: string, variables: Readonly<Record<string, string>> = {}): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const path = folders.some((folder) => existsSync(join(folder, "curl"))) ? folders : [standIn(), ...folders];
  const env = { ...process.env, ...variables, PATH: path.join(delimiter) };
  const { status, stdout, stderr } = spawnSync("bash", ["-c", line], { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${line}\nended with ${status}: ${stderr}`);
  return stdout;
}

/** A folder with a `curl` that knows URL, -X, -H and -d. */
function standIn(): string {
  console.warn("There is no curl on this machine: its options are read by a stand-in.");
  const folder = join(temporaryDirectory(), "bin");
  mkdirSync(folder);
  const program = `#!${process.execPath}
const { values, positionals } = require("node:util").parseArgs({
  allowPositionals: true,
  options: { request: { type: "string", short: "X" }, header: { type: "string", short: "H", multiple: true }, data: { type: "string", short: "d" } },
});
const headers = (values.header ?? []).map((header) => header.split(": "));
fetch(positionals[0], { method: values.request ?? "GET", headers, body: values.data }).then((answer) => answer.text()).then(console.log);
`;
  writeFileSync(join(folder, "curl"), program, { mode: 0o755 });
  return folder;
}
