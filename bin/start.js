// `npm start`: everything that is missing, then the server. (package.json says `exec`, so that no shell stands in
// between: npm passes on what stops it to its child only, and the server would be left behind.)
import { join } from "node:path";
import { setUp } from "./bootstrap.js";
import { endLike, environment, ROOT, run, runCommand } from "./program.js";
import { ensureWeb } from "./web.js";

await runCommand(async () => {
  const toolchain = await setUp({ dev: false });
  await ensureWeb(toolchain);
  const args = [join(ROOT, "bin", "patchbay.js"), "serve", ...process.argv.slice(2)];
  endLike(await run(toolchain.node, args, { env: environment(toolchain) }));
});
