// `npm start`: everything that is missing, then the server.
import { join } from "node:path";
import { endLike, environment, ROOT, run, runCommand, setUp } from "./bootstrap.js";

await runCommand(async () => {
  const toolchain = await setUp({ dev: false });
  const args = [join(ROOT, "bin", "patchbay.js"), "serve", ...process.argv.slice(2)];
  endLike(await run(toolchain.node, args, { env: environment(toolchain) }));
});
