/** Back to the seed, for servers that are for trying things. */

import { DIRECTORY_ID } from "../../account/directory.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { succeed } from "../envelope.ts";
import { readNoBody } from "../read-request.ts";
import { refuse } from "../refusal.ts";

export function addResetRoute(routes: Routes, { sandbox, reset, log }: AppContext): void {
  routes.server("reset", async ({ request, principal }) => {
    if (!sandbox) throw refuse("not_a_sandbox");
    await readNoBody(request, "reset");
    const world = await reset();
    log.info({ actor: principal.actor }, "reset to the seed");
    const states = world.filter(({ id }) => id !== DIRECTORY_ID);
    return { status: 200, body: succeed({ accounts: states.map(({ id, epoch }) => ({ id, epoch })) }) };
  });
}
