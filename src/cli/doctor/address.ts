/** Does the address lead to a server of this API, in a way that can be trusted? */

import type { Answer, Finding } from "./finding.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What connections fail of, and what to do about it. */
const failures: readonly (readonly [codes: RegExp, message: string, todo: string])[] = [
  [
    /^ENOTFOUND$|^EAI_AGAIN$/,
    "The name of the server is not known to the DNS",
    "Check the base URL and this machine's DNS.",
  ],
  [
    /^ECONNREFUSED$/,
    "Nothing listens there",
    "Start the server (patchbay serve), or check the port of the base URL.",
  ],
  [
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|TimeoutError)$/,
    "There is no way to it",
    "Check the network, the VPN and firewalls in between.",
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    "The server's certificate has expired",
    "Have it renewed; check this machine's clock.",
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|CERT_UNTRUSTED)$/,
    "The server's certificate is of nobody this machine trusts",
    "Set NODE_EXTRA_CA_CERTS to the file of the authority that signed it.",
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "The server's certificate is for another name",
    "Use the name that the certificate is for.",
  ],
  [
    /^(EPROTO|ERR_SSL_.*)$/,
    "The two do not find a TLS that both speak",
    "Check that the base URL says http for a server in clear, and https for one with TLS.",
  ],
];

export function judgeFailure(error: unknown, baseUrl: string, env: Environment): Finding {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const name = cause instanceof Error ? cause.name : "";
  const [, sentence, todo] = failures.find(([codes]) => codes.test(code) || codes.test(name)) ?? [
    undefined,
    "The server cannot be reached",
    "Check the base URL.",
  ];
  const proxy = env["HTTPS_PROXY"] || env["HTTP_PROXY"] || env["https_proxy"] || env["http_proxy"];
  const through =
    proxy && env["NODE_USE_ENV_PROXY"] !== "1" ? " If it is behind a proxy, set NODE_USE_ENV_PROXY=1." : "";
  const detail = code || (cause instanceof Error ? cause.message : String(cause));
  return {
    state: "wrong",
    about: "address",
    message: `${sentence}: ${new URL(baseUrl).origin} (${detail}).`,
    todo: `${todo}${through}`,
  };
}

export function judgeAddress(baseUrl: string, { status, headers, message }: Answer): Finding {
  const { origin, protocol, hostname } = new URL(baseUrl);
  const about = "address";
  if (status >= 300 && status < 400)
    return {
      state: "wrong",
      about,
      message: `${origin} leads on to ${headers.get("location") ?? "another address"}.`,
      todo: "Use that address as the base URL; tokens are not sent on.",
    };
  if (message === "something that is no JSON" || (status === 404 && !baseUrl.endsWith("/client/v4")))
    return {
      state: "wrong",
      about,
      message: `${origin} answers (${status}), but not as this API does.`,
      todo: "The base URL ends with /client/v4. Check that nothing in between answers in its place.",
    };
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  if (protocol === "http:" && !local)
    return {
      state: "note",
      about,
      message: `${origin} answers, in clear: who is in between reads the token.`,
      todo: "Serve it with TLS (patchbay serve --tls-cert).",
    };
  return { state: "well", about, message: `${origin} answers${protocol === "https:" ? ", with TLS" : ""}.` };
}

/** Seconds that clocks may differ: a token's time and a deadline are judged by the server's. */
const TOLERANCE = 5;
const TOO_MUCH = 60;

/** `before` and `after`: milliseconds, here, around the request. The header tells whole seconds. */
export function judgeClock(date: string | null, before: number, after: number): Finding[] {
  const there = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(there)) return [];
  const ahead = Math.max(0, before - (there + 1000)) / 1000;
  const behind = Math.max(0, there - after) / 1000;
  const seconds = Math.round(Math.max(ahead, behind));
  const about = "clock";
  if (seconds <= TOLERANCE) return [{ state: "well", about, message: "The two clocks agree." }];
  const message = `This clock is ${seconds} s ${ahead > behind ? "ahead of" : "behind"} the server's.`;
  const todo = "Let both follow a time server (NTP): tokens and deadlines are judged by the server's.";
  return [{ state: seconds > TOO_MUCH ? "wrong" : "note", about, message, todo }];
}
