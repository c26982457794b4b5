// `npm run bench`: everything that is missing, then the benchmarks.
import { join } from "node:path";
import { setUp } from "./bootstrap.js";
import { endLike, environment, ROOT, run, runCommand } from "./program.js";

await runCommand(async () => {
  const toolchain = await setUp({ dev: true });
  const args = [join(ROOT, "bench", "main.ts"), ...process.argv.slice(2)];
  endLike(await run(toolchain.node, args, { env: environment(toolchain), cwd: ROOT }));
});
