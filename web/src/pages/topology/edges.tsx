import type { AccountHealth } from "../../../../src/contract/health.ts";
import { tellAge } from "../../parts/time.ts";

type Edge = AccountHealth["edges"][number];

const words: Readonly<Record<Edge["configuration"]["status"], string>> = {
  applied: "has made the account real",
  modified: "is behind the account",
  error: "could not make all of it",
};

/** All edges that ever reported: where they are, whether they are heard of, and how far they are. */
export function Edges({ edges, now }: { readonly edges: readonly Edge[]; readonly now: number }) {
  if (edges.length === 0)
    return (
      <p className="edge-list muted">
        No edge reports: states are unknown until <code>patchbay edge</code> runs somewhere for this account.
      </p>
    );
  return (
    <ul className="edge-list" aria-label="Edges">
      {edges.map(({ edge, site, role, stale, seen_on, configuration }) => (
        <li key={edge} className={stale ? "edge-chip silent" : `edge-chip ${configuration.status}`}>
          <span className="edge-name">{edge}</span>{" "}
          <span className="muted">
            {role} at {site}
          </span>{" "}
          {stale ? `silent for ${tellAge(seen_on, now)}` : words[configuration.status]}
        </li>
      ))}
    </ul>
  );
}
