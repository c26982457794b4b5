// What `npm pack` and `npm publish` do first: dist/ anew, from nothing, so that no file stays in it whose source
// is gone.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setUp } from "./bootstrap.js";
import { endLike, environment, ROOT, run, runCommand, toolFile } from "./program.js";
import { ensureWeb } from "./web.js";

await runCommand(async () => {
  const toolchain = await setUp({ dev: true });
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
  const args = [toolFile("tsc"), "-p", "tsconfig.build.json"];
  const types = await run(toolchain.node, args, { env: environment(toolchain), cwd: ROOT });
  if (types.code === 0) await ensureWeb(toolchain);
  endLike(types);
});
