#!/usr/bin/env node
// The command `patchbay`: the one entry, from a checkout (through bin/start.js) and from the published package.
// Node refuses to parse what it does not know, so nothing newer than Node 14 stands in this file, and the
// program itself is imported only after the version was looked at.
import { existsSync } from "node:fs";
import module from "node:module";
import { oldNodeSentence, runsPatchbay } from "./node-version.js";

async function start() {
  // Keeps compiled code from one start to the next.
  module.enableCompileCache();
  // A checkout may hold a dist/ that an earlier `npm pack` left there. The sources are what its owner edits, so
  // they come first; the published package has no src/.
  const sources = new URL("../src/main.ts", import.meta.url);
  const built = new URL("../dist/main.js", import.meta.url);
  const program = await import((existsSync(sources) ? sources : built).href);
  await program.main(process.argv.slice(2), process);
}

if (runsPatchbay(process.version)) {
  void start();
} else {
  console.error(oldNodeSentence(process.version));
  process.exitCode = 1;
}
