// Runs a TypeScript file of the project, or a program of one of its packages, for the scripts in package.json:
//   node bin/run.js src/admin/write-docs.ts ARGS…
//   node bin/run.js --tool tsc ARGS…
import { resolve } from "node:path";
import { setUp } from "./bootstrap.js";
import { endLike, environment, ROOT, run, runCommand, SetupFailure, toolFile } from "./program.js";

await runCommand(async () => {
  const [first, ...rest] = process.argv.slice(2);
  const [tool, ...toolArgs] = rest;
  if (first === undefined || (first === "--tool" && tool === undefined)) {
    throw new SetupFailure(
      "Say what to run: node bin/run.js FILE ARGS…, or node bin/run.js --tool NAME ARGS…",
    );
  }
  const toolchain = await setUp({ dev: true });
  const program =
    first === "--tool" && tool !== undefined
      ? [toolFile(tool), ...toolArgs]
      : [resolve(ROOT, first), ...rest];
  endLike(await run(toolchain.node, program, { env: environment(toolchain), cwd: ROOT }));
});
