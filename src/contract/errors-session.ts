import type { ErrorEntry } from "./errors.ts";

const mark = "ours";

/** Errors of sessions, which stand for a token in a browser. */
export const sessionErrors = {
  csrf_required: {
    code: 990150,
    status: 403,
    message:
      "A request by the cookie of a session that may change something needs the header x-patchbay-csrf, and the one sent is {given}.",
    when: "A request other than `GET` or `HEAD` came with the cookie of a session as its only credential, and without the session's own value in `x-patchbay-csrf`.",
    todo: "Send `csrf` of `GET /patchbay/v1/session` in the header `x-patchbay-csrf`, or the token itself in `Authorization: Bearer TOKEN`.",
    mark,
  },
  session_of_token: {
    code: 990151,
    status: 400,
    message:
      "A session that is remembered stands for a token; an e-mail address and key cannot be remembered.",
    when: "`POST /patchbay/v1/session` with `remember` came with `X-Auth-Email` and `X-Auth-Key`.",
    todo: "Send a token in `Authorization: Bearer TOKEN`, or leave `remember` false.",
    mark,
  },
} as const satisfies Record<string, ErrorEntry>;
