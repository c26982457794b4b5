/** The check that a token makes of itself. */

import { isInForce, tokenStatus } from "../../account/directory.ts";
import { presentedToken } from "../auth.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { wrap } from "../envelope.ts";

const said = {
  active: "This API Token is valid and active",
  disabled: "This API Token is disabled",
  expired: "This API Token has expired",
};

export function addTokenRoutes(routes: Routes, { accounts }: AppContext): void {
  routes.credential("verifyToken", (asking) => {
    const { id, doc } = presentedToken(asking, accounts.directory.state);
    const status = tokenStatus(doc, asking.now);
    const { not_before, expires_on } = doc;
    const early = status === "active" && !isInForce(doc, asking.now);
    const message = early ? "This API Token is not yet valid" : said[status];
    const body = wrap(JSON.stringify({ id, status, not_before, expires_on }), [
      { code: 10000, message, type: null },
    ]);
    return { status: 200, body };
  });
}
