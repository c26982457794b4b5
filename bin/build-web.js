// `npm run build:web`: the dashboard in dist/web/, if what is there is not as its sources are.
import { setUp } from "./bootstrap.js";
import { runCommand } from "./program.js";
import { ensureWeb } from "./web.js";

await runCommand(async () => ensureWeb(await setUp({ dev: false })));
