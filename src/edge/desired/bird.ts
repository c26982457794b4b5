/** The file for BIRD 2: a session for each interconnect that has settings of BGP. */

import { parsePrefix } from "../../contract/addresses.ts";
import type { EdgeInterconnect } from "../account.ts";
import type { EdgeConfig } from "../config.ts";
import type { EdgeProblem, Realised } from "./desired.ts";
import { addressOf } from "./ends.ts";

/** Seconds; the vendor's for interconnects. */
const HOLD_TIME = 240;
/** Characters of a key of TCP MD5 (RFC 2385 section 4.5). */
const MOST_OF_KEY = 80;

/** The text, and what kept a session from being in it. */
export function birdText(
  interconnects: readonly EdgeInterconnect[],
  realised: ReadonlyMap<string, Realised>,
  config: EdgeConfig,
): { readonly text: string; readonly problems: readonly EdgeProblem[] } {
  const problems: EdgeProblem[] = [];
  const parts: string[] = [];
  for (const interconnect of interconnects.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
    const made = realised.get(interconnect.id);
    if (!made || !interconnect.bgp) continue;
    const session = sessionOf(interconnect, made, config);
    if (typeof session === "string") parts.push(session);
    else problems.push(session);
  }
  const head = `# Written by patchbay edge ${config.name}; changes are overwritten.\n`;
  return { text: head + parts.map((part) => `\n${part}`).join(""), problems };
}

function sessionOf(interconnect: EdgeInterconnect, made: Realised, config: EdgeConfig): string | EdgeProblem {
  const { id, name, bgp } = interconnect;
  if (!bgp) return { interconnect: id, reason: "It has no BGP." };
  const problem = (reason: string): EdgeProblem => ({ interconnect: id, reason });
  if (bgp.customerAsn === undefined) return problem("BGP needs the customer's AS number, and it has none.");
  const key = config.bgpKeys.get(name);
  if (bgp.hasKey && key === undefined)
    return problem(
      "BGP has a key, which the account does not tell an edge: give it in the configuration (bgpKeys).",
    );
  if (key !== undefined && (key.length > MOST_OF_KEY || !/^[\x20-\x7e]+$/.test(key) || key.includes('"')))
    return problem(
      `The key of BGP must be 1 to ${MOST_OF_KEY} printable characters without quotation marks.`,
    );

  const provider = config.role === "provider";
  const given = [bgp.providerEndpoint, bgp.customerEndpoint].map((end) => end && addressOf(end));
  const [ours = made.ends.ours, theirs = made.ends.theirs] = provider ? given : given.toReversed();
  const [ourAs, theirAs] = provider
    ? [config.providerAsn, bgp.customerAsn]
    : [bgp.customerAsn, config.providerAsn];
  const label = `patchbay_${id.slice(0, 12)}`;
  const prefixes = provider ? bgp.extraPrefixes.flatMap((text) => parsePrefix(text) ?? []) : [];
  const texts = provider ? bgp.extraPrefixes : [];
  const channels = ([4, 6] as const).flatMap((family) => {
    if (family === 6 && !made.ends6) return [];
    const extra = texts.filter((_, index) => prefixes[index]?.family === family);
    const origin = `${label}_extra${family}`;
    // The customer tells its own routes, the provider what it learned and what the settings add.
    const told = provider
      ? `source = RTS_BGP${extra.length > 0 ? ` || proto = "${origin}"` : ""}`
      : "source = RTS_STATIC || source = RTS_DEVICE";
    const hop = family === 6 && made.ends6 ? `    next hop address ${made.ends6.ours};\n` : "";
    return [
      {
        family,
        extra,
        origin,
        text: `  ipv${family} {\n    import all;\n    export where ${told};\n${hop}  };\n`,
      },
    ];
  });
  const statics = channels
    .filter(({ extra }) => extra.length > 0)
    .map(
      ({ family, extra, origin }) =>
        `protocol static ${origin} {\n  ipv${family};\n${extra.map((prefix) => `  route ${prefix} unreachable;\n`).join("")}}\n`,
    );
  const from = config.bird?.template === undefined ? "" : ` from ${config.bird.template}`;
  return `${statics.join("")}# ${name.replaceAll(/[^\x20-\x7e]/g, "?")}
protocol bgp ${label}${from} {
  local ${ours} as ${ourAs};
  neighbor ${theirs} as ${theirAs};
  source address ${ours};
  hold time ${HOLD_TIME};
${key === undefined ? "" : `  password "${key}";\n`}${channels.map(({ text }) => text).join("")}}
`;
}
