// What `npm pack` and `npm publish` do first: dist/ anew, from nothing, so that no file stays in it whose source
// is gone.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setUp } from "./bootstrap.js";
import { endLike, environment, ROOT, run, runCommand, toolFile } from "./program.js";

await runCommand(async () => {
  const toolchain = await setUp({ dev: true });
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
  const args = [toolFile("tsc"), "-p", "tsconfig.build.json"];
  endLike(await run(toolchain.node, args, { env: environment(toolchain), cwd: ROOT }));
});
