/** Users: what they see of themselves, and how they are administered. */

import {
  createUser,
  deleteUser,
  editProfile,
  memberView,
  rollUserKey,
  updateUser,
  userView,
} from "../../../account/directory/user.ts";
import { userKind, userOf } from "../../../account/directory.ts";
import type { Entry } from "../../../account/state.ts";
import { hashSecret } from "../../../store/secrets.ts";
import type { Routes, ServerCall } from "../../call.ts";
import { etag, judgeReading } from "../../conditional.ts";
import type { AppContext } from "../../context.ts";
import { type Answer, succeed } from "../../envelope.ts";
import { readBody, readNoBody } from "../../read-request.ts";
import { refuse } from "../../refusal.ts";
import { circumstances, granted, judgeWriting } from "../../writing.ts";
import { answerPage } from "./paging.ts";

const kind = userKind.name;

export function addUserRoutes(routes: Routes, { accounts, clock, newId, newSecret }: AppContext): void {
  const tagOf = ({ revision }: Entry) => etag(accounts.directory.state.epoch, revision);

  /** The answer of a read. */
  function show(call: ServerCall, id: string, view: (entry: Entry) => unknown): Answer {
    const entry = accounts.directory.state.get(kind, id);
    if (!entry) throw refuse("user_not_found", { id });
    const tag = tagOf(entry);
    const unchanged = judgeReading(call.request.headers, tag);
    return unchanged ?? { status: 200, body: succeed(view(entry)), headers: { etag: tag } };
  }

  /** The answer of a write, with what is shown but this once. */
  function written([entry]: readonly Entry[], view: (entry: Entry) => object, secret = {}): Answer {
    if (!entry) throw new Error("An accepted change of a user has no result.");
    return { status: 200, body: succeed({ ...view(entry), ...secret }), headers: { etag: tagOf(entry) } };
  }

  routes.user("getUser", (call) => show(call, call.user.id, userView));

  routes.user("editUser", async (call) => {
    const condition = judgeWriting(call, kind);
    const body = await readBody(call.request);
    const command = editProfile(call.user.id, body, condition, circumstances(call, clock));
    return written(granted(await accounts.directory.submit(command)).results, userView);
  });

  routes.server("listUsers", ({ query }) => {
    const email = query["email"]?.toLowerCase();
    const all = accounts.directory.state
      .list(kind)
      .filter((entry) => email === undefined || userOf(entry).email.toLowerCase() === email);
    return answerPage(query, all, memberView);
  });

  routes.server("createUser", async (call) => {
    const key = newSecret("cfk_");
    const body = await readBody(call.request);
    const command = createUser(body, hashSecret(key), newId, circumstances(call, clock));
    return written(granted(await accounts.directory.submit(command)).results, memberView, { key });
  });

  routes.server("showUser", (call) => show(call, idOf(call), memberView));

  routes.server("changeUser", async (call) => {
    const condition = judgeWriting(call, kind);
    const body = await readBody(call.request);
    const command = updateUser(idOf(call), body, newId, condition, circumstances(call, clock));
    return written(granted(await accounts.directory.submit(command)).results, memberView);
  });

  routes.server("rollUserKey", async (call) => {
    const condition = judgeWriting(call, kind);
    await readNoBody(call.request, "the roll of a key");
    const key = newSecret("cfk_");
    const command = rollUserKey(idOf(call), hashSecret(key), condition, circumstances(call, clock));
    return written(granted(await accounts.directory.submit(command)).results, memberView, { key });
  });

  routes.server("deleteUser", async (call) => {
    const id = idOf(call);
    const command = deleteUser(id, judgeWriting(call, kind), circumstances(call, clock));
    granted(await accounts.directory.submit(command));
    return { status: 200, body: succeed({ id }) };
  });
}

function idOf({ params }: ServerCall): string {
  return params["user_id"] ?? "";
}
